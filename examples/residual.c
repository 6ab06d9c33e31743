/* SPDX-License-Identifier: MIT */
/* A stack of residual blocks as in transformers, forward and backward, in three arrangements:
 *
 *   Pre-LN     s = s + f(y)    y = norm(s)     arXiv:2002.04745
 *   Post-LN    y = norm(y + f(y))              arXiv:1706.03762
 *   DeepNorm   y = norm(alpha y + f(y))        arXiv:2203.00555
 *
 * A block is one call: it adds and normalizes in one pass over memory. f stands for attention or an
 * MLP and is scale * tanh here, on the host. The device's gradient is then compared with a
 * difference of the loss in double, which the host reference makes.
 *
 *     cc residual.c $(pkg-config --cflags --libs clnorm) -lm */
#include <clnorm/clnorm.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A layer is two blocks: one of attention, one of an MLP. */
enum { ROWS = 8, COLS = 96, SIZE = ROWS * COLS, LAYERS = 6, BLOCKS = 2 * LAYERS };
enum { PARAMS = (BLOCKS + 1) * COLS }; /* those of block l begin at l * COLS */

typedef struct arrangement {
    const char *name;
    bool pre; /* the residual is the sum before a norm, else what comes out of the norm */
    double alpha; /* factor of the residual */
    double beta; /* factor of the sublayers' weights: DeepNorm needs both to be stable */
} arrangement;

/* What is differentiated. Only Pre-LN has a norm 0, in front of the first sublayer. */
typedef struct variables {
    float input[SIZE], weight[PARAMS], bias[PARAMS];
} variables;

/* What a block keeps for backward: its sum or its x (not both), and its y, as f needs it. mean and
 * rstd are small, and save the work of finding them again. */
typedef struct block {
    float x[SIZE], sum[SIZE], y[SIZE], mean[ROWS], rstd[ROWS];
} block;

static variables model, gradient, direction;
static float scale[PARAMS]; /* of the sublayers */
static float dloss[SIZE]; /* loss = sum of dloss * y of the last block */
static block blocks[BLOCKS + 1];
static clnorm_error error;

static void must(clnorm_status status)
{
    if (status == CLNORM_OK)
        return;
    fprintf(stderr, "%s: %s\n", clnorm_status_name(status), error.text);
    exit(EXIT_FAILURE); /* a library would return the status */
}

static clnorm_desc describe(const arrangement *a, bool with_residual, clnorm_dtype dtype)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    desc.cols = COLS;
    desc.x_dtype = desc.y_dtype = desc.param_dtype = dtype;
    if (with_residual) {
        desc.inputs = CLNORM_WITH_RESIDUAL;
        desc.alpha = a->alpha;
    }
    return desc;
}

/* ---- the stack on the device ---- */

/* ops[1] serves all blocks, as an op holds no weights; ops[0] is the same without a residual. */
static void forward(const arrangement *a, clnorm_op *const ops[2])
{
    memcpy(blocks[0].sum, model.input, sizeof model.input);
    memcpy(blocks[0].y, model.input, sizeof model.input);
    for (int l = a->pre ? 0 : 1; l <= BLOCKS; l++) {
        block *b = &blocks[l], *before = l > 0 ? b - 1 : b;
        clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
        for (int i = 0; i < SIZE; i++)
            b->x[i] = (float)a->beta * scale[l * COLS + i % COLS] * tanhf(before->y[i]);
        if (l == 0) {
            args.x.data = b->sum;
        } else if (a->pre) {
            args.x.data = b->x, args.residual.data = before->sum;
            args.sum.data = b->sum; /* the residual of the next block */
        } else {
            args.x.data = b->x, args.residual.data = before->y;
        }
        args.weight.data = model.weight + l * COLS, args.bias.data = model.bias + l * COLS;
        args.y.data = b->y, args.mean.data = b->mean, args.rstd.data = b->rstd;
        must(clnorm_forward_host(ops[l > 0], ROWS, &args, NULL, NULL, &error));
    }
}

static double dot(const float *a, const float *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

/* Fills `gradient`; dx_norm[l] is the size of what reaches sublayer l. */
static void backward(const arrangement *a, clnorm_op *const ops[2], double dx_norm[BLOCKS + 1])
{
    static float dy[SIZE], dx[SIZE], dresidual[SIZE];
    memset(&gradient, 0, sizeof gradient);
    memcpy(dy, dloss, sizeof dy);
    for (int l = BLOCKS; l >= (a->pre ? 0 : 1); l--) {
        block *b = &blocks[l], *before = l > 0 ? b - 1 : b;
        clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
        if (l == 0) {
            args.x.data = b->sum;
        } else if (a->pre) {
            args.sum.data = b->sum; /* instead of x and residual */
            args.dresidual.data = dresidual;
        } else {
            args.x.data = b->x, args.residual.data = before->y;
            args.dresidual.data = dresidual;
        }
        if (a->pre && l < BLOCKS) /* the sum of the last block goes nowhere else */
            args.dsum.data = dresidual; /* of the block after; replaced in place by that of this */
        args.weight.data = model.weight + l * COLS;
        args.mean.data = b->mean, args.rstd.data = b->rstd;
        args.dy.data = dy, args.dx.data = dx;
        args.dweight.data = gradient.weight + l * COLS, args.dbias.data = gradient.bias + l * COLS;
        must(clnorm_backward_host(ops[l > 0], ROWS, &args, NULL, NULL, &error));
        dx_norm[l] = sqrt(dot(dx, dx, SIZE));
        for (int i = 0; l > 0 && i < SIZE; i++) {
            const float t = tanhf(before->y[i]);
            dy[i] = (float)a->beta * scale[l * COLS + i % COLS] * (1 - t * t) * dx[i];
            if (!a->pre)
                dy[i] += dresidual[i]; /* y was the residual too */
        }
    }
    memcpy(gradient.input, a->pre ? dx : dy, sizeof gradient.input);
}

/* ---- the proof ---- */

static void moved(const float *from, const float *along, double step, int n, double *to)
{
    for (int i = 0; i < n; i++)
        to[i] = from[i] + step * along[i];
}

/* The loss of model + step * direction, in double on the host. */
static double loss(const arrangement *a, double step)
{
    static double x[SIZE], y[SIZE], residual[SIZE], weight[COLS], bias[COLS];
    double sum = 0;
    moved(model.input, direction.input, step, SIZE, y);
    memcpy(residual, y, sizeof y);
    for (int l = a->pre ? 0 : 1; l <= BLOCKS; l++) {
        const clnorm_desc desc = describe(a, l > 0, CLNORM_F64);
        clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
        moved(model.weight + l * COLS, direction.weight + l * COLS, step, COLS, weight);
        moved(model.bias + l * COLS, direction.bias + l * COLS, step, COLS, bias);
        for (int i = 0; i < SIZE; i++)
            x[i] = l == 0 ? y[i] : a->beta * scale[l * COLS + i % COLS] * tanh(y[i]);
        args.x.data = x, args.weight.data = weight, args.bias.data = bias, args.y.data = y;
        if (l > 0)
            args.residual.data = residual;
        if (l > 0 && a->pre)
            args.sum.data = residual;
        must(clnorm_reference(&desc, CLNORM_FORWARD, ROWS, &args, &error));
        if (!a->pre)
            memcpy(residual, y, sizeof y);
    }
    for (int i = 0; i < SIZE; i++)
        sum += dloss[i] * y[i];
    return sum;
}

static double product(const variables *a, const variables *b)
{
    return dot(a->input, b->input, SIZE) + dot(a->weight, b->weight, PARAMS) +
           dot(a->bias, b->bias, PARAMS);
}

static bool prove(const arrangement *a, clnorm_context *context)
{
    const double step = 1e-5;
    double dx_norm[BLOCKS + 1];
    clnorm_op *ops[2];
    for (int i = 0; i < 2; i++) {
        const clnorm_desc desc = describe(a, i > 0, CLNORM_F32);
        must(clnorm_op_create(context, &desc, &ops[i], &error));
    }
    forward(a, ops);
    backward(a, ops, dx_norm);

    /* The direction has elements 1 and -1 at random, so that rounding errors, each relative to the
     * gradient's size, add up as their squares do. A norm's dx is right to (12 + depth) units of
     * 2^-24 (docs/numerics.md), and one follows the other. */
    const double expected = (loss(a, step) - loss(a, -step)) / (2 * step);
    const double wrong =
        fabs(product(&gradient, &direction) - expected) / sqrt(product(&gradient, &gradient));
    const double allowed = (BLOCKS + 1) * (12.0 + clnorm_op_depth(ops[1])) * ldexp(1, -24);
    const bool right = wrong <= allowed; /* false for NaN */
    printf(
        "%-9s |dx| %.3f at block 1, %.3f at block %d; gradient off by %.1e of %.1e allowed: %s\n",
        a->name, dx_norm[1], dx_norm[BLOCKS], BLOCKS, wrong, allowed, right ? "right" : "WRONG");
    for (int i = 0; i < 2; i++)
        clnorm_op_destroy(ops[i]);
    return right;
}

/* n numbers from middle - spread to middle + spread. */
static void fill(float *to, int n, float middle, float spread)
{
    static unsigned long state = 1;
    for (int i = 0; i < n; i++) {
        state = (state * 1664525 + 1013904223) & 0xffffffff;
        to[i] = middle + spread * ((float)(state >> 8) / 8388608 - 1);
    }
}

static void signs(float *to, int n)
{
    fill(to, n, 0, 1);
    for (int i = 0; i < n; i++)
        to[i] = to[i] < 0 ? -1 : 1;
}

int main(void)
{
    const arrangement arrangements[] = {
        {"Pre-LN", true, 1, 1},
        {"Post-LN", false, 1, 1},
        /* of an encoder or a decoder alone */
        {"DeepNorm", false, pow(2.0 * LAYERS, 0.25), pow(8.0 * LAYERS, -0.25)},
    };
    clnorm_context *context;
    bool right = true;
    fill(model.input, SIZE, 0, 2);
    fill(model.weight, PARAMS, 1, 0.25f);
    fill(model.bias, PARAMS, 0, 0.25f);
    fill(scale, PARAMS, 0, 1);
    fill(dloss, SIZE, 0, 1);
    signs(direction.input, SIZE);
    signs(direction.weight, PARAMS);
    signs(direction.bias, PARAMS);

    must(clnorm_context_create(NULL, NULL, NULL, &context, &error)); /* the best device */
    printf("on %s\n", clnorm_context_device(context)->name);
    for (size_t i = 0; i < sizeof arrangements / sizeof *arrangements; i++)
        right = prove(&arrangements[i], context) && right;
    clnorm_context_destroy(context);
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
}

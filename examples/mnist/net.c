/* SPDX-License-Identifier: MIT */
#include "mnist/net.h"
#include "common/random.h"
#include "common/trace.h"

#include <stdlib.h>

static size_t take(struct layout *layout, size_t n)
{
    const size_t at = layout->count;
    layout->count += ex_padded(n);
    layout->used += n;
    return at;
}

/* alignment: elements, of weights */
static void lay_out(struct layout *layout, const struct shape *shape, size_t alignment)
{
    *layout = (struct layout){.count = 0};
    for (int l = 0; l < LAYERS; l++) {
        layout->in[l] = l == 0 ? shape->inputs : shape->hidden;
        layout->out[l] = l < NORMS ? shape->hidden : CLASSES;
        layout->count = (layout->count + alignment - 1) / alignment * alignment;
        layout->weight[l] = take(layout, layout->in[l] * layout->out[l]);
        if (l < NORMS) {
            layout->scale[l] = take(layout, layout->out[l]);
            layout->shift[l] = take(layout, layout->out[l]);
        }
    }
    layout->bias = take(layout, CLASSES);
}

static void draw_parameters(struct net *net, uint64_t seed)
{
    const struct layout *at = &net->layout;
    float *values = ex_alloc(at->count, sizeof(float));
    for (unsigned l = 0; l < LAYERS; l++)
        ex_fill_glorot(values + at->weight[l], at->in[l], at->out[l], seed, l);
    for (int l = 0; l < NORMS; l++)
        for (size_t i = 0; i < at->out[l]; i++)
            values[at->scale[l] + i] = 1;
    net->parameters = ex_buffer(net->device, at->count * sizeof(float), values);
    free(values);
}

static clnorm_op *create_op(struct net *net, size_t rows, clnorm_stats_source stats)
{
    clnorm_error error;
    clnorm_op *op;
    clnorm_desc desc = CLNORM_DESC_INIT;
    desc.cols = net->shape.hidden;
    if (net->shape.is_batch_norm) { /* one sample of [hidden, rows] */
        desc.kind = CLNORM_BATCH_NORM;
        desc.channels = net->shape.hidden;
        desc.cols *= rows;
        desc.stats = stats;
    }
    ex_must(clnorm_op_create(net->device->context, &desc, &op, &error), &error);
    return op;
}

static void create_buffers(struct net *net)
{
    struct ex_device *device = net->device;
    const size_t rows = net->rows, hidden = net->shape.hidden, bytes = sizeof(float);
    const size_t parameters = net->layout.count * bytes;
    float *running = ex_alloc(NORMS * 2 * hidden, bytes);
    for (size_t i = 0; i < NORMS * 2 * hidden; i++)
        running[i] = i / hidden % 2 == 1; /* mean 0, variance 1 */
    net->gradient = ex_buffer(device, parameters, NULL);
    for (int l = 0; l < LAYERS; l++) {
        const size_t at = net->layout.weight[l] * bytes;
        const size_t n = net->layout.in[l] * net->layout.out[l];
        net->weight[l] = ex_sub_buffer(net->parameters, at, n * bytes);
        net->d_weight[l] = ex_sub_buffer(net->gradient, at, n * bytes);
    }
    net->m = ex_buffer(device, parameters, NULL);
    net->v = ex_buffer(device, parameters, NULL);
    net->running = ex_buffer(device, NORMS * 2 * hidden * bytes, running);
    free(running);
    net->x = ex_buffer(device, rows * net->shape.inputs * bytes, NULL);
    net->labels = ex_buffer(device, rows * sizeof(cl_uint), NULL);
    net->logits = ex_buffer(device, rows * CLASSES * bytes, NULL);
    for (int l = 0; l < NORMS; l++) {
        net->h[l] = ex_buffer(device, rows * hidden * bytes, NULL);
        net->y[l] = ex_buffer(device, rows * hidden * bytes, NULL);
        net->dy[l] = ex_buffer(device, net->batch * hidden * bytes, NULL);
    }
    net->sets = rows > hidden ? rows : hidden;
    net->statistics = ex_buffer(device, NORMS * 2 * net->sets * bytes, NULL);
}

void net_open(struct net *net, struct ex_device *device, const struct shape *shape, size_t batch,
              size_t test_rows, uint64_t seed)
{
    extern const char ex_mnist_cl[];
    *net = (struct net){.device = device, .shape = *shape, .batch = batch};
    net->test_rows = test_rows;
    net->rows = batch > test_rows ? batch : test_rows;
    const size_t alignment = ex_alignment(device) / sizeof(float);
    lay_out(&net->layout, shape, alignment ? alignment : 1);
    ex_train_open(&net->train, device);
    net->program = ex_program(device, "mnist.cl", ex_mnist_cl, ex_build_options(device));
    net->gather = ex_kernel(net->program, "gather");
    net->norm = create_op(net, batch, CLNORM_STATS_COMPUTED);
    net->inference = create_op(net, test_rows, CLNORM_STATS_RUNNING);
    draw_parameters(net, seed);
    create_buffers(net);
}

void net_close(struct net *net)
{
    cl_mem buffers[] = {net->parameters, net->gradient, net->m,      net->v,     net->running,
                        net->x,          net->labels,   net->logits, net->h[0],  net->h[1],
                        net->y[0],       net->y[1],     net->dy[0],  net->dy[1], net->statistics};
    ex_finish(net->device);
    clnorm_op_destroy(net->inference);
    clnorm_op_destroy(net->norm);
    for (int l = 0; l < LAYERS; l++) {
        clReleaseMemObject(net->weight[l]);
        clReleaseMemObject(net->d_weight[l]);
    }
    for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++)
        clReleaseMemObject(buffers[i]);
    clReleaseKernel(net->gather);
    clReleaseProgram(net->program);
    ex_train_close(&net->train);
}

/* ---- a step ---- */

void net_gather(struct net *net, const struct images *images, cl_mem order, size_t first,
                size_t rows)
{
    EX_LAUNCH(net->device, REST, net->gather, ex_items(net->device, rows * images->pixels),
              net->device->group, EX_MEM(images->pixel), EX_MEM(images->class), EX_MEM(order),
              EX_U32(first), EX_MEM(net->x), EX_MEM(net->labels), EX_U32(rows),
              EX_U32(images->pixels));
}

/* A matrix without gaps, or its transpose. */
struct matrix {
    clnorm_tensor at;
    bool is_transposed;
};

static struct matrix transpose(struct matrix matrix)
{
    matrix.is_transposed = !matrix.is_transposed;
    return matrix;
}

/* c = a b, [m, k] and [k, n]; where c is stored as its transpose that is b^T a^T */
static void product(struct net *net, size_t m, size_t n, size_t k, struct matrix a, struct matrix b,
                    struct matrix c)
{
    clnorm_error error;
    clnorm_gemm_args args = CLNORM_GEMM_ARGS_INIT;
    if (c.is_transposed) {
        product(net, n, m, k, transpose(b), transpose(a), transpose(c));
        return;
    }
    args.m = m, args.n = n, args.k = k;
    args.a = a.at, args.b = b.at, args.c = c.at;
    args.a_transposed = a.is_transposed, args.b_transposed = b.is_transposed;
    ex_must(clnorm_gemm(net->device->context, net->device->queue, &args, 0, NULL,
                        ex_event(net->device, GEMM), &error),
            &error);
}

static struct matrix matrix(cl_mem buffer)
{
    const struct matrix matrix = {ex_tensor(buffer, 0), false};
    return matrix;
}

/* [rows, hidden], or [hidden, rows] in memory */
static struct matrix hidden(const struct net *net, cl_mem buffer)
{
    const struct matrix matrix = {ex_tensor(buffer, 0), net->shape.is_batch_norm};
    return matrix;
}

static clnorm_tensor parameter(const struct net *net, size_t at)
{
    return ex_tensor(net->parameters, at);
}

/* What both directions of norm l share. */
static clnorm_args norm_args(const struct net *net, int l)
{
    clnorm_args args = CLNORM_ARGS_INIT;
    args.x = ex_tensor(net->h[l], 0);
    args.weight = parameter(net, net->layout.scale[l]);
    args.mean = ex_tensor(net->statistics, (2 * (size_t)l) * net->sets);
    args.rstd = ex_tensor(net->statistics, (2 * (size_t)l + 1) * net->sets);
    return args;
}

static void norm_forward(struct net *net, int l, size_t rows, bool trains)
{
    clnorm_error error;
    clnorm_args args = norm_args(net, l);
    args.bias = parameter(net, net->layout.shift[l]);
    args.y = ex_tensor(net->y[l], 0);
    if (net->shape.is_batch_norm) {
        args.running_mean = ex_tensor(net->running, 2 * (size_t)l * net->shape.hidden);
        args.running_var = ex_tensor(net->running, (2 * (size_t)l + 1) * net->shape.hidden);
    }
    if (!trains)
        args.mean.buffer = args.rstd.buffer = NULL;
    ex_must(clnorm_forward(trains ? net->norm : net->inference, net->device->queue,
                           net->shape.is_batch_norm ? 1 : rows, &args, 0, NULL,
                           ex_event(net->device, NORM), &error),
            &error);
}

void net_forward(struct net *net, size_t rows, bool trains)
{
    const struct layout *at = &net->layout;
    struct matrix x = matrix(net->x);
    for (int l = 0; l < NORMS; l++) {
        product(net, rows, at->out[l], at->in[l], x, matrix(net->weight[l]),
                hidden(net, net->h[l]));
        norm_forward(net, l, rows, trains);
        x = hidden(net, net->y[l]);
        ex_relu(&net->train, REST, x.at, rows * at->out[l]);
    }
    product(net, rows, CLASSES, at->in[NORMS], x, matrix(net->weight[NORMS]), matrix(net->logits));
}

void net_loss(struct net *net, size_t rows, bool trains, cl_mem nll, cl_mem wrong, size_t rows_at)
{
    const struct ex_loss loss = {
        .rows = rows,
        .classes = CLASSES,
        .scale = 1 / (float)rows,
        .logits = ex_tensor(net->logits, 0),
        .bias = parameter(net, net->layout.bias),
        .labels = ex_tensor(net->labels, 0),
        .d_logits = ex_tensor(trains ? net->logits : NULL, 0),
        .nll = nll,
        .wrong = wrong,
        .rows_at = rows_at,
    };
    ex_softmax_loss(&net->train, REST, &loss);
}

/* dy becomes the gradient of h, in place. */
static void norm_backward(struct net *net, int l)
{
    clnorm_error error;
    clnorm_args args = norm_args(net, l);
    args.dy = args.dx = ex_tensor(net->dy[l], 0);
    args.dweight = ex_tensor(net->gradient, net->layout.scale[l]);
    args.dbias = ex_tensor(net->gradient, net->layout.shift[l]);
    ex_must(clnorm_backward(net->norm, net->device->queue,
                            net->shape.is_batch_norm ? 1 : net->batch, &args, 0, NULL,
                            ex_event(net->device, NORM), &error),
            &error);
}

void net_backward(struct net *net)
{
    const struct layout *at = &net->layout;
    struct matrix d = matrix(net->logits); /* gradient of what layer l makes */
    ex_column_sums(&net->train, REST, d.at, ex_tensor(net->gradient, at->bias), net->batch,
                   CLASSES);
    for (int l = NORMS; l >= 0; l--) {
        const struct matrix x = l > 0 ? hidden(net, net->y[l - 1]) : matrix(net->x);
        product(net, at->in[l], at->out[l], net->batch, transpose(x), d, matrix(net->d_weight[l]));
        if (l == 0)
            break;
        const struct matrix dy = hidden(net, net->dy[l - 1]);
        product(net, net->batch, at->in[l], at->out[l], d, transpose(matrix(net->weight[l])), dy);
        ex_relu_gradient(&net->train, REST, x.at, dy.at, net->batch * at->in[l]);
        norm_backward(net, l - 1);
        d = dy;
    }
}

void net_update(struct net *net, const struct ex_adam *adam, uint64_t step)
{
    ex_adam(&net->train, REST, adam, step, net->layout.count, parameter(net, 0),
            ex_tensor(net->m, 0), ex_tensor(net->v, 0), ex_tensor(net->gradient, 0));
}

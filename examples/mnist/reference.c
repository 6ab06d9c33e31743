/* SPDX-License-Identifier: MIT */
#include "mnist/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void reference_open(struct reference *reference, const struct net *net)
{
    const size_t count = net->layout.count, hidden = net->shape.hidden, batch = net->batch;
    *reference = (struct reference){.shape = net->shape, .layout = &net->layout, .batch = batch};
    reference->parameters = ex_alloc(count, sizeof(double));
    reference->gradient = ex_alloc(count, sizeof(double));
    reference->x = ex_alloc(batch * net->shape.inputs, sizeof(double));
    reference->labels = ex_alloc(batch, sizeof(uint32_t));
    reference->logits = ex_alloc(batch * CLASSES, sizeof(double));
    for (int l = 0; l < NORMS; l++) {
        reference->h[l] = ex_alloc(batch * hidden, sizeof(double));
        reference->y[l] = ex_alloc(batch * hidden, sizeof(double));
    }
}

void reference_close(struct reference *reference)
{
    for (int l = 0; l < NORMS; l++) {
        free(reference->h[l]);
        free(reference->y[l]);
    }
    free(reference->parameters);
    free(reference->gradient);
    free(reference->x);
    free(reference->labels);
    free(reference->logits);
}

/* ---- products: c = a b with one of them transposed, or none ---- */

static void product(const double *a, const double *b, double *c, size_t m, size_t n, size_t k)
{
    memset(c, 0, m * n * sizeof(*c));
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < k; j++)
            for (size_t l = 0; l < n; l++)
                c[i * n + l] += a[i * k + j] * b[j * n + l];
}

/* a is stored as [k, m] */
static void product_of_transposed(const double *a, const double *b, double *c, size_t m, size_t n,
                                  size_t k)
{
    memset(c, 0, m * n * sizeof(*c));
    for (size_t j = 0; j < k; j++)
        for (size_t i = 0; i < m; i++)
            for (size_t l = 0; l < n; l++)
                c[i * n + l] += a[j * m + i] * b[j * n + l];
}

/* b is stored as [n, k] */
static void product_with_transposed(const double *a, const double *b, double *c, size_t m, size_t n,
                                    size_t k)
{
    for (size_t i = 0; i < m; i++)
        for (size_t l = 0; l < n; l++) {
            double sum = 0;
            for (size_t j = 0; j < k; j++)
                sum += a[i * k + j] * b[l * k + j];
            c[i * n + l] = sum;
        }
}

/* ---- norms and ReLU ---- */

static clnorm_desc describe(const struct reference *reference)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    desc.cols = reference->shape.hidden;
    desc.x_dtype = desc.y_dtype = desc.param_dtype = CLNORM_F64;
    if (reference->shape.is_batch_norm) {
        desc.kind = CLNORM_BATCH_NORM;
        desc.channels = desc.cols;
    }
    return desc;
}

static void norm(struct reference *reference, int l, clnorm_direction direction,
                 clnorm_host_args *args)
{
    const clnorm_desc desc = describe(reference);
    clnorm_error error;
    args->x.data = reference->h[l];
    args->weight.data = reference->parameters + reference->layout->scale[l];
    ex_must(clnorm_reference(&desc, direction, reference->batch, args, &error), &error);
}

static void norm_by_running(struct reference *reference, int l)
{
    const double *scale = reference->parameters + reference->layout->scale[l];
    const double *shift = reference->parameters + reference->layout->shift[l];
    const size_t hidden = reference->shape.hidden;
    const float *mean = reference->running + 2 * (size_t)l * hidden, *variance = mean + hidden;
    const double eps = describe(reference).eps;
    for (size_t i = 0; i < reference->batch * hidden; i++) {
        const size_t j = i % hidden;
        reference->y[l][i] =
            (reference->h[l][i] - mean[j]) / sqrt(variance[j] + eps) * scale[j] + shift[j];
    }
}

static void norm_forward(struct reference *reference, int l)
{
    if (reference->running) {
        norm_by_running(reference, l);
        return;
    }
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.bias.data = reference->parameters + reference->layout->shift[l];
    args.y.data = reference->y[l];
    norm(reference, l, CLNORM_FORWARD, &args);
}

static void norm_backward(struct reference *reference, int l, double *d)
{
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.dy.data = args.dx.data = d;
    args.dweight.data = reference->gradient + reference->layout->scale[l];
    args.dbias.data = reference->gradient + reference->layout->shift[l];
    norm(reference, l, CLNORM_BACKWARD, &args);
}

static bool passes(const struct reference *reference, int l, size_t i)
{
    return reference->mask[l] ? reference->mask[l][i] > 0 : reference->y[l][i] > 0;
}

static void relu(struct reference *reference, int l)
{
    double *y = reference->y[l];
    for (size_t i = 0; i < reference->batch * reference->shape.hidden; i++) {
        const bool passing = passes(reference, l, i);
        if (passing != (y[i] > 0) && fabs(y[i]) > reference->least_masked)
            reference->least_masked = fabs(y[i]);
        y[i] = passing ? y[i] : 0;
    }
}

/* ---- the loss ---- */

static void softmax_loss(struct reference *reference)
{
    const double *bias = reference->parameters + reference->layout->bias;
    reference->loss = 0;
    reference->errors = 0;
    for (size_t r = 0; r < reference->batch; r++) {
        double *z = reference->logits + r * CLASSES, top = -INFINITY, sum = 0;
        for (int c = 0; c < CLASSES; c++) {
            z[c] += bias[c];
            top = fmax(top, z[c]);
        }
        for (int c = 0; c < CLASSES; c++)
            sum += exp(z[c] - top);
        const uint32_t label = reference->labels[r];
        reference->loss += (log(sum) - (z[label] - top)) / (double)reference->batch;
        reference->errors += z[label] < top;
        for (uint32_t c = 0; c < CLASSES; c++)
            z[c] = (exp(z[c] - top) / sum - (c == label)) / (double)reference->batch;
    }
}

/* ---- the net ---- */

void reference_forward(struct reference *reference)
{
    const struct layout *at = reference->layout;
    const double *x = reference->x;
    for (int l = 0; l < NORMS; l++) {
        product(x, reference->parameters + at->weight[l], reference->h[l], reference->batch,
                at->out[l], at->in[l]);
        norm_forward(reference, l);
        relu(reference, l);
        x = reference->y[l];
    }
    product(x, reference->parameters + at->weight[NORMS], reference->logits, reference->batch,
            CLASSES, at->in[NORMS]);
    softmax_loss(reference);
}

void reference_backward(struct reference *reference)
{
    const struct layout *at = reference->layout;
    const size_t batch = reference->batch, hidden = reference->shape.hidden;
    double *rooms[2] = {ex_alloc(batch * hidden, sizeof(double)),
                        ex_alloc(batch * hidden, sizeof(double))};
    const double *d = reference->logits;
    for (size_t i = 0; i < batch * CLASSES; i++)
        reference->gradient[at->bias + i % CLASSES] =
            d[i] + (i < CLASSES ? 0 : reference->gradient[at->bias + i % CLASSES]);
    for (int l = NORMS; l >= 0; l--) {
        const double *x = l > 0 ? reference->y[l - 1] : reference->x;
        product_of_transposed(x, d, reference->gradient + at->weight[l], at->in[l], at->out[l],
                              batch);
        if (l == 0)
            break;
        double *dy = rooms[l % 2];
        product_with_transposed(d, reference->parameters + at->weight[l], dy, batch, at->in[l],
                                at->out[l]);
        for (size_t i = 0; i < batch * hidden; i++)
            dy[i] = passes(reference, l - 1, i) ? dy[i] : 0;
        norm_backward(reference, l - 1, dy);
        d = dy;
    }
    free(rooms[0]);
    free(rooms[1]);
}

/* SPDX-License-Identifier: MIT */
#include "sequence/training.h"
#include "common/random.h"

#include <math.h>
#include <stdlib.h>

enum { STREAM_SHIFT = 50 };

/* A batch and the parameters on the host. */
struct problem {
    const struct seq_net *net;
    size_t hidden, outputs, batch;
    float *parameters, *x, *targets;
    double *gradient;
};

/* Parameters that are away from 0 and 1, so that none can be left out, or taken for another,
 * without being seen. */
static void shift_parameters(struct problem *p, struct ex_device *device, uint64_t seed)
{
    const double limit = 0.125;
    const size_t n = (size_t)p->net->parameter_count;
    ex_read(device, p->net->parameters, 0, n * sizeof(float), p->parameters);
    for (size_t i = 0; i < n; i++)
        p->parameters[i] += (float)(limit * (2 * ex_uniform(seed, STREAM_SHIFT, i) - 1));
    ex_write(device, p->net->parameters, 0, n * sizeof(float), p->parameters);
}

/* ---- the device ---- */

/* The gradient, and its norm. */
static double device_gradient(struct seq_net *net, const struct problem *p, size_t x_count,
                              float *to)
{
    const size_t n = (size_t)net->parameter_count;
    float norm[EX_NORM_PARTS];
    const size_t rows = p->batch;
    struct seq_batch batch = {.at = 0};
    batch.x.buffer = ex_buffer(net->device, x_count * sizeof(float), p->x);
    batch.targets.buffer = ex_buffer(net->device, rows * sizeof(float), p->targets);
    batch.loss = ex_buffer(net->device, rows * sizeof(float), NULL);
    batch.wrong = ex_buffer(net->device, rows * sizeof(cl_uint), NULL);
    seq_net_forward(net, &batch);
    seq_net_backward(net, &batch);
    cl_mem parts = ex_buffer(net->device, sizeof(norm), NULL);
    ex_norm(net->train, 0, ex_tensor(net->gradient, 0), n, ex_tensor(parts, 0));
    ex_read(net->device, parts, 0, sizeof(norm), norm);
    ex_read(net->device, net->gradient, 0, n * sizeof(float), to);
    clReleaseMemObject(parts);
    clReleaseMemObject(batch.x.buffer);
    clReleaseMemObject(batch.targets.buffer);
    clReleaseMemObject(batch.loss);
    clReleaseMemObject(batch.wrong);
    return ex_norm_of(norm);
}

/* ---- the host ---- */

/* What the loss, the mean over the batch, gives to the outputs z of a row; in their place. */
static void loss_gradient(const struct problem *p, size_t row, double *z)
{
    double most = -INFINITY, sum = 0;
    if (p->net->is_number) {
        z[0] = 2 * (z[0] - p->targets[row]) / (double)p->batch;
        return;
    }
    for (size_t o = 0; o < p->outputs; o++)
        most = fmax(most, z[o]);
    for (size_t o = 0; o < p->outputs; o++)
        sum += z[o] = exp(z[o] - most);
    for (size_t o = 0; o < p->outputs; o++)
        z[o] = (z[o] / sum - (o == ((const uint32_t *)p->targets)[row])) / (double)p->batch;
}

/* The read-out of h, [batch, hidden], its gradients, and dh. */
static void read_out(struct problem *p, const double *h, float *dh)
{
    const uint64_t weight_at = p->net->places[SEQ_OUT_WEIGHT].offset;
    const uint64_t bias_at = p->net->places[SEQ_OUT_BIAS].offset;
    double *z = ex_alloc(p->outputs, sizeof(double));
    for (size_t row = 0; row < p->batch; row++, h += p->hidden, dh += p->hidden) {
        for (size_t o = 0; o < p->outputs; o++) {
            z[o] = p->parameters[bias_at + o];
            for (size_t i = 0; i < p->hidden; i++)
                z[o] += h[i] * p->parameters[weight_at + o * p->hidden + i];
        }
        loss_gradient(p, row, z);
        for (size_t i = 0; i < p->hidden; i++) {
            double sum = 0;
            for (size_t o = 0; o < p->outputs; o++) {
                sum += z[o] * p->parameters[weight_at + o * p->hidden + i];
                p->gradient[weight_at + o * p->hidden + i] += z[o] * h[i];
            }
            dh[i] = (float)sum;
        }
        for (size_t o = 0; o < p->outputs; o++)
            p->gradient[bias_at + o] += z[o];
    }
    free(z);
}

static void host_gradient(struct problem *p)
{
    const struct seq_shape *shape = &p->net->shape;
    clnorm_recurrent_host_args args = CLNORM_RECURRENT_HOST_ARGS_INIT;
    clnorm_error error;
    double *h = ex_alloc(p->batch * p->hidden, sizeof(double));
    float *dh = ex_alloc(p->batch * p->hidden, sizeof(float));
    seq_set_arrays(p->net->places, p->parameters, NULL, &args);
    args.x = p->x;
    args.h_n = h;
    ex_must(clnorm_recurrent_reference(&shape->cell, CLNORM_FORWARD, shape->length, shape->batch,
                                       &args, &error),
            &error);
    read_out(p, h, dh);
    seq_set_arrays(p->net->places, p->parameters, p->gradient, &args);
    args.dh_n = dh;
    ex_must(clnorm_recurrent_reference(&shape->cell, CLNORM_BACKWARD, shape->length, shape->batch,
                                       &args, &error),
            &error);
    free(h);
    free(dh);
}

/* ---- the two ---- */

/* In units of 2^-24 of the gradient's size. A step, forward and again backward, has products of
 * hidden + features terms, a norm with a chain of at most 64 additions, and a function
 * (docs/numerics.md); the read-out is as much as another step. An error goes on from step to step
 * as the gradient itself does. */
static double allowed_error(const struct seq_shape *shape)
{
    const double terms = (double)(shape->cell.hidden + shape->cell.features);
    const double product = fmin(terms, 8 * sqrt(terms)) + 4, norm = 64 + 16, function = 12;
    return 2 * ((double)shape->length + 1) * (product + norm + function) * 0x1p-24;
}

double seq_check(struct seq_net *net, const struct seq_task *task, double *allowed)
{
    const size_t n = (size_t)net->parameter_count;
    struct problem p = {.net = net,
                        .hidden = (size_t)net->shape.cell.hidden,
                        .outputs = task->outputs,
                        .batch = (size_t)net->shape.batch};
    const size_t x_count = task->length * p.batch * task->features;
    float *got = ex_alloc(n, sizeof(float));
    double difference = 0, size = 0;
    p.parameters = ex_alloc(n, sizeof(float));
    p.x = ex_alloc(x_count, sizeof(float));
    p.targets = ex_alloc(p.batch, sizeof(float));
    p.gradient = ex_alloc(n, sizeof(double));
    seq_task_fill(task, SEQ_TRAIN, 0, p.batch, p.x, p.targets);
    shift_parameters(&p, net->device, task->seed);
    const double norm = device_gradient(net, &p, x_count, got);
    host_gradient(&p);
    for (size_t i = 0; i < n; i++) {
        difference += (got[i] - p.gradient[i]) * (got[i] - p.gradient[i]);
        size += p.gradient[i] * p.gradient[i];
    }
    free(p.parameters);
    free(p.x);
    free(p.targets);
    free(p.gradient);
    free(got);
    *allowed = allowed_error(&net->shape);
    return sqrt(difference / size) + fabs(norm / sqrt(size) - 1);
}

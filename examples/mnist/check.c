/* SPDX-License-Identifier: MIT */
/* Both forward passes and the gradient of the whole net, against the host in double; and the host's
 * gradient against differences of its loss.
 *
 * How far the device may be off. A sum of k terms in float is off by up to k units of 2^-24 of the
 * sum of the terms' sizes; as rounding errors have random signs it is the root of k, and as the
 * terms have, too, the sum of their sizes is up to the root of k times what they add up to. In the
 * norm of an array this is k units of its own norm. A layer norm is right to 12 + depth units
 * (docs/numerics.md), exp and log to 4 (OpenCL C, 7.4). Each array's errors are those of all
 * operations that lie before it, one after the other. All of this is of nets with many units; in
 * one of a few, or with batch norm of two or three rows, a gradient may be what cancellation
 * leaves. */
#include "common/progress.h"
#include "common/random.h"
#include "mnist/check.h"
#include "mnist/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double unit = 0x1p-24;

void judge(struct verdict *verdict, const char *what, double off, double allowed)
{
    const bool is_right = off <= allowed; /* not if NaN */
    verdict->is_right = verdict->is_right && is_right;
    if (verdict->tells || !is_right)
        printf("  %-22s off by %.1e of %.1e allowed: %s\n", what, off, allowed,
               is_right ? "right" : "WRONG");
}

/* |got - expected| / |expected|; 0 where nothing is off, as where all gradients are 0 */
static double relative(const float *got, const double *expected, size_t n)
{
    double difference = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        difference += (got[i] - expected[i]) * (got[i] - expected[i]);
        size += expected[i] * expected[i];
    }
    return difference == 0 ? 0 : sqrt(difference / size);
}

/* Units of the errors up to the loss; backwards the same, and those of the sums over the batch. */
static double forward_units(const struct net *net)
{
    const double norm = 12.0 + clnorm_op_depth(net->norm);
    double units = 4 + CLASSES;
    for (int l = 0; l < LAYERS; l++)
        units += (double)net->layout.in[l] + (l < NORMS ? norm : 0);
    return units;
}

static double backward_units(const struct net *net)
{
    const double norm = 12.0 + clnorm_op_depth(net->norm);
    return forward_units(net) + 4 + CLASSES + (double)net->shape.hidden + NORMS * norm +
           (double)net->batch;
}

/* ---- the device's part ---- */

float *download(struct net *net, cl_mem buffer, size_t n)
{
    float *values = ex_alloc(n, sizeof(*values));
    ex_read(net->device, buffer, 0, n * sizeof(*values), values);
    return values;
}

/* [batch, hidden] */
static float *download_hidden(struct net *net, cl_mem buffer)
{
    const size_t batch = net->batch, hidden = net->shape.hidden;
    float *stored = download(net, buffer, batch * hidden);
    if (!net->shape.is_batch_norm)
        return stored;
    float *values = ex_alloc(batch * hidden, sizeof(*values));
    for (size_t i = 0; i < batch * hidden; i++)
        values[i] = stored[i % hidden * batch + i / hidden];
    free(stored);
    return values;
}

static double run_device(struct net *net, bool trains, uint64_t *errors)
{
    cl_mem nll = ex_buffer(net->device, net->batch * sizeof(float), NULL);
    cl_mem wrong = ex_buffer(net->device, net->batch * sizeof(cl_uint), NULL);
    ex_progress_note("compiling the products of a step ...");
    net_forward(net, net->batch, trains);
    net_loss(net, net->batch, trains, nll, wrong, 0);
    if (trains)
        net_backward(net);
    const double loss = ex_loss_read(&net->train, nll, wrong, 0, net->batch, errors);
    ex_progress_note(NULL);
    clReleaseMemObject(nll);
    clReleaseMemObject(wrong);
    return loss / (double)net->batch;
}

/* Scales, shifts and kept statistics that are not all alike, as mistakes could cancel. */
static void vary_parameters(struct net *net)
{
    const struct layout *at = &net->layout;
    float *values = download(net, net->parameters, at->count);
    for (int l = 0; l < NORMS; l++)
        for (size_t i = 0; i < at->out[l]; i++) {
            values[at->scale[l] + i] = (float)(0.5 + ex_uniform(1, (uint64_t)l, i));
            values[at->shift[l] + i] = (float)(ex_uniform(2, (uint64_t)l, i) - 0.5);
        }
    ex_fill_uniform(values + at->bias, CLASSES, 0.5, 3, 0);
    ex_write(net->device, net->parameters, 0, at->count * sizeof(*values), values);
    free(values);
}

/* Means, and variances of 0.5 to 1.5; to be freed. */
static float *vary_running(struct net *net)
{
    const size_t hidden = net->shape.hidden, n = NORMS * 2 * hidden;
    float *values = ex_alloc(n, sizeof(*values));
    ex_fill_uniform(values, n, 0.5, 5, 0);
    for (size_t i = 0; i < n; i++)
        values[i] += (float)(i / hidden % 2);
    ex_write(net->device, net->running, 0, n * sizeof(*values), values);
    return values;
}

static void give_inputs(struct net *net, struct reference *reference)
{
    const size_t n = net->batch * net->shape.inputs;
    float *parameters = download(net, net->parameters, net->layout.count);
    float *x = download(net, net->x, n);
    for (size_t i = 0; i < net->layout.count; i++)
        reference->parameters[i] = parameters[i];
    for (size_t i = 0; i < n; i++)
        reference->x[i] = x[i];
    ex_read(net->device, net->labels, 0, net->batch * sizeof(uint32_t), reference->labels);
    free(parameters);
    free(x);
}

/* ---- comparisons ---- */

static void compare_gradients(const struct net *net, const struct reference *reference,
                              const float *gradient, struct verdict *verdict)
{
    const struct layout *at = &net->layout;
    const struct {
        const char *name;
        size_t at, n;
    } arrays[] = {
        {"gradient of W1", at->weight[0], at->in[0] * at->out[0]},
        {"gradient of scale 1", at->scale[0], at->out[0]},
        {"gradient of shift 1", at->shift[0], at->out[0]},
        {"gradient of W2", at->weight[1], at->in[1] * at->out[1]},
        {"gradient of scale 2", at->scale[1], at->out[1]},
        {"gradient of shift 2", at->shift[1], at->out[1]},
        {"gradient of W3", at->weight[2], at->in[2] * at->out[2]},
        {"gradient of the bias", at->bias, CLASSES},
    };
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
        judge(verdict, arrays[i].name,
              relative(gradient + arrays[i].at, reference->gradient + arrays[i].at, arrays[i].n),
              backward_units(net) * unit);
}

/* The loss of parameters + step * direction, whose elements are 1 and -1 at random. */
static double loss_along(struct reference *reference, const double *origin, double step)
{
    for (size_t i = 0; i < reference->layout->count; i++)
        reference->parameters[i] = origin[i] + (ex_bits(4, 0, i) >> 63 ? step : -step);
    reference_forward(reference);
    return reference->loss;
}

/* A difference at step s has an error of second order, c s^2, and of rounding, 2^-52 of the loss
 * and sums over s; the difference of two steps tells c: of s and s / 2 the latter is off by a third
 * of it. ReLU keeps the masks of the device, so that the loss has derivatives. */
static void compare_with_differences(struct reference *reference, struct verdict *verdict)
{
    const size_t count = reference->layout->count;
    const double step = 1e-5,
                 sums = (double)(reference->layout->in[0] + 2 * reference->shape.hidden);
    double *origin = ex_alloc(count, sizeof(*origin)), slope = 0;
    for (size_t i = 0; i < count; i++) {
        origin[i] = reference->parameters[i];
        slope += ex_bits(4, 0, i) >> 63 ? reference->gradient[i] : -reference->gradient[i];
    }
    double differences[2];
    for (int i = 0; i < 2; i++) {
        const double s = i ? step / 2 : step;
        differences[i] =
            (loss_along(reference, origin, s) - loss_along(reference, origin, -s)) / (2 * s);
    }
    const double rounding = 0x1p-52 * sums * (1 + fabs(reference->loss)) / step;
    const double allowed = fabs(differences[0] - differences[1]) + rounding;
    judge(verdict, "host's own gradient", fabs(differences[1] - slope), allowed);
    free(origin);
}

/* The host's forward pass beside what the device has left, with its masks, to be freed. */
static void compare_forward(const char *what, struct net *net, struct reference *reference,
                            double loss, uint64_t errors, float *masks[NORMS],
                            struct verdict *verdict)
{
    for (int l = 0; l < NORMS; l++)
        reference->mask[l] = masks[l] = download_hidden(net, net->y[l]);
    reference->least_masked = 0;
    reference_forward(reference);
    judge(verdict, what, fabs(loss - reference->loss) / reference->loss, forward_units(net) * unit);
    judge(verdict, "ReLU at the wrong side", reference->least_masked, forward_units(net) * unit);
    judge(verdict, "errors", fabs((double)errors - (double)reference->errors), 0);
}

static void free_masks(float *masks[NORMS])
{
    for (int l = 0; l < NORMS; l++)
        free(masks[l]);
}

/* As in the test: batch norm by statistics that are kept. */
static void check_inference(struct net *net, struct reference *reference, struct verdict *verdict)
{
    uint64_t errors;
    float *masks[NORMS], *running = vary_running(net);
    const double loss = run_device(net, false, &errors);
    reference->running = net->shape.is_batch_norm ? running : NULL;
    compare_forward("loss of the test", net, reference, loss, errors, masks, verdict);
    reference->running = NULL;
    free(running);
    free_masks(masks);
}

bool check_net(struct net *net, const struct data *data, const struct ex_adam *adam, bool tells)
{
    struct verdict verdict = {true, tells};
    struct reference reference;
    uint64_t errors;
    float *masks[NORMS];
    vary_parameters(net);
    check_gather(net, &data->train, &verdict);
    reference_open(&reference, net);
    give_inputs(net, &reference);
    check_inference(net, &reference, &verdict);
    const double loss = run_device(net, true, &errors);
    float *gradient = download(net, net->gradient, net->layout.count);
    compare_forward("loss", net, &reference, loss, errors, masks, &verdict);
    reference_backward(&reference);
    compare_gradients(net, &reference, gradient, &verdict);
    compare_with_differences(&reference, &verdict);
    check_adam(net, adam, gradient, &verdict);
    reference_close(&reference);
    free_masks(masks);
    free(gradient);
    return verdict.is_right;
}

int check(const struct settings *settings)
{
    enum { PIXELS = 784 };
    struct ex_device device;
    struct data data;
    struct net net;
    struct shape shape = settings->shape;
    shape.inputs = PIXELS;
    ex_device_open(&device, settings->device, false);
    data_random(&data, &device, settings->batch, PIXELS, settings->seed);
    net_open(&net, &device, &shape, settings->batch, settings->batch, settings->seed);
    printf("%zu-%zu-%zu-%d with %s norm, batch %zu, on %s\n", shape.inputs, shape.hidden,
           shape.hidden, CLASSES, shape.is_batch_norm ? "batch" : "layer", settings->batch,
           clnorm_context_device(device.context)->name);
    const bool is_right = check_net(&net, &data, &settings->adam, true);
    net_close(&net);
    data_release(&data);
    ex_device_close(&device);
    return is_right ? 0 : EX_WRONG;
}

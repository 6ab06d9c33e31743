/* SPDX-License-Identifier: MIT */
/* A shuffled batch and some steps of Adam, against the host in double. */
#include "common/random.h"
#include "mnist/check.h"

#include <math.h>
#include <stdlib.h>

static const double unit = 0x1p-24;

/* ---- a batch ---- */

/* Most that a pixel is off of what it may be; infinity where a label is wrong. A division is right
 * to 2.5 units of the last place (OpenCL C, 7.4). */
static double compare_batch(struct net *net, const struct images *images, const uint32_t *order)
{
    const size_t cols = images->pixels, n = net->batch * cols;
    uint8_t *pixels = ex_alloc(cols, 1), class;
    uint32_t *labels = ex_alloc(net->batch, sizeof(*labels));
    float *x = download(net, net->x, n);
    double worst = 0;
    ex_read(net->device, net->labels, 0, net->batch * sizeof(*labels), labels);
    for (size_t r = 0; r < net->batch; r++) {
        ex_read(net->device, images->pixel, order[r] * cols, cols, pixels);
        ex_read(net->device, images->class, order[r], 1, &class);
        for (size_t c = 0; c < cols; c++) {
            const double expected = pixels[c] / 255.0, off = fabs(x[r * cols + c] - expected);
            worst = off > 0 ? fmax(worst, off / (5 * unit * expected)) : worst;
        }
        worst = labels[r] == class ? worst : INFINITY;
    }
    free(pixels);
    free(labels);
    free(x);
    return worst;
}

void check_gather(struct net *net, const struct images *images, struct verdict *verdict)
{
    const size_t n = images->count, first = (n - net->batch) / 2;
    uint32_t *order = ex_alloc(n, sizeof(*order));
    ex_shuffle(order, n, 7, 0);
    cl_mem shuffled = ex_buffer(net->device, n * sizeof(*order), order);
    net_gather(net, images, shuffled, first, net->batch);
    judge(verdict, "batch, share of bound", compare_batch(net, images, order + first), 1);
    clReleaseMemObject(shuffled);
    free(order);
}

/* ---- Adam ---- */

enum { STEPS = 3 };
/* Of the gradient in each step: exact in float, of both signs, and of several sizes. */
static const double factors[STEPS] = {1, -0.5, 4};

/* A step takes rate_t * m / (root of v + eps_t) from a parameter. In units of 2^-24, half a unit of
 * the last place, and of what m's terms are without their signs: each step adds 3 to m and 4 to v,
 * by its products and their arguments, and by the sum, so 2 to the root of v. Then the root itself
 * 6 and the division 5 (OpenCL C, 7.4), 4 for eps, the sum with it, rate and the product with it;
 * and 1 of what is left of the parameter. */
static double worst_of_step(const struct ex_adam *adam, int step, const float *gradient,
                            const float *before, const float *after, size_t n)
{
    const double bias1 = 1 - pow(adam->beta1, step), bias2 = 1 - pow(adam->beta2, step);
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double m = 0, v = 0, terms = 0;
        for (int s = 0; s < step; s++) {
            const double g = gradient[i] * factors[s];
            m = adam->beta1 * m + (1 - adam->beta1) * g;
            v = adam->beta2 * v + (1 - adam->beta2) * g * g;
            terms = adam->beta1 * terms + (1 - adam->beta1) * fabs(g);
        }
        const double rate = adam->rate / bias1 / (sqrt(v / bias2) + adam->eps);
        const double expected = before[i] - rate * m;
        const double allowed = unit * (fabs(expected) + (15 + 5 * step) * rate * terms) + 0x1p-149;
        worst = fmax(worst, fabs(after[i] - expected) / allowed);
        if (isnan(after[i]))
            worst = INFINITY;
    }
    return worst;
}

void check_adam(struct net *net, const struct ex_adam *adam, const float *gradient,
                struct verdict *verdict)
{
    const size_t n = net->layout.count;
    float *scaled = ex_alloc(n, sizeof(*scaled)), *before = download(net, net->parameters, n);
    double worst = 0;
    for (int step = 1; step <= STEPS; step++) {
        for (size_t i = 0; i < n; i++)
            scaled[i] = gradient[i] * (float)factors[step - 1];
        ex_write(net->device, net->gradient, 0, n * sizeof(*scaled), scaled);
        net_update(net, adam, (uint64_t)step);
        float *after = download(net, net->parameters, n);
        worst = fmax(worst, worst_of_step(adam, step, gradient, before, after, n));
        free(before);
        before = after;
    }
    judge(verdict, "Adam, share of bound", worst, 1);
    free(before);
    free(scaled);
}

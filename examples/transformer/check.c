/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_SHOWN = 8 };

struct verdict {
    size_t compared, wrong;
    double share; /* the largest |error| / bound */
    char worst[TF_NAME_BYTES]; /* where it is */
};

static double number(const json_t *array, size_t i)
{
    return json_number_value(json_array_get(array, i));
}

static void compare(const struct tf_fixture *f, bool pre, const char *name, const float *got,
                    size_t n, struct verdict *v)
{
    const struct tf_expected expected = tf_expected(f, pre, name, n);
    for (size_t i = 0; i < n; i++) {
        const double value = number(expected.values, i), bound = number(expected.bounds, i);
        const double error = fabs(got[i] - value);
        const bool right = error <= bound; /* false for NaN */
        if (!right && v->wrong++ < MOST_SHOWN)
            printf("%s %s[%zu] is %.9g; PyTorch has %.9g, and %.2g more or less is allowed\n",
                   pre ? "pre" : "post", name, i, got[i], value, bound);
        if (!isnan(v->share) && !(error <= v->share * bound)) {
            v->share = error / bound;
            snprintf(v->worst, sizeof(v->worst), "%s", name);
        }
    }
    v->compared += n;
}

static void compare_gradients(const struct tf_fixture *f, const struct tf_shape *shape,
                              const float *gradients, struct verdict *v)
{
    for (uint64_t block = 0; block <= shape->depth; block++)
        for (int p = 0; p < tf_count(shape, block); p++) {
            const struct tf_place place = tf_place(shape, block, p);
            char name[TF_NAME_BYTES];
            tf_name(shape, block, p, name);
            compare(f, shape->pre, name, gradients + place.offset, place.rows * place.cols, v);
        }
}

static void run(const struct tf_fixture *f, struct tf_stack *stack, struct verdict *v)
{
    const bool pre = stack->shape.pre;
    const size_t rows = tf_elements(&stack->shape, TF_Y), all = tf_parameters(&stack->shape);
    float *result = ex_alloc(rows + all, sizeof(float));
    ex_write(stack->device, stack->parameters, 0, all * sizeof(float), f->parameters);
    tf_forward(stack, f->x, result);
    compare(f, pre, "y", result, rows, v);
    tf_backward(stack, f->dy, result);
    compare(f, pre, "dx", result, rows, v);
    ex_read(stack->device, stack->gradients, 0, all * sizeof(float), result);
    compare_gradients(f, &stack->shape, result, v);
    free(result);
}

bool tf_check(struct tf_kernels *kernels, const struct tf_fixture *fixture, bool pre)
{
    struct tf_stack stack;
    struct tf_shape shape = fixture->shape;
    struct verdict v = {0};
    shape.pre = pre;
    tf_open(&stack, kernels, &shape);
    run(fixture, &stack, &v);
    tf_close(&stack);
    printf("%s: %zu numbers, %zu wrong; the largest error is %.3g of its bound, in %s\n",
           pre ? "Pre-LN" : "Post-LN", v.compared, v.wrong, v.share, v.worst);
    return v.wrong == 0;
}

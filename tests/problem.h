/* SPDX-License-Identifier: MIT */
/* Inputs of one kind, results of float_norm for them, and what the checker says. */
#ifndef CLNORM_TESTS_PROBLEM_H
#define CLNORM_TESTS_PROBLEM_H

#include <stdlib.h>

#include "check/inputs.h"
#include "float_norm.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SEED 31

/* A problem in storage types, with the same numbers as floats for float_norm. */
typedef struct {
    clnorm_desc desc;
    uint64_t rows;
    void *x, *y, *weight, *bias;
    float *mean, *rstd, *float_x, *float_weight, *float_bias;
} problem;

static inline void *array_of(uint64_t count)
{
    void *array = calloc(count, sizeof(double));
    assert_non_null(array);
    return array;
}

static inline void as_floats(clnorm_dtype dtype, const void *from, float *to, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        to[i] = (float)clnorm_load(dtype, from, i);
}

static inline problem problem_make(const char *kind, clnorm_desc desc, uint64_t rows)
{
    const uint64_t count = rows * desc.cols;
    problem p = {desc,
                 rows,
                 array_of(count),
                 array_of(count),
                 array_of(desc.cols),
                 array_of(desc.cols),
                 array_of(rows),
                 array_of(rows),
                 array_of(count),
                 array_of(desc.cols),
                 array_of(desc.cols)};
    clnorm_input_fill(clnorm_input_find(kind), desc.x_dtype, rows, desc.cols, SEED, p.x);
    clnorm_weight_fill(desc.param_dtype, desc.cols, SEED, p.weight);
    clnorm_bias_fill(desc.param_dtype, desc.cols, SEED, p.bias);
    as_floats(desc.x_dtype, p.x, p.float_x, count);
    as_floats(desc.param_dtype, p.weight, p.float_weight, desc.cols);
    as_floats(desc.param_dtype, p.bias, p.float_bias, desc.cols);
    return p;
}

static inline void problem_free(problem *p)
{
    void *arrays[] = {p->x,    p->y,       p->weight,       p->bias,      p->mean,
                      p->rstd, p->float_x, p->float_weight, p->float_bias};
    for (size_t i = 0; i < COUNT(arrays); i++)
        free(arrays[i]);
}

static inline clnorm_host_args args_of(const problem *p)
{
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.y.data = p->y;
    args.mean.data = p->mean;
    args.rstd.data = p->rstd;
    args.x.data = p->x;
    args.weight.data = p->weight;
    args.bias.data = p->bias;
    return args;
}

static inline clnorm_verdict verdict_of(const problem *p, unsigned depth)
{
    const clnorm_host_args args = args_of(p);
    clnorm_verdict verdict = CLNORM_VERDICT_INIT;
    assert_int_equal(
        clnorm_verify(&p->desc, CLNORM_FORWARD, depth, p->rows, 0, &args, NULL, &verdict, NULL),
        CLNORM_OK);
    assert_int_equal(verdict.compared, p->rows * p->desc.cols + 2 * p->rows);
    return verdict;
}

static inline clnorm_verdict verdict_of_floats(problem *p, mistake wrong)
{
    float_norm(&p->desc, wrong, p->y, p->mean, p->rstd, p->float_x, p->float_weight, p->float_bias,
               p->rows);
    return verdict_of(p, float_norm_depth(p->desc.cols));
}

static inline clnorm_desc desc_of(clnorm_kind kind, clnorm_dtype x, clnorm_dtype y, uint64_t cols,
                                  double eps)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    desc.kind = kind;
    desc.x_dtype = x;
    desc.y_dtype = y;
    desc.cols = cols;
    desc.eps = eps;
    return desc;
}

#endif

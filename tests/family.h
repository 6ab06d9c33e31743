/* SPDX-License-Identifier: MIT */
/* A descriptor of any operator with all of its tensors: random inputs, and what the reference makes
 * of them. */
#ifndef CLNORM_TESTS_FAMILY_H
#define CLNORM_TESTS_FAMILY_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/desc.h"
#include "base/dtype.h"
#include "base/random.h"
#include "base/tensor.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct {
    clnorm_desc asked, desc; /* desc: resolved */
    uint64_t rows;
    double first; /* least |x| */
    void *in[TENSOR_COUNT]; /* inputs of both directions, of their dtypes */
    double *out[2][TENSOR_COUNT]; /* outputs of the reference */
} family;

static inline clnorm_tensor_use family_use(const family *f, clnorm_direction direction, int id)
{
    return clnorm_tensor_use_of(&f->desc, direction, (clnorm_tensor_id)id, f->rows);
}

static inline uint64_t family_count(const family *f, clnorm_direction direction, int id)
{
    const clnorm_tensor_use use = family_use(f, direction, id);
    return use.rows * use.cols;
}

/* Away from 0, where |x| has a corner and a divisor may be; positive where it must be. */
static inline void family_fill(const family *f, clnorm_dtype dtype, int id, uint64_t count,
                               uint64_t seed, void *data)
{
    clnorm_random random = clnorm_random_seed(seed, (uint64_t)id);
    const bool positive = id == TENSOR_rstd || id == TENSOR_running_var || id == TENSOR_qscale;
    for (uint64_t i = 0; i < count; i++) {
        const double normal = clnorm_random_normal(&random);
        const double value = copysign(0.2 + fabs(normal), positive ? 1 : normal);
        clnorm_store(dtype, data, i, id == TENSOR_qscale ? 0.03 : value * f->first);
    }
}

static inline family family_make(const clnorm_desc *desc, uint64_t rows, uint64_t seed)
{
    family f = {.asked = *desc, .rows = rows, .first = 1};
    clnorm_error error;
    if (clnorm_desc_resolve(desc, &f.desc, &error) != CLNORM_OK)
        fail_msg("%s", error.text);
    for (int way = CLNORM_FORWARD; way <= CLNORM_BACKWARD; way++)
        for (int id = 0; id < TENSOR_COUNT; id++) {
            const clnorm_tensor_use use = family_use(&f, (clnorm_direction)way, id);
            const uint64_t count = use.rows * use.cols;
            const bool output = use.role == CLNORM_OUTPUT || use.role == CLNORM_IN_OUT;
            const bool made = way == CLNORM_BACKWARD && id < TENSOR_x && f.desc.stats == 0;
            if (output)
                f.out[way][id] = calloc(count + 1, sizeof(double));
            if (use.role == CLNORM_INPUT && !f.in[id] && !made) {
                f.in[id] = calloc(count + 1, sizeof(double));
                family_fill(&f, use.dtype, id, count, seed, f.in[id]);
            }
        }
    return f;
}

static inline void family_free(family *f)
{
    for (int id = 0; id < TENSOR_COUNT; id++) {
        free(f->in[id]);
        free(f->out[0][id]);
        free(f->out[1][id]);
    }
}

/* Inputs that the direction needs; outputs of the reference, as inputs where they are. */
static inline clnorm_host_args family_args(family *f, clnorm_direction direction)
{
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.seed = 77;
    args.first_row = 5;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use use = family_use(f, direction, id);
        void *data = use.role == CLNORM_INPUT ? f->in[id] : f->out[direction][id];
        if (use.role == CLNORM_INPUT && use.required && !data)
            data = f->out[CLNORM_FORWARD][id]; /* f64 only */
        if (use.role != CLNORM_UNUSED)
            clnorm_host_array_set(&args, (clnorm_tensor_id)id, data, 0);
    }
    return args;
}

static inline void family_run(family *f, clnorm_direction direction)
{
    clnorm_error error;
    const clnorm_host_args args = family_args(f, direction);
    if (clnorm_reference(&f->asked, direction, f->rows, &args, &error) != CLNORM_OK)
        fail_msg("%s", error.text);
}

#endif

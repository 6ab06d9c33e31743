/* SPDX-License-Identifier: MIT */
#include "check/recurrent.h"

#include "base/dtype.h"
#include "base/status.h"
#include "reference/recurrent.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    clnorm_recurrent_evaluation e;
    const float *const *got;
    clnorm_recurrent_verdict *verdict;
} comparison;

static clnorm_recurrent_use use_of(const comparison *c, clnorm_recurrent_id id)
{
    return clnorm_recurrent_use_of(&c->e.desc, c->e.direction, id, c->e.steps, c->e.batch);
}

static bool is_compared(const comparison *c, clnorm_recurrent_id id)
{
    return c->got[id] && use_of(c, id).role == CLNORM_OUTPUT;
}

/* ---- one element --------------------------------------------------------------------------- */

/* 0 and infinity for what is not finite, right or wrong. */
static double share_of(double got, double expected, double bound)
{
    const double error = fabs(got - expected);
    if (!isfinite(expected) || !isfinite(got))
        return (isnan(got) && isnan(expected)) || got == expected ? 0 : INFINITY;
    if (isnan(bound))
        return INFINITY;
    return error == 0 ? 0 : error / bound;
}

static void compare(comparison *c, clnorm_recurrent_id id, uint64_t i, double expected,
                    double bound)
{
    clnorm_recurrent_verdict *v = c->verdict;
    const clnorm_recurrent_use use = use_of(c, id);
    const double share = share_of(c->got[id][i], expected, bound);
    const uint64_t row = i / use.cols;
    const bool sequence = id == RECURRENT_y || id == RECURRENT_dx;
    v->compared++;
    v->wrong += share > 1;
    if (v->worst_tensor && !(share > v->max_bound_share))
        return;
    *v = (clnorm_recurrent_verdict){
        .compared = v->compared,
        .wrong = v->wrong,
        .max_ulp = v->max_ulp,
        .max_bound_share = share,
        .worst_tensor = clnorm_recurrent_tensor_name(id),
        .worst_step = sequence ? row / c->e.batch : 0,
        .worst_row = sequence ? row % c->e.batch : row,
        .worst_col = i % use.cols,
        .worst_got = c->got[id][i],
        .worst_expected = expected,
        .worst_bound = bound,
    };
}

/* ---- all of them --------------------------------------------------------------------------- */

/* In args and bounds: no outputs, then one array of each tensor that is compared. */
static clnorm_status allocate(comparison *c, clnorm_error *error)
{
    for (int i = 0; i < RECURRENT_COUNT; i++) {
        const clnorm_recurrent_id id = (clnorm_recurrent_id)i;
        const clnorm_recurrent_use use = use_of(c, id);
        const bool compared = is_compared(c, id);
        if (use.role == CLNORM_INPUT && id != RECURRENT_y)
            continue;
        double *const values = compared ? calloc(use.rows * use.cols, sizeof(double)) : NULL;
        double *const bounds = compared ? calloc(use.rows * use.cols, sizeof(double)) : NULL;
        clnorm_recurrent_host_array_set(&c->e.args, id, values);
        clnorm_recurrent_host_array_set(&c->e.bounds, id, bounds);
        if (compared && (!values || !bounds))
            return clnorm_fail(
                error, CLNORM_OUT_OF_MEMORY, "no host memory for %llu elements of %s",
                (unsigned long long)(use.rows * use.cols), clnorm_recurrent_tensor_name(id));
    }
    return CLNORM_OK;
}

static void note_ulps(comparison *c, clnorm_recurrent_id id, const double *expected, uint64_t count)
{
    double largest = id == RECURRENT_y ? 1 : 0;
    for (uint64_t i = 0; id == RECURRENT_dx && i < count; i++)
        largest = fmax(largest, fabs(expected[i]));
    for (uint64_t i = 0; i < count; i++) {
        const double size = fmax(largest, fabs(expected[i]));
        const double error = fabs(c->got[id][i] - expected[i]);
        if (error > 0)
            c->verdict->max_ulp =
                fmax(c->verdict->max_ulp, error / clnorm_dtype_ulp(CLNORM_F32, size));
    }
}

static void compare_all(comparison *c)
{
    for (int i = 0; i < RECURRENT_COUNT; i++) {
        const clnorm_recurrent_id id = (clnorm_recurrent_id)i;
        const clnorm_recurrent_use use = use_of(c, id);
        const double *const values = clnorm_recurrent_host_array(&c->e.args, id);
        const double *const bounds = clnorm_recurrent_host_array(&c->e.bounds, id);
        for (uint64_t at = 0; is_compared(c, id) && at < use.rows * use.cols; at++)
            compare(c, id, at, values[at], bounds[at]);
        if (is_compared(c, id) && (id == RECURRENT_y || id == RECURRENT_dx))
            note_ulps(c, id, values, use.rows * use.cols);
    }
}

static void release(comparison *c)
{
    for (int i = 0; i < RECURRENT_COUNT; i++) {
        const clnorm_recurrent_id id = (clnorm_recurrent_id)i;
        if (is_compared(c, id)) {
            free(clnorm_recurrent_host_array(&c->e.args, id));
            free(clnorm_recurrent_host_array(&c->e.bounds, id));
        }
    }
}

/* What the device had for y is what its h was, and no output of the caller's is written. */
static clnorm_recurrent_host_args without_outputs(const clnorm_recurrent_desc *desc,
                                                  const clnorm_recurrent_host_args *inputs)
{
    clnorm_recurrent_host_args args = *inputs;
    for (int i = 0; i < RECURRENT_COUNT; i++) {
        const clnorm_recurrent_id id = (clnorm_recurrent_id)i;
        const bool input =
            clnorm_recurrent_use_of(desc, CLNORM_BACKWARD, id, 1, 1).role == CLNORM_INPUT;
        if (!input || id == RECURRENT_y)
            clnorm_recurrent_host_array_set(&args, id, NULL);
    }
    return args;
}

clnorm_status clnorm_recurrent_verify(const clnorm_recurrent_desc *desc, clnorm_direction direction,
                                      uint64_t steps, uint64_t batch,
                                      const clnorm_recurrent_host_args *inputs,
                                      const float *const got[RECURRENT_COUNT],
                                      clnorm_recurrent_verdict *verdict, clnorm_error *error)
{
    clnorm_status status =
        clnorm_recurrent_reference_check(desc, direction, steps, batch, inputs, error);
    *verdict = (clnorm_recurrent_verdict){0};
    if (status != CLNORM_OK)
        return status;
    if (!got[RECURRENT_y])
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "y is NULL; allowed is what the device had for it");
    comparison c = {.e = {.desc = *desc,
                          .direction = direction,
                          .steps = steps,
                          .batch = batch,
                          .args = without_outputs(desc, inputs),
                          .given_y = got[RECURRENT_y],
                          .bounds = CLNORM_RECURRENT_HOST_ARGS_INIT},
                    .got = got,
                    .verdict = verdict};
    status = allocate(&c, error);
    if (status == CLNORM_OK)
        status = clnorm_recurrent_evaluate(&c.e, error);
    if (status == CLNORM_OK)
        compare_all(&c);
    release(&c);
    return status;
}

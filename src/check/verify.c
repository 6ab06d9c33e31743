/* SPDX-License-Identifier: MIT */
#include "base/desc.h"
#include "base/dtype.h"
#include "base/status.h"
#include "check/bounds.h"

#include <math.h>

#define BLOCK CLNORM_REFERENCE_BLOCK

/* Which tensor an element belongs to, and where it is. */
typedef struct {
    const char *tensor;
    clnorm_dtype dtype;
    double largest; /* of dtype */
    uint64_t row, col;
} place;

static void found(clnorm_verdict *verdict, place at, double got, double expected, double bound,
                  double share)
{
    verdict->wrong += share > 1;
    if (!(share > verdict->max_bound_share))
        return;
    verdict->max_bound_share = share;
    verdict->worst_tensor = at.tensor;
    verdict->worst_row = at.row;
    verdict->worst_col = at.col;
    verdict->worst_got = got;
    verdict->worst_expected = expected;
    verdict->worst_bound = bound;
}

/* For what is not finite or beyond the type. NaN belongs to NaN. A result is infinite where the
 * exact one is, or may or must be where the exact one is rounded to infinity, give or take what the
 * arithmetic may be off. */
static int is_right(place at, double got, double expected, clnorm_bound bound)
{
    if (isnan(expected) || isnan(got))
        return isnan(expected) && isnan(got);
    if (isinf(expected))
        return got == expected;
    const double off = copysign(bound.arithmetic, expected);
    if (isinf(got))
        return got == clnorm_dtype_round(at.dtype, expected + off);
    return isfinite(clnorm_dtype_round(at.dtype, expected - off)) &&
           fabs(got - expected) <= bound.total;
}

/* |got - expected|, or 0 for a right result that is not finite, infinity for a wrong one. */
static double compare(clnorm_verdict *verdict, place at, double got, double expected,
                      clnorm_bound bound)
{
    const double error = fabs(got - expected);
    verdict->compared++;
    if (isfinite(error) && fabs(expected) <= at.largest) {
        if (error > bound.total || error > verdict->max_bound_share * bound.total)
            found(verdict, at, got, expected, bound.total, error / bound.total);
        return error;
    }
    if (is_right(at, got, expected, bound))
        return isfinite(error) ? error : 0;
    found(verdict, at, got, expected, bound.total, INFINITY);
    return INFINITY;
}

/* The first tests are cheap; what they let through is rare once a few elements were seen. */
static void note_error(clnorm_verdict *verdict, clnorm_dtype dtype, double unit, double error,
                       double expected, double weight)
{
    const double size = fmax(fabs(expected), fabs(weight));
    if (error > verdict->max_error)
        verdict->max_error = error;
    if (error > verdict->max_scaled_error * (1 + fabs(expected)))
        verdict->max_scaled_error = error / (1 + fabs(expected));
    if (error > verdict->max_ulp * unit * size) {
        const double ulps = error / clnorm_dtype_ulp(dtype, size);
        if (ulps > verdict->max_ulp)
            verdict->max_ulp = ulps;
    }
}

static void verify_y(const clnorm_desc *desc, const clnorm_host_args *args, uint64_t y_first,
                     uint64_t x_first, uint64_t row, const clnorm_reference_stats *stats,
                     const clnorm_row_bounds *bounds, clnorm_verdict *verdict)
{
    double x[BLOCK], weight[BLOCK], bias[BLOCK], got[BLOCK], expected[BLOCK];
    for (size_t i = 0; i < BLOCK; i++)
        weight[i] = 1, bias[i] = 0;
    const double largest = clnorm_dtype_max(desc->y_dtype);
    for (uint64_t col = 0; col < desc->cols; col += BLOCK) {
        const size_t n = desc->cols - col < BLOCK ? (size_t)(desc->cols - col) : BLOCK;
        clnorm_load_n(desc->x_dtype, args->x, x_first + col, x, n);
        clnorm_load_n(desc->y_dtype, args->y, y_first + col, got, n);
        if (args->weight)
            clnorm_load_n(desc->param_dtype, args->weight, col, weight, n);
        if (args->bias)
            clnorm_load_n(desc->param_dtype, args->bias, col, bias, n);
        clnorm_reference_normalize(expected, x, weight, bias, n, stats);
        for (size_t i = 0; i < n; i++) {
            const clnorm_bound bound = clnorm_bound_of_y(bounds, expected[i], weight[i], bias[i]);
            const place at = {"y", desc->y_dtype, largest, row, col + i};
            const double error = compare(verdict, at, got[i], expected[i], bound);
            note_error(verdict, desc->y_dtype, bounds->storage_unit, error, expected[i], weight[i]);
        }
    }
}

static void verify_statistic(const char *tensor, clnorm_dtype dtype, const void *array,
                             uint64_t row, uint64_t first_row, double expected, clnorm_bound bound,
                             clnorm_verdict *verdict)
{
    const place at = {tensor, dtype, clnorm_dtype_max(dtype), first_row + row, 0};
    if (array)
        compare(verdict, at, clnorm_load(dtype, array, row), expected, bound);
}

static clnorm_status check_structs(const clnorm_host_args *args, const clnorm_verdict *verdict,
                                   clnorm_error *error)
{
    if (!args || args->struct_size != sizeof(*args))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "args->struct_size is %zu; allowed is %zu: use CLNORM_HOST_ARGS_INIT",
                           args ? args->struct_size : 0, sizeof(*args));
    if (!verdict || verdict->struct_size != sizeof(*verdict))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "verdict->struct_size is %zu; allowed is %zu: use CLNORM_VERDICT_INIT",
                           verdict ? verdict->struct_size : 0, sizeof(*verdict));
    if (args->y && args->y == args->x)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "y is x; allowed is a y of its own: the reference needs the input");
    return CLNORM_OK;
}

clnorm_status clnorm_verify_forward(const clnorm_desc *desc, unsigned depth,
                                    const clnorm_host_args *args, uint64_t rows, uint64_t first_row,
                                    clnorm_verdict *verdict, clnorm_error *error)
{
    clnorm_status status = clnorm_desc_check(desc, error);
    if (status == CLNORM_OK)
        status = check_structs(args, verdict, error);
    if (status != CLNORM_OK)
        return status;
    uint64_t y_stride = args->y_stride, x_stride = args->x_stride;
    const uint64_t cols = desc->cols;
    status = clnorm_host_tensor_check("y", desc->y_dtype, args->y, rows, cols, &y_stride, error);
    if (status == CLNORM_OK)
        status =
            clnorm_host_tensor_check("x", desc->x_dtype, args->x, rows, cols, &x_stride, error);
    if (status != CLNORM_OK)
        return status;
    const clnorm_dtype type = clnorm_stats_dtype(desc);
    for (uint64_t row = 0; row < rows; row++) {
        const clnorm_reference_stats stats =
            clnorm_reference_row_stats(desc, args->x, row * x_stride);
        const clnorm_row_bounds bounds = clnorm_bounds_of_row(desc, depth, &stats);
        verify_y(desc, args, row * y_stride, row * x_stride, first_row + row, &stats, &bounds,
                 verdict);
        verify_statistic("mean", type, args->mean, row, first_row, (double)(stats.hi + stats.lo),
                         bounds.mean, verdict);
        verify_statistic("rstd", type, args->rstd, row, first_row, (double)stats.rstd, bounds.rstd,
                         verdict);
    }
    return CLNORM_OK;
}

/* SPDX-License-Identifier: MIT */
#include "base/desc.h"
#include "base/dtype.h"
#include "base/status.h"
#include "check/bounds.h"
#include "check/verify.h"

#include <math.h>

/* Which tensor an element belongs to, and where it is. */
typedef struct {
    const char *tensor;
    clnorm_dtype dtype;
    double largest; /* of dtype */
    uint64_t row, col;
} place;

typedef struct {
    clnorm_evaluation e;
    clnorm_output got[TENSOR_COUNT];
    unsigned depth;
    uint64_t first_row;
    double codes; /* sum of the i8 elements of the row so far */
    clnorm_verify_more more;
    clnorm_verdict *verdict;
} comparison;

/* ---- one element --------------------------------------------------------------------------- */

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
static bool is_right(place at, double got, double expected, clnorm_bound bound)
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
    if (isfinite(error) && fabs(expected) <= at.largest && bound.total >= 0) {
        if (error > bound.total || error > verdict->max_bound_share * bound.total)
            found(verdict, at, got, expected, bound.total, error / bound.total);
        return error;
    }
    if (is_right(at, got, expected, bound))
        return isfinite(error) ? error : 0;
    found(verdict, at, got, expected, bound.total, INFINITY);
    return INFINITY;
}

static void note_error(clnorm_verdict *verdict, double error, double expected)
{
    if (error > verdict->max_error)
        verdict->max_error = error;
    if (error > verdict->max_scaled_error * (1 + fabs(expected)))
        verdict->max_scaled_error = error / (1 + fabs(expected));
}

static void count_ulps(uint64_t *counts, double ulps)
{
    unsigned bin = 0;
    for (double limit = 0.5; bin < CLNORM_ULP_BINS - 1 && !(ulps <= limit); limit *= 2)
        bin++;
    counts[bin]++;
}

/* The first test is cheap; what it lets through is rare once a few elements were seen. An ulp is at
 * least unit * size. */
static void note_ulps(const comparison *c, clnorm_dtype dtype, double unit, double error,
                      double size)
{
    clnorm_verdict *verdict = c->verdict;
    if (!c->more.ulp_counts && !(error > verdict->max_ulp * unit * size))
        return;
    const double ulps = error > 0 ? error / clnorm_dtype_ulp(dtype, size) : 0;
    if (ulps > verdict->max_ulp)
        verdict->max_ulp = ulps;
    if (c->more.ulp_counts)
        count_ulps(c->more.ulp_counts, ulps);
}

/* ---- a block of results -------------------------------------------------------------------- */

static uint64_t index_of(const comparison *c, clnorm_tensor_id id, uint64_t row, uint64_t col)
{
    return clnorm_result_index(&c->e.uses[id], c->got[id].stride, c->e.rows, row, col);
}

static place place_of(const comparison *c, const clnorm_results *r)
{
    const clnorm_tensor_use *use = &c->e.uses[r->tensor];
    return (place){
        .tensor = clnorm_tensor_name(r->tensor),
        .dtype = use->dtype,
        .largest = clnorm_dtype_max(use->dtype),
        .row = use->extent == CLNORM_ROWS ? c->first_row + r->row : r->row,
        .col = r->col,
    };
}

static void compare_numbers(comparison *c, const clnorm_results *r, const double *got,
                            clnorm_bounds bounds)
{
    const bool noted = r->tensor == TENSOR_y || r->tensor == TENSOR_dx;
    const double unit = clnorm_dtype_unit(c->e.uses[r->tensor].dtype);
    place at = place_of(c, r);
    for (size_t i = 0; i < r->n; i++, at.col++) {
        const clnorm_bound bound = clnorm_bound_at(&bounds, r, i);
        const double error = compare(c->verdict, at, got[i], r->value[i], bound);
        if (!noted)
            continue;
        note_error(c->verdict, error, r->value[i]);
        note_ulps(c, at.dtype, unit, error, fmax(fabs(r->value[i]), r->scale ? r->scale[i] : 0));
    }
}

/* The scale and zero point of an element of y, as the device gave or got them. */
static void read_scale(const comparison *c, uint64_t row, uint64_t col, double *scale, double *zero)
{
    const clnorm_desc *d = &c->e.desc;
    const uint64_t which = d->quant == CLNORM_QUANT_GROUP ? col / d->quant_group : 0;
    *scale =
        clnorm_load(CLNORM_F32, c->got[TENSOR_qscale].data, index_of(c, TENSOR_qscale, row, which));
    *zero = d->quant_asymmetric ? clnorm_load(CLNORM_I8, c->got[TENSOR_qzero].data,
                                              index_of(c, TENSOR_qzero, row, which))
                                : 0;
}

/* A code is right if it is the nearest one to a number within the bound of the exact one. Gives the
 * difference. */
static double compare_code(comparison *c, place at, double got, double exact, double off)
{
    const double most = at.largest, least = at.dtype == CLNORM_I8 ? -128 : -most;
    if (isnan(exact) && at.dtype == CLNORM_I8)
        exact = off = 0;
    const double expected = isnan(exact) ? exact : fmin(fmax(exact, least), most);
    const double half = isnan(exact) ? 0 : clnorm_dtype_ulp(at.dtype, fabs(expected) + off) / 2;
    return compare(c->verdict, at, got, expected, (clnorm_bound){off, half + off});
}

static void compare_codes(comparison *c, const clnorm_results *r, const double *got,
                          clnorm_bounds bounds)
{
    double scale = 1, zero = 0;
    place at = place_of(c, r);
    const bool is_y = r->tensor == TENSOR_y;
    if (is_y && r->col == 0)
        c->codes = 0;
    if (is_y) /* a block has one scale */
        read_scale(c, r->row, r->col, &scale, &zero);
    for (size_t i = 0; i < r->n; i++, at.col++) {
        /* y / scale rounds twice: the reciprocal and the product */
        const double off = clnorm_bound_at(&bounds, r, i).arithmetic / scale;
        const double exact = r->value[i] / scale;
        const double error =
            compare_code(c, at, got[i], exact + zero, off + 3 * c->e.unit * fabs(exact));
        if (!is_y)
            continue;
        note_error(c->verdict, error * scale, r->value[i]);
        note_ulps(c, at.dtype, 0, error, fabs(exact + zero));
        c->codes += got[i];
    }
}

static void compare_block(void *user, const clnorm_results *r)
{
    comparison *c = user;
    const clnorm_dtype dtype = c->e.uses[r->tensor].dtype;
    double got[CLNORM_BLOCK];
    clnorm_load_n(dtype, c->got[r->tensor].data, index_of(c, r->tensor, r->row, r->col), got, r->n);
    clnorm_bounds bounds = clnorm_bounds_of(&c->e, c->depth, r);
    if (r->tensor == TENSOR_qsum) {
        compare(c->verdict, place_of(c, r), got[0], c->codes, (clnorm_bound){0, 0});
        return;
    }
    if (dtype >= CLNORM_I8) {
        compare_codes(c, r, got, bounds);
        return;
    }
    if (r->tensor == TENSOR_sum && c->e.desc.contract == CLNORM_SUM_ROUNDED)
        bounds = (clnorm_bounds){.lost = c->e.floor}; /* the same bits */
    compare_numbers(c, r, got, bounds);
}

/* ---- arguments ----------------------------------------------------------------------------- */

static clnorm_status check_apart(const clnorm_desc *desc, clnorm_direction direction,
                                 const clnorm_host_args *args, clnorm_error *error)
{
    clnorm_role role[TENSOR_COUNT];
    for (int id = 0; id < TENSOR_COUNT; id++)
        role[id] = clnorm_tensor_use_of(desc, direction, (clnorm_tensor_id)id, 1).role;
    for (int out = 0; out < TENSOR_COUNT; out++)
        for (int in = 0; in < TENSOR_COUNT; in++) {
            const void *data = clnorm_host_array(args, (clnorm_tensor_id)out).data;
            if (role[out] == CLNORM_OUTPUT && role[in] == CLNORM_INPUT && data &&
                data == clnorm_host_array(args, (clnorm_tensor_id)in).data)
                return clnorm_fail(
                    error, CLNORM_BAD_ARGS,
                    "%s is %s; allowed is an array of its own: the reference needs the input",
                    clnorm_tensor_name((clnorm_tensor_id)out),
                    clnorm_tensor_name((clnorm_tensor_id)in));
        }
    return CLNORM_OK;
}

/* What an output was before the call takes its place among the inputs. */
static clnorm_status read_before(comparison *c, const clnorm_host_args *before, clnorm_error *error)
{
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const char *const name = clnorm_tensor_name((clnorm_tensor_id)id);
        if (c->e.uses[id].role != CLNORM_IN_OUT || !c->e.arrays[id].data)
            continue;
        if (before && before->struct_size != sizeof(*before))
            return clnorm_fail(error, CLNORM_BAD_ARGS,
                               "before->struct_size is %zu; allowed is %zu: use "
                               "CLNORM_HOST_ARGS_INIT",
                               before->struct_size, sizeof(*before));
        if (!before || !clnorm_host_array(before, (clnorm_tensor_id)id).data)
            return clnorm_fail(error, CLNORM_BAD_ARGS,
                               "before has no %s; allowed is what it was before the call", name);
        c->e.arrays[id] = clnorm_host_array(before, (clnorm_tensor_id)id);
    }
    return CLNORM_OK;
}

/* c: depth, first_row, more and verdict. */
static clnorm_status verify(comparison *c, const clnorm_desc *desc, clnorm_direction direction,
                            uint64_t rows, const clnorm_host_args *args,
                            const clnorm_host_args *before, clnorm_error *error)
{
    const clnorm_verdict *verdict = c->verdict;
    clnorm_desc resolved;
    clnorm_status status = clnorm_reference_check(desc, direction, rows, args, &resolved, error);
    if (status != CLNORM_OK)
        return status;
    if (!verdict || verdict->struct_size != sizeof(*verdict))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "verdict->struct_size is %zu; allowed is %zu: use CLNORM_VERDICT_INIT",
                           verdict ? verdict->struct_size : 0, sizeof(*verdict));
    status = check_apart(&resolved, direction, args, error);
    if (status != CLNORM_OK)
        return status;
    clnorm_evaluation_init(&c->e, &resolved, direction, rows, args);
    for (int id = 0; id < TENSOR_COUNT; id++)
        c->got[id] = c->e.arrays[id];
    status = read_before(c, before, error);
    if (status != CLNORM_OK)
        return status;
    c->e.slack = clnorm_bound_of_normal(&c->e, c->depth);
    c->e.all_rows = c->more.all_rows;
    c->e.emit = compare_block;
    c->e.user = c;
    return clnorm_evaluate(&c->e, error);
}

clnorm_status clnorm_verify(const clnorm_desc *desc, clnorm_direction direction, unsigned depth,
                            uint64_t rows, uint64_t first_row, const clnorm_host_args *args,
                            const clnorm_host_args *before, clnorm_verdict *verdict,
                            clnorm_error *error)
{
    comparison c = {.depth = depth, .first_row = first_row, .verdict = verdict};
    return verify(&c, desc, direction, rows, args, before, error);
}

clnorm_status clnorm_verify_more_of(const clnorm_desc *desc, clnorm_direction direction,
                                    unsigned depth, uint64_t rows, const clnorm_host_args *args,
                                    const clnorm_verify_more *more, clnorm_verdict *verdict,
                                    clnorm_error *error)
{
    comparison c = {.depth = depth, .more = *more, .verdict = verdict};
    return verify(&c, desc, direction, rows, args, NULL, error);
}

/* SPDX-License-Identifier: MIT */
#include "check/bounds.h"

#include "base/dtype.h"

/* Units of roundoff that `grown` counts: base + over_set * D + over_rows * D_r, where D is the
 * depth of a sum over a set and D_r that of a sum over rows. A chain of D additions has a relative
 * error of D units at worst, and of less than half in rows tried so far. */
typedef struct {
    double base, over_set, over_rows;
} growth;

static const growth growths[TENSOR_COUNT] = {
    [TENSOR_y] = {10, 0.5, 0},           [TENSOR_mean] = {4, 0.5, 0},
    [TENSOR_rstd] = {7, 0.5, 0}, /* and one of its store */
    [TENSOR_running_mean] = {8, 0.5, 0}, [TENSOR_running_var] = {8, 0.5, 0},
    [TENSOR_qscale] = {10, 0.5, 0}, /* that of a y */
    [TENSOR_qzero] = {10, 0.5, 0},       [TENSOR_dx] = {12, 1, 0},
    [TENSOR_dresidual] = {12, 1, 0},     [TENSOR_dz] = {12, 1, 0},
    [TENSOR_dx_bias] = {12, 1, 0.5}, /* a sum of dx */
    [TENSOR_dgate] = {12, 1, 0.5},       [TENSOR_dweight] = {10, 0.5, 0.5},
    [TENSOR_dbias] = {4, 0.5, 0.5}, /* of channels: first over a sample, then over samples */
    [TENSOR_dscale] = {10, 0.5, 0.5},    [TENSOR_dshift] = {4, 0, 0.5},
    [TENSOR_dmean] = {12, 1, 0},         [TENSOR_drstd] = {12, 1, 0},
};

/* A work-item alone adds up a set that is scaled: blocks of 64, two folds, up to 16 lanes. */
enum { DEPTH_ALONE = 64 + 2 + 4 };
/* Rows are added up in runs of 64, and those in blocks of 64 that are folded into two floats. */
enum { RUN_OF_ROWS = 64, FOLDS = 2 };

/* OpenCL's pow may be off by 16 units of the last place, 32 of roundoff: once for each |x|^p, where
 * the root divides it by p, once for the root, and once for |x|^(p - 1). */
static double of_powers(const clnorm_desc *desc, double base)
{
    if (desc->p == 1 || desc->p == 2)
        return base;
    return base + 32 / desc->p + 32 + 32;
}

static double depth_of_rows(uint64_t terms)
{
    if (terms <= RUN_OF_ROWS)
        return (double)terms + FOLDS;
    const uint64_t runs = (terms + RUN_OF_ROWS - 1) / RUN_OF_ROWS;
    return RUN_OF_ROWS + (double)(runs < RUN_OF_ROWS ? runs : RUN_OF_ROWS) + FOLDS;
}

static double depth_of_set(unsigned depth, bool rescued)
{
    return rescued && depth < DEPTH_ALONE ? DEPTH_ALONE : depth;
}

clnorm_bounds clnorm_bounds_of(const clnorm_evaluation *e, unsigned depth, const clnorm_results *r)
{
    const growth *g = &growths[r->tensor];
    const clnorm_dtype dtype = e->uses[r->tensor].dtype;
    const double base = of_powers(&e->desc, g->base);
    const double over_rows = g->over_rows * depth_of_rows(r->terms);
    const double units = base + g->over_set * depth_of_set(depth, r->rescued) + over_rows;
    /* The reference makes the same steps in its own unit. */
    const double own = (base + (double)r->chain / 2) * clnorm_reference_unit();
    const bool codes = dtype >= CLNORM_I8;
    return (clnorm_bounds){
        .grown = units * e->unit + own,
        .rounded = e->unit,
        .lost = e->floor,
        .storage_unit = codes ? 0 : clnorm_dtype_unit(dtype),
        .storage_tiny = codes ? 0 : clnorm_dtype_tiny(dtype),
    };
}

double clnorm_bound_of_normal(const clnorm_evaluation *e, unsigned depth)
{
    const growth *g = &growths[TENSOR_y];
    return (g->base + g->over_set * depth_of_set(depth, true)) * e->unit;
}

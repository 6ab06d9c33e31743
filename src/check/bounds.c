/* SPDX-License-Identifier: MIT */
#include "check/bounds.h"

#include "base/dtype.h"

#include <math.h>

/* Devices may flush subnormal floats to zero, but not subnormal doubles: `floor` is a few times
 * the smallest normal float, or the smallest double. A difference that is lost there counts rstd
 * times in y. row_norm.cl scales rows with a larger rstd than `most_rstd` up, so that nothing is
 * lost, and rows whose variance may be above `huge` down, to an rstd of at most `most_rstd`. */
typedef struct {
    double floor, most_rstd, huge;
} number_range;

static const number_range float_range = {0x1p-124, 0x1p45, 0x1p90};
static const number_range double_range = {0x1p-1074, 0x1p350, 0x1p900};

static double lost_before_weight(const number_range *range, const clnorm_reference_stats *stats)
{
    if (stats->variance > range->huge)
        return range->floor * range->most_rstd;
    return range->floor * (1 + fmin((double)stats->rstd, range->most_rstd));
}

/* A work-item alone adds up a row that is scaled: blocks of 64, two folds, up to 16 lanes. */
static unsigned depth_of_row(const number_range *range, uint64_t cols, unsigned depth,
                             const clnorm_reference_stats *stats)
{
    const unsigned alone = (cols < 64 ? (unsigned)cols : 64) + 2 + 4;
    const int scaled = stats->variance > range->huge || stats->rstd > range->most_rstd / 2;
    return scaled && depth < alone ? alone : depth;
}

static clnorm_bound stored(double arithmetic, double storage)
{
    return (clnorm_bound){arithmetic, arithmetic + storage};
}

clnorm_row_bounds clnorm_bounds_of_row(const clnorm_desc *desc, unsigned depth,
                                       const clnorm_reference_stats *stats)
{
    const clnorm_dtype arithmetic = clnorm_stats_dtype(desc);
    const number_range *range = arithmetic == CLNORM_F64 ? &double_range : &float_range;
    const int center = desc->kind == CLNORM_LAYER_NORM;
    const double unit = clnorm_dtype_unit(arithmetic);
    const double deviation = (double)sqrtl(stats->variance);
    const double rstd = (double)stats->rstd, mean = (double)(stats->hi + stats->lo);
    /* The reference makes the same steps in its own unit, and rounds once to double. */
    const double own = clnorm_reference_unit(), chain = clnorm_reference_depth(desc->cols) / 2.0;
    const double half = depth_of_row(range, desc->cols, depth, stats) / 2.0, rounding = 0x1p-53;
    return (clnorm_row_bounds){
        .relative = (10 + half) * unit + (10 + chain) * own,
        .spread = center ? (double)(sqrtl(stats->variance) * stats->rstd) : 0,
        .weight = lost_before_weight(range, stats),
        .bias = unit,
        .floor = range->floor,
        .storage_unit = clnorm_dtype_unit(desc->y_dtype),
        .storage_tiny = clnorm_dtype_tiny(desc->y_dtype),
        .reference_unit = rounding,
        .mean = center ? stored(((4 + half) * unit + (4 + chain) * own) * deviation + range->floor,
                                (unit + rounding) * fabs(mean))
                       : stored(0, 0),
        .rstd =
            stored(((8 + half) * unit + (8 + chain) * own) * rstd + range->floor, rounding * rstd),
    };
}

clnorm_bound clnorm_bound_of_y(const clnorm_row_bounds *row, double y, double weight, double bias)
{
    const double size = fabs(weight) * row->spread + fabs(y - bias);
    const double arithmetic = row->relative * size + row->weight * fabs(weight) +
                              row->bias * fabs(bias) + row->floor + row->reference_unit * fabs(y);
    return stored(arithmetic, row->storage_unit * fabs(y) + row->storage_tiny);
}

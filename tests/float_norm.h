/* SPDX-License-Identifier: MIT */
/* cl/row_norm.cl in plain C floats, one work-item with vectors of 16, with mistakes on request. */
#ifndef CLNORM_TESTS_FLOAT_NORM_H
#define CLNORM_TESTS_FLOAT_NORM_H

#include <math.h>
#include <string.h>

#include "base/dtype.h"

typedef enum {
    NO_MISTAKE,
    ONE_PASS_VARIANCE, /* E[x^2] - E[x]^2 */
    SINGLE_MEAN, /* the mean is one float */
    EPS_OUTSIDE, /* of the square root */
    DDOF_1, /* cols - 1 instead of cols */
    TRUNCATED_STORE, /* bf16 without rounding */
    DROPPED_TAIL, /* sums leave the columns after the last whole vector out */
    BF16_STATISTICS,
    HIDDEN_NAN, /* a clamp turns NaN into a number */
    NO_SCALING, /* squares overflow */
    MISTAKES
} mistake;

enum { LANES = 16, RUN = 64 };

typedef struct {
    float hi[LANES], lo[LANES], part[LANES];
} lane_sums;

static const lane_sums no_sums = {{0}, {0}, {0}};

static inline void fold_lanes(lane_sums *s)
{
    for (int k = 0; k < LANES; k++) {
        const float total = s->hi[k] + s->part[k], added = total - s->hi[k];
        s->lo[k] += (s->hi[k] - (total - added)) + (s->part[k] - added);
        s->hi[k] = total;
        s->part[k] = 0;
    }
}

static inline void add_column(lane_sums *s, uint64_t col, float value)
{
    if (col > 0 && col % (LANES * RUN) == 0)
        fold_lanes(s);
    s->part[col % LANES] += value;
}

static inline float lanes_total(lane_sums *s)
{
    fold_lanes(s);
    float sum[LANES];
    for (int k = 0; k < LANES; k++)
        sum[k] = s->hi[k] + s->lo[k];
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int k = 0; k < width; k++)
            sum[k] += sum[k + width];
    return sum[0];
}

/* Longest chain of additions of the functions above: a run, two folds, the tree over lanes. */
static inline unsigned float_norm_depth(uint64_t cols)
{
    const uint64_t run = (cols + LANES - 1) / LANES;
    return (unsigned)(run < RUN ? run : RUN) + 2 + 4;
}

typedef struct {
    float scale, hi, lo, rstd;
} float_stats;

static inline float_stats float_row_stats(const clnorm_desc *desc, mistake wrong, const float *x,
                                          float scale)
{
    const uint64_t cols = desc->cols, summed = wrong == DROPPED_TAIL ? cols / LANES * LANES : cols;
    const float eps = (float)desc->eps * scale * scale, first = x[0] * scale;
    const int center = desc->kind == CLNORM_LAYER_NORM;
    lane_sums shifted = no_sums, sum = no_sums, squares = no_sums, plain = no_sums;
    for (uint64_t c = 0; center && c < summed; c++)
        add_column(&shifted, c, x[c] * scale - first);
    const float hi = center ? first + lanes_total(&shifted) / cols : 0;
    for (uint64_t c = 0; c < summed; c++) {
        const float e = x[c] * scale - hi;
        add_column(&sum, c, e);
        add_column(&squares, c, e * e);
        add_column(&plain, c, x[c] * x[c]);
    }
    const float rest = center ? lanes_total(&sum) : 0, lo = rest / cols;
    const float divisor = wrong == DDOF_1 ? (float)cols - 1 : (float)cols;
    float variance = (lanes_total(&squares) - rest * lo) / divisor;
    if (wrong == ONE_PASS_VARIANCE)
        variance = lanes_total(&plain) / cols - hi * hi;
    variance = variance < 0 ? 0 : variance;
    const float rstd =
        wrong == EPS_OUTSIDE ? 1 / (sqrtf(variance) + eps) : 1 / sqrtf(variance + eps);
    return (float_stats){scale, hi, wrong == SINGLE_MEAN ? 0 : lo, rstd};
}

/* As better_scale in row_norm.cl. */
static inline float_stats float_scaled_stats(const clnorm_desc *desc, mistake wrong, const float *x)
{
    const float_stats stats = float_row_stats(desc, wrong, x, 1);
    if (wrong == NO_SCALING)
        return stats;
    if (!(stats.rstd > 0))
        return float_row_stats(desc, wrong, x, 0x1p-90f);
    if (desc->eps < 0x1p-90 && stats.rstd > 0x1p45f && fabsf(stats.hi) < 0x1p-30f)
        return float_row_stats(desc, wrong, x, 0x1p90f);
    return stats;
}

static inline void store_y(const clnorm_desc *desc, mistake wrong, void *y, uint64_t at,
                           float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    if (wrong == TRUNCATED_STORE)
        ((uint16_t *)y)[at] = (uint16_t)(bits >> 16);
    else
        clnorm_store(desc->y_dtype, y, at, value);
}

/* Tensors without gaps; x, weight, bias are the values that the descriptor's types hold. */
static inline void float_norm(const clnorm_desc *desc, mistake wrong, void *y, float *mean,
                              float *rstd, const float *x, const float *weight, const float *bias,
                              uint64_t rows)
{
    for (uint64_t row = 0; row < rows; row++, x += desc->cols) {
        float_stats s = float_scaled_stats(desc, wrong, x);
        if (wrong == BF16_STATISTICS) {
            s.hi = (float)clnorm_dtype_round(CLNORM_BF16, s.hi + s.lo);
            s.lo = 0;
            s.rstd = (float)clnorm_dtype_round(CLNORM_BF16, s.rstd);
        }
        if (wrong == HIDDEN_NAN && isnan(s.rstd))
            s = (float_stats){1, 0, 0, 0};
        for (uint64_t c = 0; c < desc->cols; c++) {
            const float normal = ((x[c] * s.scale - s.hi) - s.lo) * s.rstd;
            store_y(desc, wrong, y, row * desc->cols + c, normal * weight[c] + bias[c]);
        }
        mean[row] = (s.hi + s.lo) / s.scale;
        rstd[row] = s.rstd * s.scale;
    }
}

#endif

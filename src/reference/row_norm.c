/* SPDX-License-Identifier: MIT */
/* The kernel's formulas in long double: docs/numerics.md. Plain loops over small blocks, so that no
 * row is too long for memory. */
#include "reference/row_norm.h"

#include "base/desc.h"
#include "base/dtype.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#define BLOCK CLNORM_REFERENCE_BLOCK

typedef struct {
    long double sum, squares;
} row_sums;

static row_sums block_sums(clnorm_dtype dtype, const void *x, uint64_t first, size_t n,
                           long double shift)
{
    double block[BLOCK];
    row_sums sums = {0, 0};
    clnorm_load_n(dtype, x, first, block, n);
    for (size_t i = 0; i < n; i++) {
        const long double e = block[i] - shift;
        sums.sum += e;
        sums.squares += e * e;
    }
    return sums;
}

/* Halves are summed apart: the error grows with the logarithm of n. */
static row_sums sums_around(clnorm_dtype dtype, const void *x, uint64_t first, uint64_t n,
                            long double shift)
{
    if (n <= BLOCK)
        return block_sums(dtype, x, first, (size_t)n, shift);
    const uint64_t half = (n / 2 + BLOCK - 1) / BLOCK * BLOCK;
    const row_sums left = sums_around(dtype, x, first, half, shift);
    const row_sums right = sums_around(dtype, x, first + half, n - half, shift);
    return (row_sums){left.sum + right.sum, left.squares + right.squares};
}

clnorm_reference_stats clnorm_reference_row_stats(const clnorm_desc *desc, const void *x,
                                                  uint64_t first)
{
    const bool center = desc->kind == CLNORM_LAYER_NORM;
    const long double cols = desc->cols;
    /* Devices get eps as a number of their arithmetic. */
    const double eps = clnorm_dtype_round(clnorm_stats_dtype(desc), desc->eps);
    clnorm_reference_stats stats = {0, 0, 0, 0};
    if (center) {
        const long double shift = clnorm_load(desc->x_dtype, x, first);
        stats.hi = shift + sums_around(desc->x_dtype, x, first, desc->cols, shift).sum / cols;
    }
    const row_sums sums = sums_around(desc->x_dtype, x, first, desc->cols, stats.hi);
    if (!isfinite(sums.squares)) {
        const long double mean = center ? NAN : 0;
        return (clnorm_reference_stats){mean, mean, NAN, NAN};
    }
    stats.lo = center ? sums.sum / cols : 0;
    const long double variance = (sums.squares - (center ? sums.sum * stats.lo : 0)) / cols;
    stats.variance = variance < 0 ? 0 : variance;
    stats.rstd = 1 / sqrtl(stats.variance + eps);
    return stats;
}

void clnorm_reference_normalize(double *y, const double *x, const double *weight,
                                const double *bias, size_t n, const clnorm_reference_stats *stats)
{
    const long double hi = stats->hi, lo = stats->lo, rstd = stats->rstd;
    for (size_t i = 0; i < n; i++) {
        const long double normal = (x[i] - hi - lo) * rstd;
        y[i] = (double)(normal * (weight ? weight[i] : 1) + (bias ? bias[i] : 0));
    }
}

unsigned clnorm_reference_depth(uint64_t cols)
{
    unsigned depth = cols < BLOCK ? (unsigned)cols : BLOCK;
    for (uint64_t blocks = cols / BLOCK; blocks > 0; blocks /= 2)
        depth++;
    return depth;
}

double clnorm_reference_unit(void) { return (double)(LDBL_EPSILON / 2); }

static void forward_row(const clnorm_desc *desc, double *y, const clnorm_reference_stats *stats,
                        const void *x, uint64_t first, const void *weight, const void *bias)
{
    double x_block[BLOCK], weight_block[BLOCK], bias_block[BLOCK];
    for (uint64_t col = 0; col < desc->cols; col += BLOCK) {
        const size_t n = desc->cols - col < BLOCK ? (size_t)(desc->cols - col) : BLOCK;
        clnorm_load_n(desc->x_dtype, x, first + col, x_block, n);
        if (weight)
            clnorm_load_n(desc->param_dtype, weight, col, weight_block, n);
        if (bias)
            clnorm_load_n(desc->param_dtype, bias, col, bias_block, n);
        clnorm_reference_normalize(y + col, x_block, weight ? weight_block : NULL,
                                   bias ? bias_block : NULL, n, stats);
    }
}

clnorm_status clnorm_reference_forward(const clnorm_desc *desc, double *y, double *mean,
                                       double *rstd, const void *x, const void *weight,
                                       const void *bias, uint64_t rows, uint64_t x_stride,
                                       clnorm_error *error)
{
    clnorm_status status = clnorm_desc_check(desc, error);
    if (status != CLNORM_OK)
        return status;
    uint64_t y_stride = desc->cols;
    status = clnorm_host_tensor_check("x", desc->x_dtype, x, rows, desc->cols, &x_stride, error);
    if (status == CLNORM_OK)
        status = clnorm_host_tensor_check("y", CLNORM_F64, y, rows, desc->cols, &y_stride, error);
    if (status != CLNORM_OK)
        return status;
    for (uint64_t row = 0; row < rows; row++) {
        const uint64_t first = row * x_stride;
        const clnorm_reference_stats stats = clnorm_reference_row_stats(desc, x, first);
        forward_row(desc, y + row * desc->cols, &stats, x, first, weight, bias);
        if (mean)
            mean[row] = (double)(stats.hi + stats.lo);
        if (rstd)
            rstd[row] = (double)stats.rstd;
    }
    return CLNORM_OK;
}

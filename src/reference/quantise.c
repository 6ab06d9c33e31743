/* SPDX-License-Identifier: MIT */
/* y of a row becomes i8 or fp8. */
#include "reference/parts.h"

#include "base/dtype.h"

#include <float.h>
#include <math.h>

typedef struct {
    long double scale, zero; /* zero: before it is rounded */
    double grown, rounded; /* largest of a y behind the scale */
    double low, high; /* least and largest y, and 0; NaN if there is one */
} grid;

static void widen(grid *g, const clnorm_row *y, uint64_t col)
{
    const double value = y->value[col];
    if (isnan(value) || isnan(g->low)) {
        g->low = g->high = NAN;
        return;
    }
    g->low = fmin(g->low, value);
    g->high = fmax(g->high, value);
    g->grown = fmax(g->grown, y->grown[col]);
    g->rounded = fmax(g->rounded, y->rounded[col]);
}

static double least_scale(const clnorm_desc *desc)
{
    const double usual =
        desc->y_dtype == CLNORM_I8 ? FLT_EPSILON : 1 / (512 * clnorm_dtype_max(desc->y_dtype));
    return (float)(desc->qscale_min > 0 ? desc->qscale_min : usual);
}

/* The largest |y| becomes the largest number of the type. */
static void make_scale(const clnorm_desc *desc, grid *g)
{
    const double most = clnorm_dtype_max(desc->y_dtype);
    long double scale = (long double)fmax(-g->low, g->high) / most;
    if (isnan(g->low))
        scale = NAN;
    if (desc->qscale_max > 0 && scale > (float)desc->qscale_max)
        scale = (float)desc->qscale_max;
    if (scale < least_scale(desc))
        scale = least_scale(desc);
    g->scale = scale;
    g->grown /= most;
    g->rounded = g->rounded / most + 3 * (double)scale;
}

/* -128 and 127 become the least and the largest y, and 0 stays 0. */
static void make_scale_and_zero(grid *g)
{
    const long double range = (long double)g->high - g->low;
    g->scale = range > 0 || isnan(range) ? range / 255 : 1;
    g->zero = range > 0 || isnan(range) ? -128 - g->low * (255 / range) : 127;
    g->grown = 2 * g->grown / 255;
    g->rounded = 2 * g->rounded / 255 + 4 * (double)g->scale;
}

static void take_scale_and_zero(const clnorm_evaluation *e, grid *g)
{
    g->scale = clnorm_load(CLNORM_F32, e->arrays[TENSOR_qscale].data, 0);
    if (e->desc.quant_asymmetric)
        g->zero = clnorm_load(CLNORM_I8, e->arrays[TENSOR_qzero].data, 0);
}

static double code_of(const clnorm_desc *desc, double value, const grid *g)
{
    const double exact = (double)(value / g->scale);
    if (isnan(exact))
        return desc->y_dtype == CLNORM_I8 ? 0 : NAN;
    return clnorm_dtype_round(desc->y_dtype,
                              desc->quant_asymmetric ? rint(exact) + rint((double)g->zero) : exact);
}

/* Columns of a scale; gives the sum of their codes. */
static double emit_codes(const clnorm_evaluation *e, uint64_t row, uint64_t first, uint64_t end,
                         const clnorm_row *y, const grid *g)
{
    double sum = 0;
    for (uint64_t col = first; col < end; col += CLNORM_BLOCK) {
        clnorm_numbers numbers;
        double code[CLNORM_BLOCK];
        const size_t n = end - col < CLNORM_BLOCK ? (size_t)(end - col) : CLNORM_BLOCK;
        const clnorm_run run = {.row = row, .col = col, .n = n};
        for (size_t i = 0; i < n; i++) {
            numbers.value[i] = y->value[col + i];
            numbers.grown[i] = y->grown[col + i];
            numbers.rounded[i] = y->rounded[col + i];
            numbers.lost[i] = y->lost[col + i];
            code[i] = code_of(&e->desc, y->value[col + i], g);
            sum += code[i];
        }
        clnorm_emit(e, TENSOR_y, &run, NULL, &numbers, NULL, code);
    }
    return sum;
}

static void emit_zero(const clnorm_evaluation *e, uint64_t row, uint64_t which, const grid *g)
{
    const clnorm_run run = {.row = row, .col = which, .n = 1};
    const long double scale = g->scale;
    const double zero = (double)fminl(fmaxl(g->zero, -128), 127);
    const double code = isnan(g->zero) ? 0 : rint(zero);
    /* of the least y, of 255 / range, and of both products */
    const clnorm_numbers number = {.value = {zero},
                                   .grown = {(double)(2 * g->grown / scale)},
                                   .rounded = {(double)(2 * g->rounded / scale) + 6 * 255},
                                   .lost = {1 + (double)(2 / scale)}};
    const clnorm_numbers none = {.value = {0}, .grown = {0}, .rounded = {0}, .lost = {0}};
    const clnorm_numbers numbers = isnan(g->zero) ? none : number;
    clnorm_emit(e, TENSOR_qzero, &run, NULL, &numbers, NULL, &code);
}

/* The grid number `which` of a row, from the range of its y. */
static void make_grid(const clnorm_evaluation *e, uint64_t row, uint64_t which, grid *g)
{
    if (e->desc.quant == CLNORM_QUANT_STATIC) {
        take_scale_and_zero(e, g);
        return;
    }
    if (e->desc.quant_asymmetric)
        make_scale_and_zero(g);
    else
        make_scale(&e->desc, g);
    clnorm_emit_one(e, TENSOR_qscale, row, which, NULL, g->scale, g->grown, g->rounded);
    if (e->desc.quant_asymmetric)
        emit_zero(e, row, which, g);
}

void clnorm_quantise_row(const clnorm_evaluation *e, uint64_t row, const clnorm_row *y)
{
    const clnorm_desc *d = &e->desc;
    const uint64_t width = d->quant == CLNORM_QUANT_GROUP ? d->quant_group : d->cols;
    double sum = 0;
    for (uint64_t first = 0; first < d->cols; first += width) {
        grid g = {.scale = 0};
        for (uint64_t col = first; col < first + width; col++)
            widen(&g, y, col);
        make_grid(e, row, first / width, &g);
        sum += emit_codes(e, row, first, first + width, y, &g);
    }
    clnorm_emit_one(e, TENSOR_qsum, row, 0, NULL, sum, 0, 0);
}

/* SPDX-License-Identifier: MIT */
#include "reference/sums.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

static const clnorm_tensor_id ids[] = {TENSOR_dx_bias, TENSOR_dgate,  TENSOR_dweight,
                                       TENSOR_dbias,   TENSOR_dscale, TENSOR_dshift};
enum { IDS = sizeof(ids) / sizeof(ids[0]) };

clnorm_status clnorm_sums_init(clnorm_sums *sums, const clnorm_evaluation *e)
{
    *sums = (clnorm_sums){.e = e};
    for (size_t k = 0; k < IDS; k++) {
        const clnorm_tensor_use *use = &e->uses[ids[k]];
        if (!clnorm_given(e, ids[k]))
            continue;
        const uint64_t count = use->rows * use->cols;
        sums->of[ids[k]] = calloc(count ? (size_t)count : 1, sizeof(clnorm_column_sum));
        if (!sums->of[ids[k]])
            return CLNORM_OUT_OF_MEMORY;
    }
    return CLNORM_OK;
}

void clnorm_sums_free(clnorm_sums *sums)
{
    for (size_t k = 0; k < IDS; k++)
        free(sums->of[ids[k]]);
}

/* Place of the first element of a run, and the step to the next. */
static clnorm_column_sum *place(const clnorm_sums *sums, clnorm_tensor_id id, const clnorm_run *run,
                                size_t *step)
{
    const bool param = id == TENSOR_dweight || id == TENSOR_dbias;
    const clnorm_tensor_use *use = &sums->e->uses[id];
    const bool mods = use->has_stride && use->extent == CLNORM_MODS;
    *step = param ? run->param_step : 1;
    if (param)
        return &sums->of[id][run->param];
    return &sums->of[id][(mods ? run->row / sums->e->desc.rows_per_mod * use->cols : 0) + run->col];
}

/* How often a row is there, as far as the sums of `id` go. */
static uint64_t times_of(const clnorm_evaluation *e, clnorm_tensor_id id, uint64_t row)
{
    if (e->all_rows == 0 || e->uses[id].extent != CLNORM_WHOLE)
        return 1;
    return e->all_rows / e->rows + (row < e->all_rows % e->rows);
}

static void add(clnorm_column_sum *sum, uint64_t times, long double value, double grown,
                double rounded, double lost)
{
    const double n = (double)times;
    sum->value += times * value;
    sum->grown += n * fmax(grown, fabs((double)value));
    sum->rounded += n * rounded;
    sum->lost += n * lost;
    sum->terms += times;
}

void clnorm_sums_add(clnorm_sums *sums, clnorm_tensor_id id, const clnorm_run *run,
                     const long double *terms, double rounded)
{
    size_t step;
    clnorm_column_sum *sum = sums->of[id] ? place(sums, id, run, &step) : NULL;
    const uint64_t times = times_of(sums->e, id, run->row);
    for (size_t i = 0; sum && i < run->n; i++, sum += step)
        add(sum, times, terms[i], 0, rounded * fabs((double)terms[i]), 2);
}

void clnorm_sums_add_product(clnorm_sums *sums, clnorm_tensor_id id, const clnorm_run *run,
                             const long double *factor, const clnorm_numbers *numbers,
                             double rounded)
{
    size_t step;
    clnorm_column_sum *sum = sums->of[id] ? place(sums, id, run, &step) : NULL;
    const uint64_t times = times_of(sums->e, id, run->row);
    for (size_t i = 0; sum && i < run->n; i++, sum += step) {
        const double size = (double)fabsl(factor[i]);
        const long double value = factor[i] * numbers->value[i];
        add(sum, times, value, clnorm_behind(size, numbers->grown[i]),
            clnorm_behind(size, numbers->rounded[i]) + (1 + rounded) * fabs((double)value),
            clnorm_behind(size, numbers->lost[i]) + 1 + fabs((double)numbers->value[i]));
    }
}

void clnorm_sums_add_numbers(clnorm_sums *sums, clnorm_tensor_id id, const clnorm_run *run,
                             const clnorm_numbers *numbers, const double *factor)
{
    size_t step;
    clnorm_column_sum *sum = sums->of[id] ? place(sums, id, run, &step) : NULL;
    const uint64_t times = times_of(sums->e, id, run->row);
    for (size_t i = 0; sum && i < run->n; i++, sum += step) {
        const double size = factor ? fabs(factor[i]) : 1;
        const long double value = numbers->value[i] * (factor ? factor[i] : 1);
        /* t itself is rounded by each of its steps: three at most */
        add(sum, times, value, clnorm_behind(size, numbers->grown[i]),
            clnorm_behind(size, numbers->rounded[i]) + 4 * fabs((double)value),
            clnorm_behind(size, numbers->lost[i]) + 1);
    }
}

static void emit_block(const clnorm_evaluation *e, clnorm_tensor_id id, uint64_t row, uint64_t col,
                       size_t n, const clnorm_column_sum *sums)
{
    double value[CLNORM_BLOCK], grown[CLNORM_BLOCK], rounded[CLNORM_BLOCK], lost[CLNORM_BLOCK];
    const clnorm_results results = {.tensor = id,
                                    .row = row,
                                    .col = col,
                                    .n = n,
                                    .terms = sums[0].terms,
                                    .chain = sums[0].terms + 2 * CLNORM_BLOCK,
                                    .value = value,
                                    .grown = grown,
                                    .rounded = rounded,
                                    .lost = lost,
                                    .code = value};
    for (size_t i = 0; i < n; i++) {
        value[i] = (double)sums[i].value;
        grown[i] = sums[i].grown;
        rounded[i] = sums[i].rounded;
        lost[i] = sums[i].lost + 1;
    }
    e->emit(e->user, &results);
}

void clnorm_sums_emit(const clnorm_sums *sums)
{
    for (size_t k = 0; k < IDS; k++) {
        const clnorm_column_sum *all = sums->of[ids[k]];
        const uint64_t cols = sums->e->uses[ids[k]].cols, rows = sums->e->uses[ids[k]].rows;
        for (uint64_t row = 0; all && row < rows; row++)
            for (uint64_t col = 0; col < cols; col += CLNORM_BLOCK) {
                const uint64_t left = cols - col;
                emit_block(sums->e, ids[k], row, col,
                           left < CLNORM_BLOCK ? (size_t)left : CLNORM_BLOCK,
                           all + row * cols + col);
            }
    }
}

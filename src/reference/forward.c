/* SPDX-License-Identifier: MIT */
#include "reference/parts.h"

#include "base/dtype.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

static void emit_sum(const clnorm_evaluation *e, const clnorm_elements *in)
{
    clnorm_numbers sum;
    const bool rounded = e->desc.contract == CLNORM_SUM_ROUNDED; /* the same bits */
    for (size_t i = 0; i < in->run.n; i++) {
        sum.value[i] = in->s[i];
        sum.grown[i] = 0;
        sum.rounded[i] = rounded ? 0 : (double)(2 * in->s_size[i]);
        sum.lost[i] = 1;
    }
    clnorm_emit(e, TENSOR_sum, &in->run, NULL, &sum, NULL, NULL);
}

static void keep(const clnorm_row *row, const clnorm_run *run, const clnorm_numbers *y)
{
    for (size_t i = 0; i < run->n; i++) {
        row->value[run->col + i] = (double)y->value[i];
        row->grown[run->col + i] = y->grown[i];
        row->rounded[run->col + i] = y->rounded[i];
        row->lost[run->col + i] = y->lost[i];
    }
}

/* row: for a quantised y, which needs all of a row first. */
static void forward_run(const clnorm_scope *scope, const clnorm_run *run, const clnorm_row *row)
{
    const clnorm_evaluation *e = scope->e;
    clnorm_elements in;
    clnorm_numbers y;
    double scale[CLNORM_BLOCK];
    clnorm_load_sum(e, run, &in);
    clnorm_load_params(e, &in);
    in.set = &scope->sets[run->set];
    if (clnorm_given(e, TENSOR_sum))
        emit_sum(e, &in);
    clnorm_normalize(e, &in, &y);
    clnorm_affine(e, &in, &y);
    clnorm_modulate(e, &in, &y);
    if (e->desc.act_gate == CLNORM_ACT_AFTER)
        clnorm_activate(&in, &y);
    for (size_t i = 0; i < run->n; i++)
        scale[i] = fabs(in.weight[i]);
    if (row->value)
        keep(row, run, &y);
    else
        clnorm_emit(e, TENSOR_y, run, in.set, &y, scale, NULL);
}

/* running = (1 - momentum) * running + momentum * that of the batch */
static void emit_running(const clnorm_evaluation *e, uint64_t channel, const clnorm_set *set)
{
    const clnorm_tensor_use *use = &e->uses[TENSOR_running_mean];
    const clnorm_dtype type = clnorm_stats_dtype(&e->desc);
    const long double momentum = clnorm_dtype_round(type, e->desc.momentum);
    const uint64_t n = set->size;
    const long double unbiased =
        e->desc.running_biased || n == 1 ? 1 : (long double)n / (long double)(n - 1);
    /* the variance that is normalized with may be divided by n - 1 already */
    const long double biased = set->variance * (long double)(n - e->desc.ddof) / (long double)n;
    const struct {
        clnorm_tensor_id id;
        long double batch, size;
    } of[] = {
        {TENSOR_running_mean, set->hi + set->lo, set->deviation + fabsl(set->hi + set->lo)},
        {TENSOR_running_var, biased * unbiased, biased * unbiased},
    };
    for (size_t i = 0; i < 2 && clnorm_given(e, of[i].id); i++) {
        const long double old = clnorm_load(use->dtype, e->arrays[of[i].id].data, channel);
        const long double kept = (1 - momentum) * old;
        clnorm_emit_one(e, of[i].id, 0, channel, set, kept + momentum * of[i].batch,
                        fabsl(kept) + momentum * of[i].size, 0);
    }
}

static void emit_statistics(const clnorm_scope *scope)
{
    const clnorm_evaluation *e = scope->e;
    const uint64_t row = e->kind.batch ? 0 : scope->first;
    for (uint64_t k = 0; e->desc.stats == CLNORM_STATS_COMPUTED && k < scope->count; k++) {
        const clnorm_set *set = &scope->sets[k];
        const long double mean = set->hi + set->lo;
        clnorm_emit_one(e, TENSOR_mean, row, k, set, mean, e->kind.center ? set->deviation : 0, 0);
        clnorm_emit_one(e, TENSOR_rstd, row, k, set, set->rstd, e->desc.center_only ? 0 : set->rstd,
                        0);
        if (e->kind.batch)
            emit_running(e, k, set);
    }
}

clnorm_status clnorm_forward_scopes(const clnorm_evaluation *e, clnorm_scope *scope,
                                    clnorm_error *error)
{
    const uint64_t cols = e->desc.cols;
    double *all = NULL;
    clnorm_row row = {NULL, NULL, NULL, NULL};
    if (e->desc.quant != CLNORM_QUANT_NONE) {
        all = malloc((size_t)cols * 4 * sizeof(*all));
        if (!all)
            return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for a row of y");
        row = (clnorm_row){all, all + cols, all + 2 * cols, all + 3 * cols};
    }
    for (; scope->first < e->rows; scope->first += scope->rows) {
        clnorm_run run = {.n = 0};
        clnorm_scope_statistics(scope);
        while ((clnorm_given(e, TENSOR_y) || clnorm_given(e, TENSOR_sum)) &&
               clnorm_next_run(scope, &run))
            forward_run(scope, &run, &row);
        if (all)
            clnorm_quantise_row(e, scope->first, &row);
        emit_statistics(scope);
    }
    free(all);
    return CLNORM_OK;
}

/* SPDX-License-Identifier: MIT */
/* The forward formulas, with the errors that a device makes in each of them: docs/numerics.md. */
#include "reference/parts.h"

#include "base/desc.h"
#include "base/dtype.h"

#include <math.h>

void clnorm_normalize(const clnorm_evaluation *e, const clnorm_elements *in, clnorm_numbers *x)
{
    const clnorm_set *set = in->set;
    const size_t n = in->run.n;
    if (e->direction == CLNORM_BACKWARD && e->desc.backward == CLNORM_FROM_OUTPUT) {
        for (size_t i = 0; i < n; i++)
            x->value[i] = ((long double)in->s[i] - in->bias[i]) / in->weight[i];
    } else {
        const long double hi = set->hi, lo = set->lo, rstd = set->rstd;
        for (size_t i = 0; i < n; i++)
            x->value[i] = (in->s[i] - hi - lo) * rstd;
    }
    const double spread = set->spread, loss = set->loss;
    for (size_t i = 0; i < n; i++) {
        x->grown[i] = spread + fabs((double)x->value[i]);
        x->rounded[i] = 0;
        x->lost[i] = loss;
    }
    const long double rstd = set->rstd;
    if (e->desc.act_gate == CLNORM_ACT_BEFORE) /* s, its mean and its rstd */
        for (size_t i = 0; i < n; i++)
            x->rounded[i] = CLNORM_SILU_ROUNDINGS *
                            ((double)(rstd * fabs(in->s[i])) + set->offset * (1 + x->grown[i]));
    else if (e->desc.contract == CLNORM_SUM_EXACT && e->direction == CLNORM_FORWARD &&
             clnorm_desc_has_sum(&e->desc))
        for (size_t i = 0; i < n; i++)
            x->rounded[i] = (double)(2 * rstd * in->s_size[i]);
}

/* By how far `value`, known to be within `error`, may move when it is rounded. */
static double round_within(clnorm_dtype dtype, double *value, double error)
{
    const double low = clnorm_dtype_round(dtype, *value - error);
    const double high = clnorm_dtype_round(dtype, *value + error);
    *value = clnorm_dtype_round(dtype, *value);
    return fmax(high - *value, *value - low);
}

/* x^ and its product with the weight are rounded to the type of y: a device may end on either side
 * of the middle of two numbers only where its error reaches it. */
static void affine_rounded(const clnorm_evaluation *e, const clnorm_elements *in, clnorm_numbers *y)
{
    const double u = e->unit, floor = e->floor;
    for (size_t i = 0; i < in->run.n; i++) {
        const double weight = in->weight[i];
        double value = (double)y->value[i];
        const double off =
            round_within(e->desc.y_dtype, &value,
                         e->slack * y->grown[i] + u * y->rounded[i] + floor * y->lost[i]);
        value *= weight;
        const double moved =
            round_within(e->desc.y_dtype, &value,
                         clnorm_behind(fabs(weight), off) + 2 * u * fabs(value) + floor);
        y->value[i] = value + in->bias[i];
        y->rounded[i] = moved / u + fabs(in->bias[i]) + fabs((double)y->value[i]);
        y->grown[i] = 0;
        y->lost[i] = 1;
    }
}

void clnorm_affine(const clnorm_evaluation *e, const clnorm_elements *in, clnorm_numbers *y)
{
    if (e->desc.cast == CLNORM_CAST_FIRST && e->direction == CLNORM_FORWARD) {
        affine_rounded(e, in, y);
        return;
    }
    for (size_t i = 0; i < in->run.n; i++) {
        const double weight = in->weight[i], bias = in->bias[i], size = fabs(weight);
        y->value[i] = y->value[i] * weight + bias;
        y->grown[i] = clnorm_behind(size, y->grown[i]);
        y->rounded[i] = clnorm_behind(size, y->rounded[i]) + fabs(bias);
        y->lost[i] = clnorm_behind(size, y->lost[i]) + 1;
    }
}

void clnorm_modulate(const clnorm_evaluation *e, const clnorm_elements *in, clnorm_numbers *y)
{
    if (!(e->desc.inputs & CLNORM_WITH_MODULATION))
        return;
    for (size_t i = 0; i < in->run.n; i++) {
        const double scale = in->scale[i], size = fabs(scale);
        const long double product = y->value[i] * scale;
        y->value[i] = product + in->shift[i];
        y->grown[i] = clnorm_behind(size, y->grown[i]);
        /* of scale, of the product, of the sum */
        y->rounded[i] = clnorm_behind(size, y->rounded[i]) + 2 * fabs((double)product) +
                        fabs((double)y->value[i]);
        y->lost[i] = clnorm_behind(size, y->lost[i]) + 2 + fabs((double)y->value[i]);
    }
}

/* Where exp(-z) overflows, SiLU(z) is 0 instead of a number below |z| times the smallest one. */
void clnorm_activate(const clnorm_elements *in, clnorm_numbers *y)
{
    for (size_t i = 0; i < in->run.n; i++) {
        const double silu = (double)in->silu[i], size = fabs(silu);
        const double before = fabs((double)y->value[i]);
        y->value[i] *= in->silu[i];
        y->grown[i] = clnorm_behind(size, y->grown[i]);
        y->rounded[i] = clnorm_behind(size, y->rounded[i] + CLNORM_SILU_ROUNDINGS * before);
        y->lost[i] = clnorm_behind(size, y->lost[i]) + before * (1 + fabs(in->z[i])) + 1;
    }
}

/* ---- results ------------------------------------------------------------------------------- */

static clnorm_results results_of(clnorm_tensor_id id, uint64_t row, uint64_t col, size_t n,
                                 const clnorm_set *set)
{
    return (clnorm_results){.tensor = id,
                            .row = row,
                            .col = col,
                            .n = n,
                            .chain = set ? set->chain : 1,
                            .rescued = set && set->rescued};
}

void clnorm_emit(const clnorm_evaluation *e, clnorm_tensor_id id, const clnorm_run *run,
                 const clnorm_set *set, const clnorm_numbers *numbers, const double *scale,
                 const double *code)
{
    clnorm_results results = results_of(id, run->row, run->col, run->n, set);
    double value[CLNORM_BLOCK];
    if (!clnorm_given(e, id))
        return;
    for (size_t i = 0; i < run->n; i++)
        value[i] = (double)numbers->value[i];
    results.value = value;
    results.grown = numbers->grown;
    results.rounded = numbers->rounded;
    results.lost = numbers->lost;
    results.scale = scale;
    results.code = code ? code : value;
    e->emit(e->user, &results);
}

void clnorm_emit_one(const clnorm_evaluation *e, clnorm_tensor_id id, uint64_t row, uint64_t col,
                     const clnorm_set *set, long double value, long double grown,
                     long double rounded)
{
    clnorm_results results = results_of(id, row, col, 1, set);
    const double stored = (double)value, grows = (double)grown, rounds = (double)rounded;
    const double lost = grown != 0 || rounded != 0; /* else nothing is computed */
    if (!clnorm_given(e, id))
        return;
    results.value = results.code = &stored;
    results.grown = &grows;
    results.rounded = &rounds;
    results.lost = &lost;
    e->emit(e->user, &results);
}

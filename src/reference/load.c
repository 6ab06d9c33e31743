/* SPDX-License-Identifier: MIT */
/* Which elements belong together, from the definition in clnorm.h, and what the inputs hold. */
#include "reference/parts.h"

#include "base/desc.h"
#include "base/dtype.h"
#include "base/philox.h"

#include <math.h>

bool clnorm_given(const clnorm_evaluation *e, clnorm_tensor_id id)
{
    return e->uses[id].role != CLNORM_UNUSED && e->arrays[id].data;
}

/* ---- runs ---------------------------------------------------------------------------------- */

/* Of channels of a sample: where channel c and place s are at c * spatial + s, or s * channels + c.
 */
static void channel_run(const clnorm_evaluation *e, clnorm_run *run)
{
    const clnorm_desc *d = &e->desc;
    const bool last = d->layout == CLNORM_NHWC;
    const uint64_t spatial = d->cols / d->channels;
    const uint64_t channel = last ? run->col % d->channels : run->col / spatial;
    const uint64_t in_set = e->kind.batch ? 1 : d->channels / d->groups;
    const uint64_t left = last ? in_set - channel % in_set : spatial - run->col % spatial;
    run->set = channel / in_set;
    run->param = channel;
    run->param_step = last;
    run->n = left < run->n ? (size_t)left : run->n;
}

static void row_run(const clnorm_evaluation *e, clnorm_run *run)
{
    const uint64_t width = e->desc.cols / e->desc.groups, left = width - run->col % width;
    const bool per_row = e->kind.params == CLNORM_PER_ROW;
    run->set = run->col / width;
    run->param = per_row ? run->row : run->col;
    run->param_step = !per_row;
    run->n = left < run->n ? (size_t)left : run->n;
}

bool clnorm_next_run(const clnorm_scope *scope, clnorm_run *run)
{
    const uint64_t cols = scope->e->desc.cols;
    if (run->n == 0)
        *run = (clnorm_run){.row = scope->first};
    else
        run->col += run->n;
    if (run->col == cols) {
        run->col = 0;
        run->row++;
    }
    if (run->row == scope->first + scope->rows)
        return false;
    run->n = cols - run->col < CLNORM_BLOCK ? (size_t)(cols - run->col) : CLNORM_BLOCK;
    if (scope->e->kind.channels)
        channel_run(scope->e, run);
    else
        row_run(scope->e, run);
    return true;
}

/* ---- inputs -------------------------------------------------------------------------------- */

void clnorm_load_run(const clnorm_evaluation *e, clnorm_tensor_id id, const clnorm_run *run,
                     double *out)
{
    const clnorm_tensor_use *use = &e->uses[id];
    const void *array = e->arrays[id].data;
    const uint64_t stride = e->arrays[id].stride ? e->arrays[id].stride : use->cols;
    uint64_t row = use->extent == CLNORM_WHOLE ? 0 : run->row, col = run->col;
    if (use->extent == CLNORM_MODS)
        row /= e->desc.rows_per_mod;
    if (!use->has_stride)
        row = 0;
    if (id == TENSOR_weight || id == TENSOR_bias)
        col = run->param;
    const bool one = (id == TENSOR_weight || id == TENSOR_bias) && !run->param_step;
    clnorm_load_n(use->dtype, array, row * stride + col, out, one ? 1 : run->n);
    for (size_t i = 1; one && i < run->n; i++)
        out[i] = out[0];
}

static void load_or(const clnorm_evaluation *e, clnorm_tensor_id id, const clnorm_run *run,
                    double *out, double otherwise)
{
    if (clnorm_given(e, id)) {
        clnorm_load_run(e, id, run, out);
        return;
    }
    for (size_t i = 0; i < run->n; i++)
        out[i] = otherwise;
}

/* ---- s ------------------------------------------------------------------------------------- */

/* Of a sum or product of two floats: the double is rounded again without harm. */
static double step(const clnorm_evaluation *e, double value)
{
    return e->wide ? value : (double)(float)value;
}

static void load_mask(const clnorm_evaluation *e, const clnorm_run *run, double *mask)
{
    for (size_t i = 0; i < run->n; i++) {
        const uint64_t row = e->first_row + run->row, col = run->col + i;
        const bool keep =
            e->desc.dropout < 1 && clnorm_dropout_keeps(e->desc.dropout, e->seed, row, col);
        mask[i] = keep ? e->keep : 0;
    }
}

/* t = dropout(x + x_bias), one rounding for each step, as the contract of the sum wants it. */
static void load_branch(const clnorm_evaluation *e, const clnorm_run *run, clnorm_elements *out)
{
    double bias[CLNORM_BLOCK];
    const bool biased = (e->desc.inputs & CLNORM_WITH_X_BIAS) != 0;
    clnorm_load_run(e, TENSOR_x, run, out->t);
    if (biased)
        clnorm_load_run(e, TENSOR_x_bias, run, bias);
    for (size_t i = 0; biased && i < run->n; i++)
        out->t[i] = step(e, out->t[i] + bias[i]);
    for (size_t i = 0; e->desc.dropout > 0 && i < run->n; i++)
        out->t[i] = out->mask[i] != 0 ? step(e, out->t[i] * out->mask[i]) : 0;
}

static void make_sum(const clnorm_evaluation *e, const clnorm_run *run, clnorm_elements *out)
{
    double residual[CLNORM_BLOCK];
    const bool gated = (e->desc.inputs & CLNORM_WITH_GATE) != 0;
    const bool added = (e->desc.inputs & CLNORM_WITH_RESIDUAL) != 0;
    const bool rounded = e->desc.contract == CLNORM_SUM_ROUNDED;
    if (added)
        clnorm_load_run(e, TENSOR_residual, run, residual);
    for (size_t i = 0; i < run->n; i++) {
        double s = gated ? step(e, out->gate[i] * out->t[i]) : out->t[i];
        out->s_size[i] = fabsl(s);
        if (added) {
            const double other = step(e, e->alpha * residual[i]);
            out->s_size[i] += fabsl(other);
            s = step(e, other + s);
        }
        out->s[i] = rounded ? clnorm_dtype_round(e->desc.residual_dtype, s) : s;
    }
}

static void load_gated(const clnorm_evaluation *e, const clnorm_run *run, clnorm_elements *out)
{
    clnorm_load_run(e, TENSOR_x, run, out->x);
    clnorm_load_run(e, TENSOR_z, run, out->z);
    for (size_t i = 0; i < run->n; i++)
        out->s[i] = (double)(out->x[i] * (out->z[i] / (1 + expl(-(long double)out->z[i]))));
}

void clnorm_load_sum(const clnorm_evaluation *e, const clnorm_run *run, clnorm_elements *out)
{
    const bool backward = e->direction == CLNORM_BACKWARD;
    out->run = *run;
    if (backward && e->desc.backward == CLNORM_FROM_OUTPUT) {
        clnorm_load_run(e, TENSOR_y, run, out->s);
        return;
    }
    if (e->desc.act_gate == CLNORM_ACT_BEFORE) {
        load_gated(e, run, out);
        return;
    }
    if (!clnorm_desc_has_sum(&e->desc)) {
        clnorm_load_run(e, TENSOR_x, run, out->s);
        return;
    }
    const bool from_sum = backward && clnorm_given(e, TENSOR_sum);
    if (e->desc.dropout > 0)
        load_mask(e, run, out->mask);
    if (e->desc.inputs & CLNORM_WITH_GATE)
        clnorm_load_run(e, TENSOR_gate, run, out->gate);
    if (!from_sum || clnorm_given(e, TENSOR_dgate))
        load_branch(e, run, out);
    if (from_sum)
        clnorm_load_run(e, TENSOR_sum, run, out->s);
    else
        make_sum(e, run, out);
}

/* ---- the rest ------------------------------------------------------------------------------ */

void clnorm_load_params(const clnorm_evaluation *e, clnorm_elements *out)
{
    const clnorm_run *run = &out->run;
    load_or(e, TENSOR_weight, run, out->weight, 1);
    load_or(e, TENSOR_bias, run, out->bias, 0);
    if (clnorm_given(e, TENSOR_weight) && e->weight_offset != 0)
        for (size_t i = 0; i < run->n; i++)
            out->weight[i] += e->weight_offset;
    if (e->desc.inputs & CLNORM_WITH_MODULATION) {
        clnorm_load_run(e, TENSOR_scale, run, out->scale);
        load_or(e, TENSOR_shift, run, out->shift, 0);
        for (size_t i = 0; i < run->n; i++)
            out->scale[i] += e->scale_offset;
    }
    if (e->desc.act_gate == CLNORM_ACT_NONE)
        return;
    clnorm_load_run(e, TENSOR_z, run, out->z);
    for (size_t i = 0; i < run->n; i++) {
        out->sigmoid[i] = 1 / (1 + expl(-(long double)out->z[i]));
        out->silu[i] = out->z[i] * out->sigmoid[i];
    }
}

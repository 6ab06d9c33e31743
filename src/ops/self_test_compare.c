/* SPDX-License-Identifier: MIT */
#include "base/dtype.h"
#include "ops/self_test_trial.h"

#include <math.h>
#include <stdio.h>

static double code_at(const clnorm_test_trial *t, int id, uint64_t i)
{
    return t->host[id] ? clnorm_load(t->uses[id].dtype, t->host[id], i) : 0;
}

static uint64_t scale_index(const clnorm_test_trial *t, uint64_t i)
{
    const clnorm_desc *d = &t->op.desc;
    return d->quant == CLNORM_QUANT_STATIC ? 0
           : d->quant == CLNORM_QUANT_ROW  ? i / d->cols
                                           : i / d->quant_group;
}

static bool is_line_sum(const clnorm_test_trial *t, int id)
{
    const clnorm_gradient_info *gradients = t->op.gradients;
    return (id == TENSOR_dweight && gradients[CLNORM_LINES_DWEIGHT].used) ||
           (id == TENSOR_dbias && gradients[CLNORM_LINES_DBIAS].used);
}

static double sum_of_lines(const clnorm_test_trial *t, int id, uint64_t i)
{
    const clnorm_gradient gradient =
        id == TENSOR_dweight ? CLNORM_LINES_DWEIGHT : CLNORM_LINES_DBIAS;
    double sum = 0;
    for (uint64_t line = 0; line < t->lines.count; line++)
        sum += clnorm_load(clnorm_trial_real(t), t->host[CLNORM_TRIAL_WORKSPACE],
                           t->lines.first[gradient] + line * t->op.gradients[gradient].length + i);
    return sum;
}

static double got_at(const clnorm_test_trial *t, int id, uint64_t i)
{
    if (t->id != CLNORM_KERNEL_SUMS && is_line_sum(t, id))
        return sum_of_lines(t, id, i);
    if (id != TENSOR_y || !t->op.desc.quant)
        return code_at(t, id, i);
    const uint64_t at = scale_index(t, i);
    return (code_at(t, id, i) - code_at(t, TENSOR_qzero, at)) * code_at(t, TENSOR_qscale, at);
}

/* Coarse: this is about kernels that are broken, not about the last digit. */
static double allowed_error(const clnorm_test_trial *t, int id, uint64_t i)
{
    const clnorm_desc *d = &t->op.desc;
    const double unit = clnorm_dtype_unit(t->uses[id].dtype);
    const double unit_of_y = d->backward == CLNORM_FROM_OUTPUT ? clnorm_dtype_unit(d->y_dtype) : 0;
    const double relative = fmax(1e-4, 8 * fmax(unit, unit_of_y));
    if (id != TENSOR_y || !d->quant)
        return relative * t->values.scale[id];
    const double scale = code_at(t, TENSOR_qscale, scale_index(t, i));
    return d->y_dtype == CLNORM_I8 ? 1.5 * scale
                                   : 2 * unit * fabs(t->values.of[id][i]) + 0.05 * scale;
}

/* Scales that are too large would make any code right. */
static bool is_scale_right(const clnorm_test_trial *t, uint64_t i)
{
    const double largest =
        t->op.desc.y_dtype == CLNORM_I8 ? 100 : clnorm_dtype_max(t->op.desc.y_dtype);
    const double scale = code_at(t, TENSOR_qscale, i);
    return scale > 0 && scale <= 1.01 * t->values.scale[TENSOR_y] / largest;
}

static void compare(clnorm_test_trial *t, int id)
{
    for (uint64_t i = 0; i < t->values.count[id]; i++) {
        const double got = got_at(t, id, i), wanted = t->values.of[id][i];
        const double allowed = allowed_error(t, id, i);
        if (fabs(got - wanted) <= allowed) /* not so for NaN */
            continue;
        t->finding.trial = CLNORM_DISABLED;
        snprintf(t->finding.text, sizeof(t->finding.text),
                 "element %llu of %s is %.6g where %.6g +- %.2g is right, in %llu rows of %llu",
                 (unsigned long long)i, clnorm_tensor_name((clnorm_tensor_id)id), got, wanted,
                 allowed, (unsigned long long)t->values.rows, (unsigned long long)t->op.desc.cols);
        return;
    }
}

static void compare_scales(clnorm_test_trial *t)
{
    for (uint64_t i = 0; i < t->values.count[TENSOR_qscale]; i++)
        if (!is_scale_right(t, i)) {
            t->finding.trial = CLNORM_DISABLED;
            snprintf(t->finding.text, sizeof(t->finding.text), "scale %llu is %.6g",
                     (unsigned long long)i, code_at(t, TENSOR_qscale, i));
            return;
        }
}

/* What a test of kernels can tell of statistics: those of sets that have a deviation. */
static bool is_comparable(const clnorm_test_trial *t, int id)
{
    const bool dynamic = t->uses[id].role == CLNORM_OUTPUT && clnorm_trial_gives(t, id);
    if (id == TENSOR_rstd)
        return dynamic && !t->op.desc.center_only &&
               clnorm_set_size(&t->op.desc, t->values.rows) > 1;
    return dynamic && id != TENSOR_qscale && id != TENSOR_qzero;
}

clnorm_status clnorm_trial_compare(clnorm_test_trial *t, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    t->finding.trial = CLNORM_TRUSTED;
    for (int id = 0; id <= TENSOR_COUNT; id++)
        if (t->host[id] && (id == CLNORM_TRIAL_WORKSPACE || t->uses[id].role != CLNORM_INPUT))
            TRY(clnorm_trial_download(t, id, error));
    if (t->op.desc.quant && t->values.purpose.direction == CLNORM_FORWARD &&
        t->op.desc.quant != CLNORM_QUANT_STATIC)
        compare_scales(t);
    for (int id = 0; id < TENSOR_COUNT && t->finding.trial == CLNORM_TRUSTED; id++)
        if (is_comparable(t, id))
            compare(t, id);
fail:
    return status;
}

/* SPDX-License-Identifier: MIT */
#include "base/desc_rules.h"

#include "base/desc.h"
#include "base/dtype.h"
#include "base/kind.h"
#include "base/sets.h"
#include "base/status.h"

#include <stdbool.h>

typedef struct {
    bool broken;
    const char *text;
} rule;

static clnorm_status check(const clnorm_desc *desc, const rule *rules, size_t count,
                           clnorm_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (rules[i].broken)
            return clnorm_fail(error, CLNORM_BAD_DESC, "%s: %s", clnorm_kind_name(desc->kind),
                               rules[i].text);
    return CLNORM_OK;
}

#define CHECK(desc, rules, error) check(desc, rules, sizeof(rules) / sizeof((rules)[0]), error)

static clnorm_status check_statistics(const clnorm_desc *d, clnorm_error *error)
{
    const clnorm_kind_info kind = clnorm_kind_of(d);
    const bool computed = d->stats == CLNORM_STATS_COMPUTED;
    const uint64_t size = kind.batch ? 2 : clnorm_set_size(d, 1); /* a batch: known with the call */
    const rule rules[] = {
        {d->ddof == 1 && size < 2,
         "ddof is 1 and a set has 1 element, so that the variance is divided by 0; allowed is 0"},
        {d->ddof == 1 && !kind.center, "ddof is 1; allowed is 0, as no mean is subtracted"},
        {d->ddof == 1 && !computed, "ddof is 1 and the statistics are given; allowed is 0"},
        {d->stats == CLNORM_STATS_RUNNING && d->kind != CLNORM_BATCH_NORM,
         "stats is 2 (running); allowed for batch_norm only"},
        {d->stats == CLNORM_STATS_RUNNING && d->eps_mode != CLNORM_EPS_INSIDE,
         "stats is 2 (running) with another eps_mode than 0 (inside)"},
        {d->stats == CLNORM_STATS_GIVEN && kind.norm,
         "stats is 1 (given); allowed is 0, as a norm has no statistics to give"},
        {d->stats_cols > 0 && d->kind != CLNORM_RMS_NORM,
         "stats_cols is given; allowed for rms_norm only"},
        {d->stats_cols > 0 && d->groups > 1, "stats_cols and groups are given; allowed is one"},
        {d->stats_cols > 0 && !computed, "stats_cols is given, and the statistics too"},
        {d->center_only && d->kind != CLNORM_LAYER_NORM && d->kind != CLNORM_MVN,
         "center_only is 1; allowed for layer_norm and mvn"},
        {d->center_only && !computed, "center_only is 1 and the statistics are given"},
        {d->center_only && (d->ddof || d->eps_mode != CLNORM_EPS_INSIDE),
         "center_only is 1, so that nothing is divided, with ddof or eps_mode; allowed is 0"},
        {d->stats == CLNORM_STATS_GIVEN && d->eps_mode != CLNORM_EPS_INSIDE,
         "stats is 1 (given), with eps in them, and eps_mode is given; allowed is 0 (inside)"},
        {d->running_biased && d->kind != CLNORM_BATCH_NORM,
         "running_biased is 1; allowed for batch_norm only"},
        {d->layout == CLNORM_NHWC && !kind.channels,
         "layout is 1 (NHWC); allowed with channels only"},
        {d->kind != CLNORM_LP_NORM && d->p != 2, "p is not 2; allowed for lp_norm only"},
        {d->kind == CLNORM_WEIGHT_NORM && d->eps_mode == CLNORM_EPS_OUTSIDE,
         "eps_mode is 1 (outside); allowed are 0 and 2"},
        {d->kind == CLNORM_LP_NORM && d->p != 2 && d->eps_mode == CLNORM_EPS_INSIDE && d->eps > 0,
         "eps inside of a square root with p other than 2; allowed are eps 0, eps_mode 1 and 2"},
    };
    return CHECK(d, rules, error);
}

static clnorm_status check_fusion(const clnorm_desc *d, clnorm_error *error)
{
    const clnorm_kind_info kind = clnorm_kind_of(d);
    const bool mods = (d->inputs & (CLNORM_WITH_GATE | CLNORM_WITH_MODULATION)) != 0;
    const bool residual = (d->inputs & CLNORM_WITH_RESIDUAL) != 0;
    const bool modulation = (d->inputs & CLNORM_WITH_MODULATION) != 0;
    const bool sum = clnorm_desc_has_sum(d);
    const rule rules[] = {
        {!kind.fused && d->inputs, "inputs is given; allowed for layer_norm and rms_norm"},
        {!kind.fused && d->dropout > 0, "dropout is given; allowed for layer_norm and rms_norm"},
        {!kind.fused && d->act_gate, "act_gate is given; allowed for layer_norm and rms_norm"},
        {!kind.fused && d->quant, "quant is given; allowed for layer_norm and rms_norm"},
        {d->alpha != 1 && !residual, "alpha is given without a residual; allowed is 1"},
        {d->contract == CLNORM_SUM_EXACT && !sum,
         "contract is 1 (exact) and there is no sum: no residual, x_bias, gate or dropout"},
        {d->scale_offset != 1 && d->scale_offset != 0 && !modulation,
         "scale_offset is given without modulation; allowed are 0 and 1"},
        {d->rows_per_mod > 0 && !mods, "rows_per_mod is given without gate or modulation"},
        {d->act_gate == CLNORM_ACT_BEFORE && (d->inputs & ~(unsigned)CLNORM_WITH_MODULATION),
         "act_gate is 2 (before) with residual, x_bias or gate; allowed is modulation only"},
        {d->act_gate == CLNORM_ACT_BEFORE && d->dropout > 0,
         "act_gate is 2 (before) with dropout; allowed is one of them"},
        {d->cast == CLNORM_CAST_FIRST && !kind.weight, "cast is 1 (first) without a weight"},
        {d->cast == CLNORM_CAST_FIRST && d->quant,
         "cast is 1 (first) with a quantised y; allowed is 0 (wide)"},
        {d->weight_offset != 0 && !kind.weight, "weight_offset is given without a weight"},
    };
    return CHECK(d, rules, error);
}

static clnorm_status check_quantisation(const clnorm_desc *d, clnorm_error *error)
{
    const rule rules[] = {
        {clnorm_dtype_is_quantised(d->y_dtype) && !d->quant,
         "y_dtype is i8, e4m3 or e5m2; allowed with quant 1 to 3 only"},
        {d->quant && !clnorm_dtype_is_quantised(d->y_dtype),
         "quant is given; allowed with y_dtype i8, e4m3 or e5m2 only"},
        {d->quant_asymmetric && d->y_dtype != CLNORM_I8,
         "quant_asymmetric is 1; allowed with y_dtype i8 only"},
        {d->quant && d->x_dtype == CLNORM_F64,
         "quant is given with f64; allowed are f32, f16, bf16"},
        {d->quant_group > 0 && d->quant != CLNORM_QUANT_GROUP,
         "quant_group is given; allowed with quant 3 (group) only"},
        {d->quant && d->groups > 1, "quant and groups are given; allowed is one of them"},
    };
    return CHECK(d, rules, error);
}

static clnorm_status check_scales(const clnorm_desc *d, clnorm_error *error)
{
    const bool fixed = d->quant != CLNORM_QUANT_ROW && d->quant != CLNORM_QUANT_GROUP;
    const bool least = d->qscale_min > 0, most = d->qscale_max > 0;
    const rule rules[] = {
        {fixed && least,
         "qscale_min is given; allowed with quant 2 and 3 only, as no scale is computed else"},
        {fixed && most,
         "qscale_max is given; allowed with quant 2 and 3 only, as no scale is computed else"},
        {d->quant_asymmetric && least,
         "qscale_min and quant_asymmetric are given; allowed is one of them, as the scale and the "
         "zero point are of one range of y"},
        {d->quant_asymmetric && most,
         "qscale_max and quant_asymmetric are given; allowed is one of them, as the scale and the "
         "zero point are of one range of y"},
        {most && d->qscale_max < d->qscale_min, "qscale_max is below qscale_min"},
    };
    return CHECK(d, rules, error);
}

static clnorm_status check_backward(const clnorm_desc *d, clnorm_error *error)
{
    const bool output = d->backward == CLNORM_FROM_OUTPUT;
    const clnorm_kind_info kind = clnorm_kind_of(d);
    const rule rules[] = {
        {output && !kind.fused, "backward is 1 (from output); allowed for layer_norm and rms_norm"},
        {output && (d->inputs || d->act_gate || d->dropout > 0),
         "backward is 1 (from output) with inputs, act_gate or dropout; allowed is 0 (from input)"},
        {output && clnorm_dtype_is_quantised(d->y_dtype),
         "backward is 1 (from output) of a quantised y"},
        {output && d->cast == CLNORM_CAST_FIRST,
         "backward is 1 (from output) with cast 1 (first); allowed is 0 (wide)"},
        {output && (d->center_only || d->stats || d->stats_cols),
         "backward is 1 (from output) with center_only, stats or stats_cols"},
    };
    return CHECK(d, rules, error);
}

clnorm_status clnorm_desc_rules(const clnorm_desc *desc, clnorm_error *error)
{
    static clnorm_status (*const checks[])(const clnorm_desc *, clnorm_error *) = {
        check_statistics, check_fusion, check_quantisation, check_scales, check_backward};
    clnorm_status status = CLNORM_OK;
    for (size_t i = 0; status == CLNORM_OK && i < sizeof(checks) / sizeof(checks[0]); i++)
        status = checks[i](desc, error);
    return status;
}

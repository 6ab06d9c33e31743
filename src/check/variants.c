/* SPDX-License-Identifier: MIT */
#include "check/variants.h"

#include <string.h>

#define V(text, ...) .name = text, .set = {__VA_ARGS__}
#define LN .kind = CLNORM_LAYER_NORM
#define RMS .kind = CLNORM_RMS_NORM
#define OUTSIDE .eps_mode = CLNORM_EPS_OUTSIDE
#define CLAMP .eps_mode = CLNORM_EPS_CLAMP
#define GIVEN .stats = CLNORM_STATS_GIVEN
#define EXACT .contract = CLNORM_SUM_EXACT
#define FIRST .cast = CLNORM_CAST_FIRST
#define AFTER .act_gate = CLNORM_ACT_AFTER
#define BEFORE .act_gate = CLNORM_ACT_BEFORE
#define FROM_OUTPUT .backward = CLNORM_FROM_OUTPUT
#define NHWC .layout = CLNORM_NHWC
#define RESIDUAL CLNORM_WITH_RESIDUAL
#define X_BIAS CLNORM_WITH_X_BIAS
#define GATE CLNORM_WITH_GATE
#define MODULATION CLNORM_WITH_MODULATION
#define QUANT(how, type) .quant = CLNORM_QUANT_##how, .y_dtype = CLNORM_##type
#define ASYMMETRIC(how) QUANT(how, I8), .quant_asymmetric = 1
#define EVERY .every_dtype = true
#define GROUPS .parts = CLNORM_PART_GROUPS
#define CHANNELS .parts = CLNORM_PART_CHANNELS
#define SCALES .parts = CLNORM_PART_SCALES

static const clnorm_variant variants[] = {
    {V("layer_norm", LN)},
    {V("rms_norm", RMS)},
    /* statistics */
    {V("layer_norm+outside", LN, OUTSIDE)},
    {V("layer_norm+outside+ddof", LN, OUTSIDE, .ddof = 1)},
    {V("layer_norm+ddof", LN, .ddof = 1)},
    {V("rms_norm+outside", RMS, OUTSIDE)},
    {V("rms_norm+clamp", RMS, CLAMP, .eps = 0.5)},
    {V("layer_norm+given", LN, GIVEN)},
    {V("rms_norm+given", RMS, GIVEN)},
    {V("rms_norm+partial", RMS), .parts = CLNORM_PART_COLS},
    {V("layer_norm+groups", LN), GROUPS},
    {V("rms_norm+groups", RMS), GROUPS},
    {V("layer_norm+center_only", LN, .center_only = 1)},
    /* what the normalized row is multiplied by */
    {V("layer_norm+offset", LN, .weight_offset = 1)},
    {V("rms_norm+offset", RMS, .weight_offset = 1)},
    {V("layer_norm+cast_first", LN, FIRST), .only_forward = true},
    {V("rms_norm+cast_first+offset", RMS, FIRST, .weight_offset = 1)},
    {V("layer_norm+from_output", LN, FROM_OUTPUT), .only_backward = true},
    {V("rms_norm+from_output", RMS, FROM_OUTPUT, .weight_offset = 1), .only_backward = true},
    {V("layer_norm+modulation/tensor", LN, .inputs = MODULATION)},
    {V("layer_norm+modulation/row", LN, .inputs = MODULATION, .rows_per_mod = 1)},
    {V("layer_norm+modulation/sample", LN, .inputs = MODULATION, .rows_per_mod = 3)},
    {V("rms_norm+modulation/sample", RMS, .inputs = MODULATION, .rows_per_mod = 3)},
    {V("rms_norm+silu_after", RMS, AFTER)},
    {V("rms_norm+silu_before+groups", RMS, BEFORE), GROUPS},
    {V("layer_norm+silu_after+modulation", LN, AFTER, .inputs = MODULATION, .rows_per_mod = 2,
       .scale_offset = 0.5)},
    /* sums */
    {V("layer_norm+residual", LN, .inputs = RESIDUAL)},
    {V("rms_norm+residual+exact", RMS, EXACT, .inputs = RESIDUAL, .alpha = 2.5)},
    {V("layer_norm+residual+exact", LN, EXACT, .inputs = RESIDUAL | X_BIAS, .alpha = 0.3)},
    {V("layer_norm+x_bias", LN, .inputs = X_BIAS)},
    {V("layer_norm+residual+gate/row", LN, .inputs = RESIDUAL | GATE, .rows_per_mod = 1)},
    {V("rms_norm+residual+gate/tensor", RMS, .inputs = RESIDUAL | GATE | X_BIAS, .alpha = 1.7)},
    {V("rms_norm+residual+modulation/sample", RMS, .inputs = RESIDUAL | MODULATION,
       .rows_per_mod = 3)},
    {V("layer_norm+dropout", LN, .dropout = 0.3)},
    {V("rms_norm+dropout+residual", RMS, .inputs = RESIDUAL, .dropout = 0.1)},
    {V("layer_norm+everything", LN, AFTER, .inputs = RESIDUAL | X_BIAS | GATE | MODULATION,
       .rows_per_mod = 4, .dropout = 0.5, .alpha = 1.25, .weight_offset = 1,
       .eps_mode = CLNORM_EPS_OUTSIDE)},
    /* quantised outputs */
    {V("layer_norm+i8/static", LN, QUANT(STATIC, I8)), .only_forward = true},
    {V("rms_norm+i8/row", RMS, QUANT(ROW, I8))},
    {V("rms_norm+i8/group", RMS, QUANT(GROUP, I8)), SCALES, .only_forward = true},
    {V("layer_norm+i8/asymmetric", LN, ASYMMETRIC(ROW)), .only_forward = true},
    {V("rms_norm+i8/static+asymmetric", RMS, ASYMMETRIC(STATIC)), .only_forward = true},
    {V("layer_norm+i8/group+asymmetric", LN, ASYMMETRIC(GROUP)), SCALES, .only_forward = true},
    {V("rms_norm+e4m3/static", RMS, QUANT(STATIC, E4M3)), .only_forward = true},
    {V("layer_norm+e4m3/row", LN, QUANT(ROW, E4M3), .qscale_max = 0.005), .only_forward = true},
    {V("layer_norm+e5m2/group", LN, QUANT(GROUP, E5M2)), SCALES, .only_forward = true},
    {V("rms_norm+residual+i8/row", RMS, QUANT(ROW, I8), .inputs = RESIDUAL), .only_forward = true},
    /* sets of channels */
    {V("group_norm/nchw", .kind = CLNORM_GROUP_NORM), CHANNELS, EVERY},
    {V("group_norm/nhwc", .kind = CLNORM_GROUP_NORM, NHWC), CHANNELS},
    {V("instance_norm/nchw", .kind = CLNORM_INSTANCE_NORM), CHANNELS, EVERY},
    {V("instance_norm/nhwc", .kind = CLNORM_INSTANCE_NORM, NHWC), CHANNELS},
    {V("batch_norm/nchw", .kind = CLNORM_BATCH_NORM), CHANNELS, EVERY},
    {V("batch_norm/nhwc", .kind = CLNORM_BATCH_NORM, NHWC, .running_biased = 1), CHANNELS},
    {V("batch_norm+running/nchw", .kind = CLNORM_BATCH_NORM, .stats = CLNORM_STATS_RUNNING),
     CHANNELS},
    {V("batch_norm+running/nhwc", .kind = CLNORM_BATCH_NORM, NHWC, .stats = CLNORM_STATS_RUNNING),
     CHANNELS},
    {V("batch_norm+given/nchw", .kind = CLNORM_BATCH_NORM, GIVEN), CHANNELS},
    {V("mvn", .kind = CLNORM_MVN, OUTSIDE, .eps = 1e-9), EVERY},
    {V("mvn+center_only", .kind = CLNORM_MVN, .center_only = 1)},
    {V("mvn/nchw", .kind = CLNORM_MVN, OUTSIDE, .eps = 1e-9), CHANNELS},
    {V("mvn/nhwc", .kind = CLNORM_MVN, NHWC), CHANNELS},
    /* norms */
    {V("lp_norm/2", .kind = CLNORM_LP_NORM), EVERY},
    {V("lp_norm/2+clamp", .kind = CLNORM_LP_NORM, CLAMP, .eps = 1e-3)},
    {V("lp_norm/2+outside", .kind = CLNORM_LP_NORM, OUTSIDE)},
    {V("lp_norm/1", .kind = CLNORM_LP_NORM, CLAMP, .p = 1, .eps = 1e-12)},
    {V("lp_norm/3", .kind = CLNORM_LP_NORM, OUTSIDE, .p = 3)},
    {V("weight_norm", .kind = CLNORM_WEIGHT_NORM), EVERY},
    {V("weight_norm+clamp", .kind = CLNORM_WEIGHT_NORM, CLAMP, .eps = 1e-3)},
};

const clnorm_variant *clnorm_variants(size_t *count)
{
    *count = sizeof(variants) / sizeof(variants[0]);
    return variants;
}

const clnorm_variant *clnorm_variant_find(const char *name)
{
    for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
        if (strcmp(variants[i].name, name) == 0)
            return &variants[i];
    return NULL;
}

static void cut_up(clnorm_desc *desc, clnorm_parts parts, const clnorm_check_shape *shape)
{
    switch (parts) {
    case CLNORM_PART_GROUPS:
        desc->groups = shape->groups;
        break;
    case CLNORM_PART_COLS:
        desc->stats_cols = shape->cols / 3 + 1;
        break;
    case CLNORM_PART_SCALES:
        desc->quant_group = shape->cols / shape->groups;
        break;
    case CLNORM_PART_CHANNELS:
        desc->channels = shape->channels;
        desc->groups = desc->kind == CLNORM_GROUP_NORM ? shape->groups : 0;
        break;
    case CLNORM_NO_PARTS:
        break;
    }
}

/* What a variant may set; what it leaves at 0 keeps its default. */
#define SWITCHES(S)                                                                                \
    S(kind), S(y_dtype), S(eps), S(layout), S(eps_mode), S(ddof), S(p), S(center_only),            \
        S(weight_offset), S(cast), S(stats), S(inputs), S(alpha), S(contract), S(rows_per_mod),    \
        S(scale_offset), S(act_gate), S(dropout), S(running_biased), S(quant),                     \
        S(quant_asymmetric), S(qscale_max), S(backward)

clnorm_desc clnorm_variant_desc(const clnorm_variant *variant, const clnorm_check_shape *shape)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
#define TAKE(field) (desc.field = variant->set.field ? variant->set.field : desc.field)
    SWITCHES(TAKE);
#undef TAKE
    desc.cols = shape->cols;
    cut_up(&desc, variant->parts, shape);
    return desc;
}

static uint64_t divisor_up_to(uint64_t number, uint64_t most)
{
    uint64_t divisor = most < number ? most : number;
    while (number % divisor)
        divisor--;
    return divisor;
}

/* Channels of a group-norm are cut into as many groups as a row is, so groups divide both. */
clnorm_check_shape clnorm_check_shape_of(uint64_t rows, uint64_t cols)
{
    const uint64_t channels = divisor_up_to(cols, 64);
    return (clnorm_check_shape){rows, cols, channels, divisor_up_to(channels, 8)};
}

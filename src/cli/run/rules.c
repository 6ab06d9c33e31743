/* SPDX-License-Identifier: MIT */
#include "cli/run/run.h"

#include "base/desc.h"
#include "base/kind.h"

/* ---- what is asked for --------------------------------------------------------------------- */

static bool has(const struct run_job *job, clnorm_tensor_id id) { return job->paths[id] != NULL; }

static bool is_given(const struct run_job *job, const char *name)
{
    return run_is_given(job->options, name);
}

static clnorm_kind_info kind_of(const struct run_job *job) { return clnorm_kind_of(&job->asked); }

static bool is_op(const struct run_job *job, clnorm_kind kind) { return job->asked.kind == kind; }

static bool is_backward(const struct run_job *job) { return job->direction == CLNORM_BACKWARD; }

static bool has_channels(const struct run_job *job) { return kind_of(job).channels; }
static bool has_no_channels(const struct run_job *job) { return !kind_of(job).channels; }
static bool is_fused(const struct run_job *job) { return kind_of(job).fused; }
static bool is_batch_norm(const struct run_job *job) { return is_op(job, CLNORM_BATCH_NORM); }
static bool is_rms_norm(const struct run_job *job) { return is_op(job, CLNORM_RMS_NORM); }

static bool is_lp_norm(const struct run_job *job)
{
    return is_op(job, CLNORM_LP_NORM) && job->options->op != RUN_L2_NORM;
}

static bool is_no_weight_norm(const struct run_job *job) { return !is_op(job, CLNORM_WEIGHT_NORM); }

static bool may_only_center(const struct run_job *job)
{
    return is_op(job, CLNORM_LAYER_NORM) || is_op(job, CLNORM_MVN);
}

/* ---- statistics ---------------------------------------------------------------------------- */

static bool centers(const struct run_job *job) { return kind_of(job).center; }
static bool has_statistics(const struct run_job *job) { return !kind_of(job).norm; }
static bool divides(const struct run_job *job) { return !job->asked.center_only; }

static bool is_not_given(const struct run_job *job)
{
    return job->asked.stats != CLNORM_STATS_GIVEN;
}

static bool is_not_running(const struct run_job *job)
{
    return job->asked.stats != CLNORM_STATS_RUNNING;
}

static bool has_one_group(const struct run_job *job) { return job->asked.groups <= 1; }

/* A square root has eps inside of it where p is 2. */
static bool has_root(const struct run_job *job)
{
    return job->asked.p == 2 || (is_given(job, "eps") && job->asked.eps == 0);
}

static bool updates_running(const struct run_job *job)
{
    return job->options->tensors[RUN_NEW_RUNNING_MEAN] != NULL;
}

/* ---- what is fused ------------------------------------------------------------------------- */

static bool has_residual(const struct run_job *job)
{
    return (job->asked.inputs & CLNORM_WITH_RESIDUAL) != 0;
}

static bool has_modulation(const struct run_job *job)
{
    return (job->asked.inputs & CLNORM_WITH_MODULATION) != 0;
}

static bool has_mods(const struct run_job *job)
{
    return (job->asked.inputs & CLNORM_WITH_GATE) != 0 || has_modulation(job);
}

static bool has_dropout(const struct run_job *job) { return is_given(job, "dropout"); }

static bool has_sum(const struct run_job *job) { return clnorm_desc_has_sum(&job->asked); }

static bool has_no_sum(const struct run_job *job) { return !has_sum(job); }

static bool is_not_fused(const struct run_job *job)
{
    return !job->asked.inputs && !job->asked.act_gate && !has_dropout(job);
}

static bool has_weight(const struct run_job *job) { return has(job, TENSOR_weight); }

static bool has_params(const struct run_job *job)
{
    return kind_of(job).weight && (has_weight(job) || has(job, TENSOR_bias));
}

/* ---- types --------------------------------------------------------------------------------- */

static bool has_quant(const struct run_job *job) { return job->asked.quant != CLNORM_QUANT_NONE; }
static bool has_no_quant(const struct run_job *job) { return !has_quant(job); }

static bool quantises_whole(const struct run_job *job)
{
    return has_no_quant(job) || has_one_group(job);
}

static bool has_small_type(const struct run_job *job)
{
    return job->options->out_dtype >= (int)CLNORM_I8;
}

static bool is_scaled(const struct run_job *job) { return has_quant(job) || !has_small_type(job); }

static bool has_bytes(const struct run_job *job)
{
    return job->options->out_dtype == (int)CLNORM_I8;
}

static bool is_symmetric(const struct run_job *job) { return !job->asked.quant_asymmetric; }

static bool has_quant_group(const struct run_job *job)
{
    return job->asked.quant == CLNORM_QUANT_GROUP;
}

static bool finds_scale(const struct run_job *job)
{
    return job->asked.quant == CLNORM_QUANT_ROW || has_quant_group(job);
}

static bool is_above_least(const struct run_job *job)
{
    return job->asked.qscale_max == 0 || job->asked.qscale_max >= job->asked.qscale_min;
}

/* Known once the files are open. */
static bool has_bf16_file(const struct run_job *job)
{
    bool is_open = false;
    for (size_t i = 0; i < TENSOR_COUNT; i++) {
        is_open = is_open || job->files[i].path;
        if (job->files[i].path && job->files[i].dtype == CLNORM_BF16)
            return true;
    }
    return !is_open;
}

/* ---- gradients ----------------------------------------------------------------------------- */

static bool is_forward(const struct run_job *job) { return !is_backward(job); }
static bool is_from_input(const struct run_job *job) { return !job->options->from_output; }

static bool keeps_mean(const struct run_job *job) { return is_forward(job) || centers(job); }

/* A backward pass reads mean and rstd, or calculates both again. */
static bool has_pair(const struct run_job *job)
{
    return is_forward(job) || !centers(job) || !is_from_input(job) ||
           has(job, TENSOR_mean) == has(job, TENSOR_rstd);
}

static bool has_residual_or_sum(const struct run_job *job)
{
    return has(job, TENSOR_residual) || has(job, TENSOR_sum);
}

static bool has_x_bias_or_sum(const struct run_job *job)
{
    return has(job, TENSOR_x_bias) || has(job, TENSOR_sum);
}

static bool has_x_bias_if_any(const struct run_job *job)
{
    return has(job, TENSOR_x_bias) || !has(job, TENSOR_dx_bias);
}

static bool is_plain(const struct run_job *job)
{
    const clnorm_desc *d = &job->asked;
    return !d->cast && !d->center_only && !d->stats && !d->stats_cols;
}

/* ---- the table ----------------------------------------------------------------------------- */

#define CENTERING                                                                                  \
    "for operators that subtract a mean: all but rms_norm, lp_norm, l2_norm, weight_norm"
#define FUSED "for layer_norm and rms_norm"
#define WITH_CHANNELS "for group_norm, instance_norm, batch_norm, and mvn with --channels"
#define NOT_GIVEN "without --given-rstd"
#define NOT_CENTER_ONLY "without --center-only"
#define UPDATED "with --new-running-mean"
#define NOT_RUNNING                                                                                \
    "where statistics are calculated: without --running-var, or with --new-running-var"
#define DYNAMIC "with --quant row and group"
#define SUMMED "with --residual, --x-bias, --gate or --dropout"
#define WITHOUT_SUM "without --residual, --x-bias, --gate and --dropout"

/* Each option with what it needs; an option may have several lines. */
static const struct {
    const char *option; /* without dashes */
    bool (*fits)(const struct run_job *job);
    const char *allowed;
} rules[] = {
    {"axes", has_no_channels,
     "for layer_norm, rms_norm, lp_norm, l2_norm, weight_norm, and mvn without --channels"},
    {"layout", has_channels, WITH_CHANNELS},
    {"groups", quantises_whole, "without --quant"},
    {"p", is_lp_norm, "for lp_norm; l2_norm is that with p 2"},
    {"center-only", may_only_center, "for layer_norm and mvn"},
    {"center-only", is_not_given, NOT_GIVEN},
    {"stats-cols", is_rms_norm, "for rms_norm"},
    {"stats-cols", has_one_group, "without --groups"},
    {"stats-cols", is_not_given, NOT_GIVEN},
    {"given-mean", has_statistics, "for all operators but lp_norm, l2_norm, weight_norm"},
    {"given-rstd", has_statistics, "for all operators but lp_norm, l2_norm, weight_norm"},
    {"eps", is_not_given, NOT_GIVEN},
    {"eps-inside", is_not_given, NOT_GIVEN},
    {"eps-outside", is_not_given, NOT_GIVEN},
    {"eps-clamp", is_not_given, NOT_GIVEN},
    {"eps", divides, NOT_CENTER_ONLY},
    {"eps-inside", divides, NOT_CENTER_ONLY},
    {"eps-outside", divides, NOT_CENTER_ONLY},
    {"eps-clamp", divides, NOT_CENTER_ONLY},
    {"eps-inside", has_root, "with --p 2, or with --eps 0"},
    {"eps-outside", is_no_weight_norm, "for all operators but weight_norm"},
    {"eps-outside", is_not_running, NOT_RUNNING},
    {"eps-clamp", is_not_running, NOT_RUNNING},
    {"ddof", centers, CENTERING},
    {"ddof", is_not_given, NOT_GIVEN},
    {"ddof", is_not_running, NOT_RUNNING},
    {"ddof", divides, NOT_CENTER_ONLY},
    {"running-mean", is_batch_norm, "for batch_norm"},
    {"running-var", is_batch_norm, "for batch_norm"},
    {"new-running-mean", is_batch_norm, "for batch_norm"},
    {"new-running-var", is_batch_norm, "for batch_norm"},
    {"momentum", updates_running, UPDATED},
    {"running-biased", updates_running, UPDATED},
    {"weight-offset", has_weight, "with --weight"},
    {"cast-first", has_params, "with --weight or --bias"},
    {"cast-first", has_no_quant, "without --quant"},
    {"alpha", has_residual, "with --residual"},
    {"sum-exact", has_sum, SUMMED},
    {"rows-per-mod", has_mods, "with --gate, --scale or --shift"},
    {"scale-offset", has_modulation, "with --scale"},
    {"silu-before", has_no_sum, WITHOUT_SUM},
    {"dropout", is_fused, FUSED},
    {"seed", has_dropout, "with --dropout"},
    {"bf16", has_bf16_file, "with a file of uint16"},
    {"out-dtype", is_forward, "without --backward; --grad-dtype says what gradients hold"},
    {"out-dtype", is_scaled, "with --quant where it is i8, e4m3 or e5m2"},
    {"quant", is_forward, "without --backward"},
    {"quant", is_fused, FUSED},
    {"quant", has_small_type, "with --out-dtype i8, e4m3 or e5m2"},
    {"asymmetric", has_quant, "with --quant"},
    {"asymmetric", has_bytes, "with --out-dtype i8"},
    {"quant-group", has_quant_group, "with --quant group"},
    {"qscale-min", finds_scale, DYNAMIC},
    {"qscale-max", finds_scale, DYNAMIC},
    {"qscale-min", is_symmetric, "without --asymmetric"},
    {"qscale-max", is_symmetric, "without --asymmetric"},
    {"qscale-max", is_above_least, "from --qscale-min on"},
    {"grad-dtype", is_backward, "with --backward"},
    {"from-output", is_backward, "with --backward"},
    {"from-output", is_fused, FUSED},
    {"from-output", is_not_fused,
     "without --residual, --x-bias, --gate, --scale, --silu-after, --silu-before and --dropout"},
    {"from-output", is_plain, "without --cast-first, --center-only, --given-rstd and --stats-cols"},
    {"mean", is_from_input, "without --from-output, which takes --rstd alone"},
    {"mean", keeps_mean, "with --backward " CENTERING},
    {"mean", has_pair, "with --rstd, as --backward reads both"},
    {"rstd", has_pair, "with --mean, as --backward reads both"},
    {"dresidual", has_residual_or_sum, "with --residual or --sum"},
    {"dx-bias", has_x_bias_or_sum, "with --x-bias or --sum"},
    {"dgate", has_x_bias_if_any, "with --x-bias, where --dx-bias is given"},
};

bool run_rules_check(const struct run_job *job, clnorm_error *error)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (is_given(job, rules[i].option) && !rules[i].fits(job))
            return refuse(error, "--%s is allowed %s", rules[i].option, rules[i].allowed);
    return true;
}

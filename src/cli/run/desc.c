/* SPDX-License-Identifier: MIT */
#include "cli/run/run.h"

#include "base/kind.h"

#include <string.h>

/* ---- switches ------------------------------------------------------------------------------ */

/* In the order of the choices of --op. eps and its place are those of PyTorch's normalize and
 * weight_norm and of ONNX's MeanVarianceNormalization; the norms have 1e-5 there, too. */
static const struct {
    clnorm_kind kind;
    double eps;
    clnorm_eps_mode eps_mode;
} operators[] = {
    {CLNORM_LAYER_NORM, 1e-5, CLNORM_EPS_INSIDE}, {CLNORM_RMS_NORM, 1e-5, CLNORM_EPS_INSIDE},
    {CLNORM_GROUP_NORM, 1e-5, CLNORM_EPS_INSIDE}, {CLNORM_INSTANCE_NORM, 1e-5, CLNORM_EPS_INSIDE},
    {CLNORM_BATCH_NORM, 1e-5, CLNORM_EPS_INSIDE}, {CLNORM_LP_NORM, 1e-12, CLNORM_EPS_CLAMP},
    {CLNORM_LP_NORM, 1e-12, CLNORM_EPS_CLAMP}, /* l2_norm: p is 2 */
    {CLNORM_WEIGHT_NORM, 0, CLNORM_EPS_INSIDE},   {CLNORM_MVN, 1e-9, CLNORM_EPS_OUTSIDE},
};

static bool set_eps(clnorm_desc *desc, const struct run_options *options, clnorm_error *error)
{
    const struct {
        bool is_given;
        clnorm_eps_mode mode;
    } modes[] = {{options->eps_inside, CLNORM_EPS_INSIDE},
                 {options->eps_outside, CLNORM_EPS_OUTSIDE},
                 {options->eps_clamp, CLNORM_EPS_CLAMP}};
    unsigned given = 0;
    desc->eps_mode = operators[options->op].eps_mode;
    if (!run_is_given(options, "eps"))
        desc->eps = operators[options->op].eps;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (modes[i].is_given) {
            desc->eps_mode = modes[i].mode;
            given++;
        }
    return given < 2 ||
           refuse(error,
                  "of --eps-inside, --eps-outside and --eps-clamp %u are given; allowed is "
                  "one",
                  given);
}

static void set_switches(clnorm_desc *desc, const struct run_options *options)
{
    desc->kind = operators[options->op].kind;
    desc->ddof = (unsigned)options->ddof;
    desc->layout = (clnorm_layout)(options->layout > 0);
    desc->cast = options->cast_first ? CLNORM_CAST_FIRST : CLNORM_CAST_WIDE;
    desc->contract = options->sum_exact ? CLNORM_SUM_EXACT : CLNORM_SUM_ROUNDED;
    desc->center_only = options->center_only;
    desc->running_biased = options->running_biased;
    desc->quant = (clnorm_quant)(options->quant + 1); /* --quant has no "none" */
    desc->quant_asymmetric = options->asymmetric;
    desc->backward = options->from_output ? CLNORM_FROM_OUTPUT : CLNORM_FROM_INPUT;
}

/* ---- what the files say -------------------------------------------------------------------- */

static bool set_inputs(struct run_job *job, clnorm_error *error)
{
    static const struct {
        clnorm_tensor_id id;
        unsigned input;
    } inputs[] = {
        {TENSOR_residual, CLNORM_WITH_RESIDUAL},
        {TENSOR_dresidual, CLNORM_WITH_RESIDUAL},
        {TENSOR_x_bias, CLNORM_WITH_X_BIAS},
        {TENSOR_dx_bias, CLNORM_WITH_X_BIAS},
        {TENSOR_gate, CLNORM_WITH_GATE},
        {TENSOR_dgate, CLNORM_WITH_GATE},
        {TENSOR_scale, CLNORM_WITH_MODULATION},
        {TENSOR_shift, CLNORM_WITH_MODULATION},
        {TENSOR_dscale, CLNORM_WITH_MODULATION},
        {TENSOR_dshift, CLNORM_WITH_MODULATION},
        {TENSOR_z, 0},
    };
    const clnorm_kind_info kind = clnorm_kind_of(&job->asked);
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        if (!job->paths[inputs[i].id])
            continue;
        if (!kind.fused)
            return refuse(error, "%s is given; allowed for layer_norm and rms_norm, not for %s",
                          job->names[inputs[i].id], kind.name);
        job->asked.inputs |= inputs[i].input;
    }
    return true;
}

static void set_sources(struct run_job *job)
{
    char *const *paths = job->options->tensors;
    if (paths[RUN_GIVEN_MEAN] || paths[RUN_GIVEN_RSTD])
        job->asked.stats = CLNORM_STATS_GIVEN;
    else if (job->paths[TENSOR_running_mean] && !paths[RUN_NEW_RUNNING_MEAN])
        job->asked.stats = CLNORM_STATS_RUNNING;
    if (paths[RUN_SILU_AFTER])
        job->asked.act_gate = CLNORM_ACT_AFTER;
    else if (paths[RUN_SILU_BEFORE])
        job->asked.act_gate = CLNORM_ACT_BEFORE;
}

bool run_desc_make(struct run_job *job, clnorm_error *error)
{
    const struct run_options *options = job->options;
    job->asked = options->desc;
    set_switches(&job->asked, options);
    set_sources(job);
    if (options->from_output && job->direction == CLNORM_FORWARD)
        return refuse(error, "--from-output needs --backward DY.npy");
    return set_inputs(job, error) && set_eps(&job->asked, options, error);
}

/* ---- dtypes -------------------------------------------------------------------------------- */

/* Which dtype of the descriptor the file of an input decides. */
static const struct {
    clnorm_tensor_id id;
    size_t place;
} deciders[] = {
    {TENSOR_x, offsetof(clnorm_desc, x_dtype)},
    {TENSOR_y, offsetof(clnorm_desc, y_dtype)},
    {TENSOR_sum, offsetof(clnorm_desc, residual_dtype)},
    {TENSOR_residual, offsetof(clnorm_desc, residual_dtype)},
    {TENSOR_dy, offsetof(clnorm_desc, dy_dtype)},
    {TENSOR_dsum, offsetof(clnorm_desc, dy_dtype)},
    {TENSOR_weight, offsetof(clnorm_desc, param_dtype)},
    {TENSOR_bias, offsetof(clnorm_desc, param_dtype)},
    {TENSOR_x_bias, offsetof(clnorm_desc, param_dtype)},
    {TENSOR_gate, offsetof(clnorm_desc, param_dtype)},
    {TENSOR_scale, offsetof(clnorm_desc, param_dtype)},
    {TENSOR_shift, offsetof(clnorm_desc, param_dtype)},
};
enum { DECIDERS = sizeof(deciders) / sizeof(deciders[0]) };

static bool decide(struct run_job *job, size_t i, clnorm_error *error)
{
    const struct input_file *file = &job->files[deciders[i].id];
    if (!file->path)
        return true;
    for (size_t k = 0; k < i; k++) {
        const struct input_file *other = &job->files[deciders[k].id];
        if (deciders[k].place == deciders[i].place && other->path && other->dtype != file->dtype)
            return refuse(error, "%s holds %s and %s holds %s; must be the same", other->path,
                          clnorm_dtype_name(other->dtype), file->path,
                          clnorm_dtype_name(file->dtype));
    }
    memcpy((char *)&job->asked + deciders[i].place, &file->dtype, sizeof(file->dtype));
    return true;
}

/* f64 goes with f64 only. */
static bool check_width(const struct run_job *job, clnorm_error *error)
{
    const struct input_file *main = &job->files[job->main];
    const struct run_options *options = job->options;
    const struct {
        const char *name;
        int dtype;
    } asked[] = {{"--out-dtype", options->out_dtype}, {"--grad-dtype", options->grad_dtype}};
    const bool wide = main->dtype == CLNORM_F64;
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
        if (asked[i].dtype >= 0 && (asked[i].dtype == CLNORM_F64) != wide)
            return refuse(error, "%s is %s and %s holds %s; allowed is f64 for all or for none",
                          asked[i].name, clnorm_dtype_name((clnorm_dtype)asked[i].dtype),
                          main->path, clnorm_dtype_name(main->dtype));
    for (size_t i = 0; i < TENSOR_COUNT; i++) {
        const struct input_file *file = &job->files[i];
        if (i != TENSOR_qscale && file->path && (file->dtype == CLNORM_F64) != wide)
            return refuse(error, "%s holds %s and %s holds %s; allowed is f64 for all or for none",
                          file->path, clnorm_dtype_name(file->dtype), main->path,
                          clnorm_dtype_name(main->dtype));
    }
    return true;
}

bool run_desc_dtypes(struct run_job *job, clnorm_error *error)
{
    const struct run_options *options = job->options;
    const clnorm_dtype main = job->files[job->main].dtype;
    clnorm_desc *desc = &job->asked;
    desc->x_dtype = desc->y_dtype = main;
    desc->param_dtype = main == CLNORM_F64 ? CLNORM_F64 : CLNORM_F32;
    if (options->out_dtype >= 0)
        desc->y_dtype = (clnorm_dtype)options->out_dtype;
    if (options->grad_dtype >= 0)
        desc->dx_dtype = desc->dparam_dtype = (clnorm_dtype)options->grad_dtype;
    for (size_t i = 0; i < DECIDERS; i++)
        if (!decide(job, i, error))
            return false;
    return check_width(job, error);
}

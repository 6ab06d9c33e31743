/* SPDX-License-Identifier: MIT */
#include "ops/self_test.h"

#include "base/dtype.h"
#include "ops/self_test_trial.h"
#include "ops/set_args.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- the sums of lines --------------------------------------------------------------------- */

/* Whole numbers that every type has, sums included. */
static void fill_lines(clnorm_test_trial *t)
{
    static const clnorm_gradient gradients[] = {CLNORM_LINES_DWEIGHT, CLNORM_LINES_DBIAS};
    for (size_t k = 0; k < 2; k++) {
        const clnorm_gradient_info *info = &t->op.gradients[gradients[k]];
        for (uint64_t i = 0; i < info->length; i++)
            t->values.of[info->id][i] = 0;
        for (uint64_t i = 0; i < t->lines.count * info->length; i++) {
            const double value = (double)((i * 7 + k) % 23);
            clnorm_store(clnorm_trial_real(t), t->host[CLNORM_TRIAL_WORKSPACE],
                         t->lines.first[gradients[k]] + i, value);
            t->values.of[info->id][i % info->length] += value;
        }
        t->values.scale[info->id] = 23 * (double)t->lines.count;
    }
}

static clnorm_status run_sums(clnorm_test_trial *t, clnorm_error *error)
{
    const clnorm_events none = {0, NULL, NULL};
    clnorm_status status;
    fill_lines(t);
    clReleaseMemObject(t->args.workspace.buffer);
    t->args.workspace.buffer = NULL;
    TRY(clnorm_trial_upload(t, CLNORM_TRIAL_WORKSPACE, error));
    TRY(clnorm_run_sums(&t->op, t->queue, &t->args, t->values.rows, none, error));
fail:
    return status;
}

/* ---- the test ------------------------------------------------------------------------------ */

/* Of a few vectors, so that a short row has some, and the last one is shorter. */
static void shrink_parts(clnorm_geometry *geometry, uint64_t cols)
{
    const unsigned part = (unsigned)(cols / 4 / geometry->vec) * geometry->vec;
    if (geometry->part > 0)
        geometry->part = part > 0 ? part : geometry->vec;
}

/* All kernels of the op are the one under test: whatever tensors are given, it runs. */
static void make_op(clnorm_test_trial *t, const clnorm_op *op, const clnorm_built *built)
{
    t->op = (clnorm_op){.context = op->context,
                        .desc = t->values.desc,
                        .geometry = built->geometry,
                        .lock = CLNORM_LOCK_INIT,
                        .workspaces = {CLNORM_LOCK_INIT, NULL}};
    clnorm_gradients_of(&t->op.desc, t->op.gradients);
    shrink_parts(&t->op.geometry, t->op.desc.cols);
    if (t->op.geometry.block > 0)
        t->op.geometry.slots = 1; /* few groups of many rows, whatever the device has */
    for (int i = 0; i < CLNORM_KERNELS; i++) {
        t->op.built[i] = *built;
        t->op.built[i].geometry = t->op.geometry;
    }
}

/* Sums know nothing of the descriptor but types. */
static clnorm_desc tested_desc(const clnorm_op *op, clnorm_kernel_id id)
{
    const bool wide = op->desc.x_dtype == CLNORM_F64;
    clnorm_desc desc = CLNORM_DESC_INIT;
    if (id != CLNORM_KERNEL_SUMS)
        return op->desc;
    desc.cols = 67;
    desc.groups = 1;
    desc.x_dtype = desc.y_dtype = desc.param_dtype = desc.residual_dtype = desc.dy_dtype =
        desc.dx_dtype = wide ? CLNORM_F64 : CLNORM_F32;
    desc.dparam_dtype = op->desc.dparam_dtype;
    return desc;
}

static clnorm_status prepare(clnorm_test_trial *t, const clnorm_op *op, const clnorm_built *built,
                             clnorm_error *error)
{
    const clnorm_purpose purpose = clnorm_kernel_purpose(t->id);
    const clnorm_desc desc = tested_desc(op, t->id);
    cl_int code;
    if (!clnorm_test_values_make(op->context, &desc, &built->geometry, purpose, &t->values))
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for a self-test");
    make_op(t, op, built);
    clnorm_tensor_uses_of(&t->op.desc, purpose.direction, t->values.rows, t->uses);
    if (purpose.direction == CLNORM_BACKWARD)
        t->lines = clnorm_lines_of(&t->op, t->values.rows);
    t->queue = clCreateCommandQueue(op->context->cl, op->context->device.device_id, 0, &code);
    const clnorm_status status = clnorm_cl_check(code, "clCreateCommandQueue", error);
    return status == CLNORM_OK ? clnorm_trial_give(t, error) : status;
}

static clnorm_status launch(clnorm_test_trial *t, clnorm_error *error)
{
    const clnorm_part all = {0, t->values.rows, t->values.rows};
    const clnorm_events none = {0, NULL, NULL};
    if (t->id == CLNORM_KERNEL_SUMS)
        return run_sums(t, error);
    return (t->values.purpose.direction == CLNORM_FORWARD
                ? clnorm_run_forward
                : clnorm_run_backward)(&t->op, t->queue, &t->args, all, none, error);
}

/* Rows that have parts: shared among groups, and then each by one. */
static clnorm_status run_all_ways(clnorm_test_trial *t, clnorm_error *error)
{
    const bool parted = t->values.purpose.direction == CLNORM_FORWARD && t->op.geometry.part > 0;
    clnorm_status status;
    if (parted)
        t->op.geometry.slots = UINT32_MAX;
    TRY(launch(t, error));
    TRY(clnorm_trial_compare(t, error));
    if (!parted || t->finding.trial != CLNORM_TRUSTED)
        return CLNORM_OK;
    t->op.geometry.slots = 0;
    TRY(clnorm_trial_forget(t, error));
    TRY(launch(t, error));
    TRY(clnorm_trial_compare(t, error));
fail:
    return status;
}

/* Not the kernel's fault: drivers may allocate as late as that. */
static bool is_out_of_memory(const clnorm_error *error)
{
    return error->status == CLNORM_OUT_OF_MEMORY ||
           error->opencl_code == CL_MEM_OBJECT_ALLOCATION_FAILURE ||
           error->opencl_code == CL_OUT_OF_HOST_MEMORY;
}

clnorm_finding clnorm_finding_of(const clnorm_error *error, bool of_launch)
{
    const bool disabled = of_launch && !is_out_of_memory(error);
    clnorm_finding finding = {disabled ? CLNORM_DISABLED : CLNORM_UNTRIED, ""};
    snprintf(finding.text, sizeof(finding.text), "%.*s", (int)sizeof(finding.text) - 1,
             error->text);
    return finding;
}

clnorm_finding clnorm_self_test_kernel(const clnorm_op *op, clnorm_kernel_id id,
                                       const clnorm_built *built)
{
    clnorm_error error = {.text = ""};
    clnorm_finding finding = {CLNORM_UNTRIED, "no host memory for a self-test"};
    clnorm_test_trial *t = calloc(1, sizeof(*t));
    if (!t)
        return finding;
    t->id = id;
    t->args = (clnorm_args)CLNORM_ARGS_INIT;
    const bool prepared = prepare(t, op, built, &error) == CLNORM_OK;
    const bool failed = prepared && run_all_ways(t, &error);
    finding = t->finding;
    if (!prepared || failed)
        finding = clnorm_finding_of(&error, failed);
    clnorm_trial_release(t);
    free(t);
    return finding;
}

static void log_finding(clnorm_context *context, const clnorm_candidate *candidate,
                        const clnorm_finding *finding)
{
    const clnorm_geometry *g = candidate->geometry;
    const bool failed = finding->trial == CLNORM_DISABLED;
    clnorm_log(
        context, failed ? CLNORM_LOG_WARNING : CLNORM_LOG_INFO,
        "self-test of %s, %s (vec %u, group %u, team %u, hold %u, part %u, block %u), on %s: %s%s",
        candidate->kernel, clnorm_form_name(g->form), g->vec, g->group_size, g->team_size, g->hold,
        g->part, g->block, context->device.name,
        failed                             ? "failed, and is not used: "
        : finding->trial == CLNORM_UNTRIED ? "did not come about: "
                                           : "passed",
        finding->trial == CLNORM_TRUSTED ? "" : finding->text);
}

bool clnorm_self_test_trusts(clnorm_context *context, const clnorm_candidate *candidate,
                             clnorm_test_fn test, const void *subject)
{
    const clnorm_self_test_policy policy = clnorm_context_self_test(context);
    const clnorm_trial known = clnorm_program_trial(context, candidate->program);
    if (policy == CLNORM_SELF_TEST_OFF)
        return true;
    if (policy == CLNORM_SELF_TEST_FIRST_USE && known != CLNORM_UNTRIED)
        return known == CLNORM_TRUSTED;
    const clnorm_finding finding = test(subject);
    log_finding(context, candidate, &finding);
    if (finding.trial != CLNORM_UNTRIED)
        clnorm_program_judge(context, candidate->program, finding.trial);
    return finding.trial != CLNORM_DISABLED;
}

typedef struct {
    const clnorm_op *op;
    clnorm_kernel_id id;
    const clnorm_built *built;
} tested_kernel;

static clnorm_finding test_kernel(const void *subject)
{
    const tested_kernel *k = subject;
    return clnorm_self_test_kernel(k->op, k->id, k->built);
}

bool clnorm_self_test_passes(const clnorm_op *op, clnorm_kernel_id id, const clnorm_built *built)
{
    const clnorm_candidate candidate = {clnorm_kernel_name(id), &built->geometry, built->program};
    const tested_kernel tested = {op, id, built};
    return clnorm_self_test_trusts(op->context, &candidate, test_kernel, &tested);
}

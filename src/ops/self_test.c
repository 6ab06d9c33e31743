/* SPDX-License-Identifier: MIT */
#include "ops/self_test.h"

#include "base/dtype.h"
#include "ops/lines.h"
#include "ops/self_test_values.h"
#include "ops/set_args.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A problem on the device. */
typedef struct {
    clnorm_op op; /* of the kernel under test alone */
    clnorm_kernel_id id;
    clnorm_test_values values;
    clnorm_tensor_use uses[TENSOR_COUNT];
    clnorm_lines lines;
    clnorm_args args;
    void *host[TENSOR_COUNT + 1]; /* the last one: the workspace */
    size_t bytes[TENSOR_COUNT + 1];
    cl_command_queue queue;
    clnorm_finding finding;
} trial;

enum { WORKSPACE = TENSOR_COUNT };
static const int unwritten = 0xff; /* NaN in all types but i8 */

/* ---- tensors ------------------------------------------------------------------------------- */

static clnorm_tensor *tensor_of(trial *t, int id)
{
    return id == WORKSPACE
               ? &t->args.workspace
               : (clnorm_tensor *)(uintptr_t)clnorm_args_tensor(&t->args, (clnorm_tensor_id)id);
}

static clnorm_dtype real_of(const trial *t) { return clnorm_stats_dtype(&t->op.desc); }

static clnorm_status allocate(trial *t, int id, uint64_t bytes, clnorm_error *error)
{
    t->bytes[id] = bytes > 64 ? (size_t)bytes : 64; /* Oclgrind reports remains of smaller ones */
    t->host[id] = malloc(t->bytes[id]);
    if (!t->host[id])
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for a self-test");
    memset(t->host[id], unwritten, t->bytes[id]);
    return CLNORM_OK;
}

static clnorm_status upload(trial *t, int id, clnorm_error *error)
{
    cl_int code;
    tensor_of(t, id)->buffer =
        clCreateBuffer(t->op.context->cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, t->bytes[id],
                       t->host[id], &code);
    return clnorm_cl_check(code, "clCreateBuffer", error);
}

static clnorm_status download(trial *t, int id, clnorm_error *error)
{
    return clnorm_cl_check(clEnqueueReadBuffer(t->queue, tensor_of(t, id)->buffer, CL_TRUE, 0,
                                               t->bytes[id], t->host[id], 0, NULL, NULL),
                           "clEnqueueReadBuffer", error);
}

/* Given statistics are inputs of a backward pass that was saved some. */
static bool is_given(const trial *t, int id)
{
    const bool statistic = id == TENSOR_mean || id == TENSOR_rstd;
    if (!t->values.of[id] || t->uses[id].role == CLNORM_UNUSED)
        return false;
    if (t->id == CLNORM_KERNEL_SUMS)
        return id == TENSOR_dweight || id == TENSOR_dbias;
    return t->values.purpose.direction == CLNORM_FORWARD || !statistic || t->values.purpose.saved ||
           t->op.desc.stats == CLNORM_STATS_GIVEN;
}

static clnorm_status give_tensors(trial *t, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use *use = &t->uses[id];
        if (!is_given(t, id))
            continue;
        TRY(allocate(t, id, t->values.count[id] * clnorm_dtype_bytes(use->dtype), error));
        for (uint64_t i = 0; use->role == CLNORM_INPUT && i < t->values.count[id]; i++)
            clnorm_store(use->dtype, t->host[id], i, t->values.of[id][i]);
        TRY(upload(t, id, error));
    }
    const uint64_t of_parts = t->values.purpose.direction == CLNORM_FORWARD
                                  ? clnorm_part_bytes(&t->op, t->values.rows)
                                  : 0;
    const uint64_t workspace = t->lines.elements * clnorm_dtype_bytes(real_of(t)) + of_parts;
    if (workspace > 0) {
        TRY(allocate(t, WORKSPACE, workspace, error));
        TRY(upload(t, WORKSPACE, error));
    }
fail:
    return status;
}

/* ---- comparing ----------------------------------------------------------------------------- */

static double code_at(const trial *t, int id, uint64_t i)
{
    return t->host[id] ? clnorm_load(t->uses[id].dtype, t->host[id], i) : 0;
}

static uint64_t scale_index(const trial *t, uint64_t i)
{
    const clnorm_desc *d = &t->op.desc;
    return d->quant == CLNORM_QUANT_STATIC ? 0
           : d->quant == CLNORM_QUANT_ROW  ? i / d->cols
                                           : i / d->quant_group;
}

static bool is_line_sum(const trial *t, int id)
{
    const clnorm_gradient_info *gradients = t->op.gradients;
    return (id == TENSOR_dweight && gradients[CLNORM_LINES_DWEIGHT].used) ||
           (id == TENSOR_dbias && gradients[CLNORM_LINES_DBIAS].used);
}

static double sum_of_lines(const trial *t, int id, uint64_t i)
{
    const clnorm_gradient gradient =
        id == TENSOR_dweight ? CLNORM_LINES_DWEIGHT : CLNORM_LINES_DBIAS;
    double sum = 0;
    for (uint64_t line = 0; line < t->lines.count; line++)
        sum += clnorm_load(real_of(t), t->host[WORKSPACE],
                           t->lines.first[gradient] + line * t->op.gradients[gradient].length + i);
    return sum;
}

static double got_at(const trial *t, int id, uint64_t i)
{
    if (t->id != CLNORM_KERNEL_SUMS && is_line_sum(t, id))
        return sum_of_lines(t, id, i);
    if (id != TENSOR_y || !t->op.desc.quant)
        return code_at(t, id, i);
    const uint64_t at = scale_index(t, i);
    return (code_at(t, id, i) - code_at(t, TENSOR_qzero, at)) * code_at(t, TENSOR_qscale, at);
}

/* Coarse: this is about kernels that are broken, not about the last digit. */
static double allowed_error(const trial *t, int id, uint64_t i)
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
static bool is_scale_right(const trial *t, uint64_t i)
{
    const double largest =
        t->op.desc.y_dtype == CLNORM_I8 ? 100 : clnorm_dtype_max(t->op.desc.y_dtype);
    const double scale = code_at(t, TENSOR_qscale, i);
    return scale > 0 && scale <= 1.01 * t->values.scale[TENSOR_y] / largest;
}

static void compare(trial *t, int id)
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

static void compare_scales(trial *t)
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
static bool is_comparable(const trial *t, int id)
{
    const bool dynamic = t->uses[id].role == CLNORM_OUTPUT && is_given(t, id);
    if (id == TENSOR_rstd)
        return dynamic && !t->op.desc.center_only &&
               clnorm_set_size(&t->op.desc, t->values.rows) > 1;
    return dynamic && id != TENSOR_qscale && id != TENSOR_qzero;
}

static clnorm_status compare_all(trial *t, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    t->finding.trial = CLNORM_TRUSTED;
    for (int id = 0; id <= TENSOR_COUNT; id++)
        if (t->host[id] && (id == WORKSPACE || t->uses[id].role != CLNORM_INPUT))
            TRY(download(t, id, error));
    if (t->op.desc.quant && t->values.purpose.direction == CLNORM_FORWARD &&
        t->op.desc.quant != CLNORM_QUANT_STATIC)
        compare_scales(t);
    for (int id = 0; id < TENSOR_COUNT && t->finding.trial == CLNORM_TRUSTED; id++)
        if (is_comparable(t, id))
            compare(t, id);
fail:
    return status;
}

/* ---- the sums of lines --------------------------------------------------------------------- */

/* Whole numbers that every type has, sums included. */
static void fill_lines(trial *t)
{
    static const clnorm_gradient gradients[] = {CLNORM_LINES_DWEIGHT, CLNORM_LINES_DBIAS};
    for (size_t k = 0; k < 2; k++) {
        const clnorm_gradient_info *info = &t->op.gradients[gradients[k]];
        for (uint64_t i = 0; i < info->length; i++)
            t->values.of[info->id][i] = 0;
        for (uint64_t i = 0; i < t->lines.count * info->length; i++) {
            const double value = (double)((i * 7 + k) % 23);
            clnorm_store(real_of(t), t->host[WORKSPACE], t->lines.first[gradients[k]] + i, value);
            t->values.of[info->id][i % info->length] += value;
        }
        t->values.scale[info->id] = 23 * (double)t->lines.count;
    }
}

static clnorm_status run_sums(trial *t, clnorm_error *error)
{
    const clnorm_events none = {0, NULL, NULL};
    clnorm_status status;
    fill_lines(t);
    clReleaseMemObject(t->args.workspace.buffer);
    t->args.workspace.buffer = NULL;
    TRY(upload(t, WORKSPACE, error));
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
static void make_op(trial *t, const clnorm_op *op, const clnorm_built *built)
{
    t->op = (clnorm_op){.context = op->context,
                        .desc = t->values.desc,
                        .geometry = built->geometry,
                        .lock = CLNORM_LOCK_INIT,
                        .workspaces = {CLNORM_LOCK_INIT, NULL}};
    clnorm_gradients_of(&t->op.desc, t->op.gradients);
    shrink_parts(&t->op.geometry, t->op.desc.cols);
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

static clnorm_status prepare(trial *t, const clnorm_op *op, const clnorm_built *built,
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
    return status == CLNORM_OK ? give_tensors(t, error) : status;
}

static clnorm_status launch(trial *t, clnorm_error *error)
{
    const clnorm_part all = {0, t->values.rows, t->values.rows};
    const clnorm_events none = {0, NULL, NULL};
    if (t->id == CLNORM_KERNEL_SUMS)
        return run_sums(t, error);
    return (t->values.purpose.direction == CLNORM_FORWARD
                ? clnorm_run_forward
                : clnorm_run_backward)(&t->op, t->queue, &t->args, all, none, error);
}

/* Outputs as they were before. */
static clnorm_status forget(trial *t, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        if (!t->host[id] || t->uses[id].role != CLNORM_OUTPUT)
            continue;
        memset(t->host[id], unwritten, t->bytes[id]);
        TRY_CL(clEnqueueWriteBuffer(t->queue, tensor_of(t, id)->buffer, CL_TRUE, 0, t->bytes[id],
                                    t->host[id], 0, NULL, NULL));
    }
fail:
    return status;
}

/* Rows that have parts: shared among groups, and then each by one. */
static clnorm_status run_all_ways(trial *t, clnorm_error *error)
{
    const bool parted = t->values.purpose.direction == CLNORM_FORWARD && t->op.geometry.part > 0;
    clnorm_status status;
    if (parted)
        t->op.geometry.slots = UINT32_MAX;
    TRY(launch(t, error));
    TRY(compare_all(t, error));
    if (!parted || t->finding.trial != CLNORM_TRUSTED)
        return CLNORM_OK;
    t->op.geometry.slots = 0;
    TRY(forget(t, error));
    TRY(launch(t, error));
    TRY(compare_all(t, error));
fail:
    return status;
}

static void release(trial *t)
{
    if (t->queue) {
        clFinish(t->queue);
        clReleaseCommandQueue(t->queue);
    }
    for (int id = 0; id <= TENSOR_COUNT; id++) {
        if (tensor_of(t, id)->buffer)
            clReleaseMemObject(tensor_of(t, id)->buffer);
        free(t->host[id]);
    }
    clnorm_test_values_free(&t->values);
}

clnorm_finding clnorm_self_test_kernel(const clnorm_op *op, clnorm_kernel_id id,
                                       const clnorm_built *built)
{
    clnorm_error error = {.text = ""};
    clnorm_finding finding = {CLNORM_UNTRIED, "no host memory for a self-test"};
    trial *t = calloc(1, sizeof(*t));
    if (!t)
        return finding;
    t->id = id;
    t->args = (clnorm_args)CLNORM_ARGS_INIT;
    const bool prepared = prepare(t, op, built, &error) == CLNORM_OK;
    const bool failed = prepared && run_all_ways(t, &error);
    finding = t->finding;
    if (!prepared || failed) {
        finding.trial = failed ? CLNORM_DISABLED : CLNORM_UNTRIED;
        snprintf(finding.text, sizeof(finding.text), "%.*s", (int)sizeof(finding.text) - 1,
                 error.text);
    }
    release(t);
    free(t);
    return finding;
}

static void log_finding(const clnorm_op *op, clnorm_kernel_id id, const clnorm_built *built,
                        const clnorm_finding *finding)
{
    const clnorm_geometry *g = &built->geometry;
    const bool failed = finding->trial == CLNORM_DISABLED;
    clnorm_log(op->context, failed ? CLNORM_LOG_WARNING : CLNORM_LOG_INFO,
               "self-test of %s, %s (vec %u, group %u, team %u, hold %u, part %u), on %s: %s%s",
               clnorm_kernel_name(id), clnorm_form_name(g->form), g->vec, g->group_size,
               g->team_size, g->hold, g->part, op->context->device.name,
               failed                             ? "failed, and is not used: "
               : finding->trial == CLNORM_UNTRIED ? "did not come about: "
                                                  : "passed",
               finding->trial == CLNORM_TRUSTED ? "" : finding->text);
}

bool clnorm_self_test_passes(const clnorm_op *op, clnorm_kernel_id id, const clnorm_built *built)
{
    clnorm_context *context = op->context;
    const clnorm_self_test_policy policy = clnorm_context_self_test(context);
    const clnorm_trial known = clnorm_program_trial(context, built->program);
    if (policy == CLNORM_SELF_TEST_OFF)
        return true;
    if (policy == CLNORM_SELF_TEST_FIRST_USE && known != CLNORM_UNTRIED)
        return known == CLNORM_TRUSTED;
    const clnorm_finding finding = clnorm_self_test_kernel(op, id, built);
    log_finding(op, id, built, &finding);
    if (finding.trial != CLNORM_UNTRIED)
        clnorm_program_judge(context, built->program, finding.trial);
    return finding.trial != CLNORM_DISABLED;
}

/* SPDX-License-Identifier: MIT */
#include "base/desc.h"
#include "base/sets.h"
#include "ops/self_test.h"
#include "ops/switches.h"
#include "ops/tuning.h"
#include "ops/usual.h"
#include "runtime/program.h"

#include <stdio.h>
#include <stdlib.h>

static clnorm_status check_device(const clnorm_context *context, const clnorm_desc *desc,
                                  clnorm_error *error)
{
    const clnorm_device *device = &context->device;
    if (desc->x_dtype == CLNORM_F64 && !device->has_fp64)
        return clnorm_fail(error, CLNORM_UNSUPPORTED,
                           "f64 on %s (%s), which has no cl_khr_fp64: use f32, f16 or bf16",
                           device->name, device->platform_name);
    return CLNORM_OK;
}

/* ---- kernels ------------------------------------------------------------------------------- */

static const struct {
    clnorm_source source;
    const char *function, *name;
    clnorm_purpose purpose;
} kernels[CLNORM_KERNELS] = {
#define FORWARD CLNORM_SOURCE_FORWARD, "forward_norm"
#define BACKWARD CLNORM_SOURCE_BACKWARD, "backward_norm"
    [CLNORM_KERNEL_FORWARD] = {FORWARD, "forward, any tensors", {CLNORM_FORWARD, false, false}},
    [CLNORM_KERNEL_FORWARD_USUAL] = {FORWARD, "forward", {CLNORM_FORWARD, false, true}},
    [CLNORM_KERNEL_BACKWARD] = {BACKWARD, "backward, any tensors", {CLNORM_BACKWARD, false, false}},
    [CLNORM_KERNEL_BACKWARD_USUAL] = {BACKWARD, "backward", {CLNORM_BACKWARD, false, true}},
    [CLNORM_KERNEL_BACKWARD_SAVED] = {BACKWARD,
                                      "backward, any tensors and saved statistics",
                                      {CLNORM_BACKWARD, true, false}},
    [CLNORM_KERNEL_BACKWARD_SAVED_USUAL] = {BACKWARD,
                                            "backward, saved statistics",
                                            {CLNORM_BACKWARD, true, true}},
    [CLNORM_KERNEL_SUMS] = {CLNORM_SOURCE_SUMS,
                            "add_lines",
                            "sums of gradients",
                            {CLNORM_BACKWARD, false, false}},
};

const char *clnorm_kernel_name(clnorm_kernel_id id) { return kernels[id].name; }

clnorm_purpose clnorm_kernel_purpose(clnorm_kernel_id id) { return kernels[id].purpose; }

clnorm_kernel_id clnorm_kernel_for(const clnorm_op *op, clnorm_direction direction,
                                   const clnorm_args *args)
{
    const bool saved = direction == CLNORM_BACKWARD && op->desc.stats == CLNORM_STATS_COMPUTED &&
                       args->rstd.buffer;
    const bool usual = clnorm_is_usual(op, direction, args);
    clnorm_kernel_id id = CLNORM_KERNEL_FORWARD;
    while (kernels[id].purpose.direction != direction || kernels[id].purpose.saved != saved ||
           kernels[id].purpose.usual != usual)
        id++;
    return id;
}

/* Sums know nothing of the descriptor but two types. */
static void sums_switches(const clnorm_op *op, const clnorm_geometry *geometry,
                          char text[CLNORM_MOST_DEFINES])
{
    snprintf(text, CLNORM_MOST_DEFINES, "-DARITHMETIC=%d -DCPU_HINTS=%d -DVEC=%u -DDPARAM_TYPE=%s",
             op->desc.x_dtype == CLNORM_F64 ? 64 : 32, geometry->cpu_hints, geometry->vec,
             clnorm_dtype_name(op->desc.dparam_dtype));
}

void clnorm_built_release(clnorm_built *built)
{
    clnorm_kernel_pool_destroy(built->kernels);
    clnorm_kernel_pool_destroy(built->parts);
    built->kernels = built->parts = NULL;
}

static clnorm_status build(const clnorm_op *op, clnorm_kernel_id id, clnorm_built *built,
                           clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    char defines[CLNORM_MOST_DEFINES];
    clnorm_built_release(built);
    if (id == CLNORM_KERNEL_SUMS)
        sums_switches(op, &built->geometry, defines);
    else
        TRY(clnorm_switches(op, kernels[id].purpose, &built->geometry, defines, error));
    TRY(clnorm_program_get(op->context, kernels[id].source, defines, &built->program, error));
    TRY(clnorm_kernel_pool_create(built->program, kernels[id].function, &built->kernels, error));
    if (built->geometry.part && kernels[id].purpose.direction == CLNORM_FORWARD)
        TRY(clnorm_kernel_pool_create(built->program, "find_parts", &built->parts, error));
fail:
    return status;
}

/* The largest group that all kernels can have. */
static clnorm_status limit_of(const clnorm_op *op, const clnorm_built *built, size_t *limit,
                              clnorm_error *error)
{
    const cl_device_id device = op->context->device.device_id;
    size_t of_parts = SIZE_MAX;
    clnorm_status status;
    TRY(clnorm_kernel_limit(built->kernels, device, limit, error));
    if (built->parts)
        TRY(clnorm_kernel_limit(built->parts, device, &of_parts, error));
    *limit = *limit < of_parts ? *limit : of_parts;
fail:
    return status;
}

/* What a device allows is known only once the kernel is there. */
clnorm_status clnorm_op_build(const clnorm_op *op, clnorm_kernel_id id,
                              const clnorm_geometry *geometry, clnorm_built *built,
                              clnorm_error *error)
{
    const clnorm_sets sets = clnorm_sets_of(&op->desc, 1);
    clnorm_status status;
    size_t limit = 0;
    built->geometry = *geometry;
    TRY(build(op, id, built, error));
    TRY(limit_of(op, built, &limit, error));
    while (limit < built->geometry.group_size && clnorm_geometry_halve(&built->geometry, &sets)) {
        clnorm_log(op->context, CLNORM_LOG_INFO, "the device allows groups of %zu: trying %u",
                   limit, built->geometry.group_size);
        TRY(build(op, id, built, error));
        TRY(limit_of(op, built, &limit, error));
    }
    return CLNORM_OK;
fail:
    clnorm_built_release(built);
    return status;
}

/* The first candidate that builds and computes what is right. */
static clnorm_status build_trusted(const clnorm_op *op, clnorm_kernel_id id, clnorm_built *built,
                                   clnorm_error *error)
{
    clnorm_error first = {.status = CLNORM_OK};
    for (size_t i = op->first; i < op->n_candidates; i++) {
        clnorm_error own;
        const clnorm_status status = clnorm_op_build(op, id, &op->candidates[i], built, &own);
        built->candidate = i;
        if (status == CLNORM_OK && clnorm_self_test_passes(op, id, built))
            return CLNORM_OK;
        if (first.status == CLNORM_OK && status != CLNORM_OK)
            first = own;
        clnorm_built_release(built);
        if (status != CLNORM_OK && status != CLNORM_BUILD_FAILED)
            break;
    }
    if (first.status == CLNORM_OK)
        return clnorm_fail(error, CLNORM_UNSUPPORTED,
                           "%s fails the self-test of the kernel '%s' in all of its %zu forms: the "
                           "log has the numbers",
                           op->context->device.name, kernels[id].name,
                           op->n_candidates - op->first);
    if (error)
        *error = first;
    return first.status;
}

clnorm_status clnorm_op_kernel(const clnorm_op *const_op, clnorm_kernel_id id, clnorm_built *built,
                               clnorm_error *error)
{
    clnorm_op *op = (clnorm_op *)(uintptr_t)const_op; /* this part of it is behind the lock */
    clnorm_status status = CLNORM_OK;
    lock_take(&op->lock);
    if (!op->built[id].kernels)
        status = build_trusted(op, id, &op->built[id], error);
    *built = op->built[id];
    lock_give(&op->lock);
    return status;
}

/* ---- the op -------------------------------------------------------------------------------- */

/* What the forward kernel fails, the others do not try. */
static clnorm_status use_best(clnorm_op *op, bool build_now, clnorm_error *error)
{
    const clnorm_kernel_id id =
        clnorm_has_usual(&op->desc) ? CLNORM_KERNEL_FORWARD_USUAL : CLNORM_KERNEL_FORWARD;
    clnorm_built built = {.geometry = op->candidates[0]};
    clnorm_status status = CLNORM_OK;
    op->geometry = op->candidates[0];
    if (build_now)
        status = clnorm_op_kernel(op, id, &built, error);
    op->first = built.candidate;
    op->candidates[op->first] = built.geometry;
    op->geometry = built.geometry;
    op->desc.form = built.geometry.form;
    return status;
}

static clnorm_status choose_geometry(clnorm_op *op, bool build_now, clnorm_error *error)
{
    const clnorm_tuning tuning = clnorm_op_take_tuning(op);
    const clnorm_sets sets = clnorm_sets_of(&op->desc, 1);
    clnorm_geometry *list = op->candidates;
    op->n_candidates = clnorm_geometry_list(op->context, &op->desc, &tuning, list);
    if (op->n_candidates == 0)
        return clnorm_iterations_allow(op->context, list, &sets, clnorm_iterations_of(list, &sets),
                                       error);
    return use_best(op, build_now, error);
}

clnorm_status clnorm_op_make(clnorm_context *context, const clnorm_desc *desc, bool build_now,
                             clnorm_op **out, clnorm_error *error)
{
    clnorm_status status;
    clnorm_op *op = NULL;
    clnorm_desc resolved;
    if (!context || !out)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL", !context ? "context" : "op");
    TRY(clnorm_desc_resolve(desc, &resolved, error));
    TRY(clnorm_context_check(context, error));
    TRY(check_device(context, &resolved, error));
    op = calloc(1, sizeof(*op));
    if (!op)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for an op");
    *op = (clnorm_op){.context = context,
                      .desc = resolved,
                      .lock = CLNORM_LOCK_INIT,
                      .workspaces = {CLNORM_LOCK_INIT, NULL}};
    clnorm_gradients_of(&resolved, op->gradients);
    TRY(choose_geometry(op, build_now, error));
    *out = op;
    return CLNORM_OK;
fail:
    clnorm_op_destroy(op);
    return status;
}

clnorm_status clnorm_op_create(clnorm_context *context, const clnorm_desc *desc, clnorm_op **op,
                               clnorm_error *error)
{
    return clnorm_op_make(context, desc, true, op, error);
}

clnorm_status clnorm_op_create_lazy(clnorm_context *context, const clnorm_desc *desc,
                                    clnorm_op **op, clnorm_error *error)
{
    return clnorm_op_make(context, desc, false, op, error);
}

void clnorm_op_destroy(clnorm_op *op)
{
    if (!op)
        return;
    for (int i = 0; i < CLNORM_KERNELS; i++)
        clnorm_built_release(&op->built[i]);
    clnorm_workspaces_release(op);
    free(op);
}

const clnorm_desc *clnorm_op_desc(const clnorm_op *op) { return &op->desc; }

static unsigned max_u32(unsigned a, unsigned b) { return a > b ? a : b; }

unsigned clnorm_op_depth(const clnorm_op *const_op)
{
    clnorm_op *op = (clnorm_op *)(uintptr_t)const_op; /* the lock */
    const uint64_t run = clnorm_sets_of(&op->desc, 1).run;
    unsigned depth = clnorm_geometry_depth(&op->geometry, run);
    lock_take(&op->lock);
    for (int i = 0; i < CLNORM_KERNELS; i++)
        if (op->built[i].kernels) /* in another form than the forward kernel, perhaps */
            depth = max_u32(depth, clnorm_geometry_depth(&op->built[i].geometry, run));
    lock_give(&op->lock);
    return depth;
}

clnorm_op_health clnorm_op_health_of(const clnorm_op *const_op)
{
    clnorm_op *op = (clnorm_op *)(uintptr_t)const_op; /* the lock */
    clnorm_op_health health = {.passed_over = 0};
    lock_take(&op->lock);
    for (int i = 0; i < CLNORM_KERNELS; i++) {
        const clnorm_built *built = &op->built[i];
        if (!built->kernels)
            continue;
        if (built->candidate > health.passed_over)
            health.passed_over = built->candidate;
        health.disabled |= clnorm_program_trial(op->context, built->program) == CLNORM_DISABLED;
    }
    lock_give(&op->lock);
    return health;
}

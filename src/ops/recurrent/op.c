/* SPDX-License-Identifier: MIT */
#include "ops/recurrent/op.h"

#include "base/desc.h"
#include "base/sets.h"
#include "ops/gemm/clblast.h"
#include "ops/recurrent/self_test.h"
#include "ops/switches.h"
#include "runtime/program.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- kernels ------------------------------------------------------------------------------- */

static const struct {
    clnorm_source source;
    const char *function;
} kernels[CELL_KERNELS] = {
    [CELL_FORWARD] = {CLNORM_SOURCE_RECURRENT, "recurrent_forward"},
    [CELL_BACKWARD] = {CLNORM_SOURCE_RECURRENT_BACKWARD, "recurrent_backward"},
    [CELL_LIVE_ROWS] = {CLNORM_SOURCE_RECURRENT_BACKWARD, "keep_live_rows"},
};

static clnorm_desc norm_desc(const clnorm_recurrent_desc *desc, uint64_t gates)
{
    clnorm_desc norm = CLNORM_DESC_INIT;
    norm.cols = gates * desc->hidden;
    norm.eps = desc->eps;
    return norm;
}

/* A row of all gates, as forms see it. */
static clnorm_desc row_desc(const clnorm_recurrent *op)
{
    const clnorm_desc norm = norm_desc(&op->desc, op->gates);
    clnorm_desc row = norm;
    clnorm_desc_resolve(&norm, &row, NULL); /* nothing of it can be wrong */
    return row;
}

static clnorm_status build(clnorm_recurrent *op, const clnorm_geometry *geometry,
                           clnorm_cell_kernel id, clnorm_error *error)
{
    const clnorm_recurrent_desc *d = &op->desc;
    char defines[CLNORM_MOST_DEFINES], walk[128];
    clnorm_status status = CLNORM_OK;
    if (!clnorm_geometry_defines(geometry, walk, sizeof(walk)))
        return clnorm_fail(error, CLNORM_BUILD_FAILED, "build options do not fit");
    snprintf(defines, sizeof(defines), "-DCELL=%d -DNORM=%d -DNORM_GATES=%d -DRELU=%d %s",
             (int)d->cell, d->norm, d->norm_gates, d->nonlinearity == CLNORM_RELU, walk);
    TRY(clnorm_program_get(op->context, kernels[id].source, defines, &op->programs[id], error));
    TRY(clnorm_kernel_pool_create(op->programs[id], kernels[id].function, &op->kernels[id], error));
fail:
    return status;
}

static void release_kernels(clnorm_recurrent *op)
{
    for (int i = 0; i < CELL_KERNELS; i++) {
        clnorm_kernel_pool_destroy(op->kernels[i]);
        op->kernels[i] = NULL;
    }
}

/* Of the size that the device allows both steps, which is known only once they are there. */
static clnorm_status build_steps(clnorm_recurrent *op, clnorm_geometry *geometry,
                                 clnorm_error *error)
{
    const clnorm_desc desc = row_desc(op);
    const clnorm_sets sets = clnorm_sets_of(&desc, 1);
    clnorm_status status = CLNORM_OK;
    for (int id = CELL_FORWARD; id <= CELL_BACKWARD; id++) {
        size_t limit = 0;
        TRY(build(op, geometry, (clnorm_cell_kernel)id, error));
        TRY(clnorm_kernel_limit(op->kernels[id], op->context->device.device_id, &limit, error));
        if (limit >= geometry->group_size || !clnorm_geometry_halve(geometry, &sets))
            continue;
        release_kernels(op);
        id = CELL_FORWARD - 1;
    }
    return CLNORM_OK;
fail:
    release_kernels(op);
    return status;
}

/* Bundles are a part of a row, so all of it is an upper limit: of u, v and c forward, and twice of
 * u and the gates backward. */
static bool is_allowed(const clnorm_recurrent *op, const clnorm_geometry *geometry)
{
    const clnorm_desc desc = row_desc(op);
    const clnorm_sets sets = clnorm_sets_of(&desc, 1);
    return 3 * clnorm_iterations_of(geometry, &sets) <= geometry->most_iterations;
}

static void refuse_steps(clnorm_recurrent *op, clnorm_error *error)
{
    release_kernels(op);
    clnorm_fail(
        error, CLNORM_UNSUPPORTED,
        "%s fails the self-test of a step of %s in all of its forms: the log has the numbers",
        op->context->device.name, clnorm_recurrent_cell_name(op->desc.cell));
}

/* A group has one row, and reads it again from memory: of forms for GPUs the cooperative one. */
static clnorm_status choose_geometry(clnorm_recurrent *op, clnorm_form form, clnorm_error *error)
{
    const clnorm_desc desc = row_desc(op);
    clnorm_tuning tuning = {.form = form, .subgroups = CLNORM_SUBGROUPS_OFF};
    clnorm_geometry list[CLNORM_MOST_CANDIDATES];
    size_t count = clnorm_geometry_list(op->context, &desc, &tuning, list);
    if (count > 0 && form == CLNORM_FORM_AUTO && list[0].form != CLNORM_FORM_SEQUENTIAL) {
        tuning.form = CLNORM_FORM_COOPERATIVE;
        count = clnorm_geometry_list(op->context, &desc, &tuning, list);
    }
    clnorm_error last = {.status = CLNORM_UNSUPPORTED};
    snprintf(last.text, sizeof(last.text),
             "%s ends loops too early for %llu columns of gates in any form",
             op->context->device.name, (unsigned long long)desc.cols);
    for (size_t i = 0; i < count; i++) {
        op->geometry = list[i];
        if (!is_allowed(op, &list[i]))
            continue;
        const clnorm_status status = build_steps(op, &op->geometry, &last);
        if (status == CLNORM_OK && clnorm_recurrent_passes(op))
            return CLNORM_OK;
        if (status == CLNORM_OK)
            refuse_steps(op, &last);
        else if (status != CLNORM_BUILD_FAILED)
            break;
    }
    if (error)
        *error = last;
    return last.status;
}

clnorm_status clnorm_recurrent_kernel(const clnorm_recurrent *const_op, clnorm_cell_kernel id,
                                      clnorm_kernel_pool **pool, clnorm_error *error)
{
    clnorm_recurrent *op = (clnorm_recurrent *)(uintptr_t)const_op; /* the lock */
    clnorm_status status = CLNORM_OK;
    lock_take(&op->lock);
    if (!op->kernels[id])
        status = build(op, &op->geometry, id, error);
    *pool = op->kernels[id];
    lock_give(&op->lock);
    return status;
}

/* ---- the op -------------------------------------------------------------------------------- */

static clnorm_bundles bundles_of(const clnorm_recurrent_desc *desc)
{
    const unsigned gates = clnorm_recurrent_gates(desc->cell);
    clnorm_bundles bundles = {.count = 0};
    if (!desc->norm)
        return bundles;
    if (desc->cell == CLNORM_GRU && !desc->norm_gates)
        return (clnorm_bundles){2, {{0, 2}, {2, 1}}};
    if (!desc->norm_gates)
        return (clnorm_bundles){1, {{0, gates}}};
    for (unsigned i = 0; i < gates; i++)
        bundles.of[bundles.count++] = (clnorm_bundle){i, 1};
    return bundles;
}

static clnorm_status create_norm(clnorm_recurrent *op, unsigned gates, clnorm_error *error)
{
    const clnorm_desc desc = norm_desc(&op->desc, gates);
    return op->norms[gates] ? CLNORM_OK
                            : clnorm_op_create_lazy(op->context, &desc, &op->norms[gates], error);
}

static clnorm_status create_norms(clnorm_recurrent *op, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (unsigned i = 0; i < op->bundles.count; i++)
        TRY(create_norm(op, op->bundles.of[i].size, error));
    if (op->desc.cell == CLNORM_LSTM && op->desc.norm)
        TRY(create_norm(op, 1, error));
    if (!op->desc.norm)
        TRY(create_norm(op, op->gates, error));
fail:
    return status;
}

clnorm_status clnorm_recurrent_make(clnorm_context *context, const clnorm_recurrent_desc *desc,
                                    clnorm_form form, clnorm_recurrent **out, clnorm_error *error)
{
    clnorm_status status;
    clnorm_recurrent *op = NULL;
    if (!context || !out)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL", !context ? "context" : "op");
    TRY(clnorm_recurrent_desc_check(desc, error));
    TRY(clnorm_clblast_check(error));
    TRY(clnorm_context_check(context, error));
    op = calloc(1, sizeof(*op));
    if (!op)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for an op");
    *op = (clnorm_recurrent){
        .context = context,
        .desc = *desc,
        .gates = clnorm_recurrent_gates(desc->cell),
        .summed = desc->cell == CLNORM_RNN || (desc->cell == CLNORM_LSTM && !desc->norm),
        .bundles = bundles_of(desc),
        .lock = CLNORM_LOCK_INIT,
    };
    TRY(create_norms(op, error));
    TRY(choose_geometry(op, form, error));
    *out = op;
    return CLNORM_OK;
fail:
    clnorm_recurrent_destroy(op);
    return status;
}

clnorm_status clnorm_recurrent_create(clnorm_context *context, const clnorm_recurrent_desc *desc,
                                      clnorm_recurrent **op, clnorm_error *error)
{
    return clnorm_recurrent_make(context, desc, CLNORM_FORM_AUTO, op, error);
}

void clnorm_recurrent_destroy(clnorm_recurrent *op)
{
    if (!op)
        return;
    release_kernels(op);
    for (size_t i = 0; i < sizeof(op->norms) / sizeof(op->norms[0]); i++)
        clnorm_op_destroy(op->norms[i]);
    free(op);
}

const clnorm_recurrent_desc *clnorm_recurrent_op_desc(const clnorm_recurrent *op)
{
    return &op->desc;
}

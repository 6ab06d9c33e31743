/* SPDX-License-Identifier: MIT */
#include "ops/host_plan.h"

#include "base/checked.h"
#include "base/kind.h"
#include "base/sets.h"
#include "ops/lines.h"

/* ---- chunks -------------------------------------------------------------------------------- */

typedef struct {
    uint64_t resident, chunk; /* bytes: for the whole call, and of the fewest rows */
    uint64_t largest_resident, largest; /* of a tensor */
    uint64_t step; /* the fewest rows */
} needs;

static needs needs_of(const clnorm_op *op, const clnorm_host_arrays *arrays, size_t workspace)
{
    const uint64_t step = clnorm_part_step(op, arrays->direction, arrays->rows);
    needs n = {
        .resident = workspace, .largest_resident = workspace, .step = min_u64(step, arrays->rows)};
    for (size_t i = 0; i < arrays->count; i++) {
        const clnorm_host_tensor *t = &arrays->tensors[i];
        const uint64_t row = t->width * t->element;
        if (clnorm_is_resident(t)) {
            n.resident += t->rows * row;
            n.largest_resident = max_u64(n.largest_resident, t->rows * row);
        } else {
            const uint64_t bytes = clnorm_rows_of(t, n.step) * row;
            n.chunk += bytes;
            n.largest = max_u64(n.largest, bytes);
        }
    }
    return n;
}

static clnorm_status too_large(const clnorm_op *op, const clnorm_host_arrays *arrays,
                               const needs *n, uint64_t limit, clnorm_error *error)
{
    const unsigned long long bytes = n->chunk + n->resident, rows = n->step;
    const unsigned long long max_alloc = op->context->device.max_alloc_bytes;
    const char *const device = op->context->device.name;
    if (clnorm_kind_of(&op->desc).batch && n->step == arrays->rows && arrays->rows > 1)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY,
                           "%llu rows need %llu bytes on %s, and %llu are allowed, %llu in one "
                           "buffer; %s needs all rows at once",
                           rows, bytes, device, (unsigned long long)limit, max_alloc,
                           clnorm_kind_of(&op->desc).name);
    if (n->step > 1)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY,
                           "%llu rows, the fewest that are worked on at once, need %llu bytes on "
                           "%s, and %llu are allowed, %llu in one buffer",
                           rows, bytes, device, (unsigned long long)limit, max_alloc);
    return clnorm_fail(error, CLNORM_OUT_OF_MEMORY,
                       "one row needs %llu bytes on %s (with all that does not depend on rows), "
                       "and %llu are allowed, %llu in one buffer",
                       bytes, device, (unsigned long long)limit, max_alloc);
}

/* Small enough to overlap transfers and to report progress, large enough for a launch to pay. */
static const uint64_t chunk_bytes = (uint64_t)64 << 20;

static clnorm_status cut(const clnorm_op *op, const clnorm_host_arrays *arrays, const needs *n,
                         uint64_t limit, clnorm_host_plan *plan, clnorm_error *error)
{
    const uint64_t max_alloc = op->context->device.max_alloc_bytes;
    const uint64_t left = limit > n->resident ? limit - n->resident : 0;
    if (left < n->chunk || max_alloc < max_u64(n->largest, n->largest_resident))
        return too_large(op, arrays, n, limit, error);
    plan->slots = left / n->chunk >= HOST_SLOTS ? HOST_SLOTS : 1;
    const uint64_t fitting = min_u64(left / n->chunk / plan->slots, max_alloc / n->largest);
    const uint64_t steps = min_u64(fitting, chunk_bytes / n->chunk + 1);
    plan->rows_per_chunk =
        steps >= ceil_div(arrays->rows, n->step) ? arrays->rows : steps * n->step;
    return CLNORM_OK;
}

/* ---- zero copy ----------------------------------------------------------------------------- */

bool clnorm_is_matrix(const clnorm_op *op, const clnorm_host_tensor *t)
{
    return t->extent == CLNORM_ROWS && t->has_stride && t->width == op->desc.cols;
}

/* GPUs that share memory with the host want whole pages; on a CPU the buffer alignment will do. */
static uint64_t host_alignment(const clnorm_context *context)
{
    const bool cpu = (context->device.type & CL_DEVICE_TYPE_GPU) == 0;
    return cpu ? 128 : 4096;
}

/* rows_step: a power of two, so many rows must lie between the beginnings of chunks. */
static bool usable_in_place(const clnorm_host_tensor *t, uint64_t alignment, uint64_t *rows_step)
{
    const uint64_t stride_bytes = t->stride * t->element;
    uint64_t step = alignment; /* a power of two, and so is its common divisor with the stride */
    while (step > 1 && stride_bytes % (alignment / step * 2) == 0)
        step /= 2;
    *rows_step = max_u64(*rows_step, step);
    const uint64_t whole = alignment == 4096 ? 64 : 1; /* sizes in whole cache lines */
    return (uintptr_t)t->data % alignment == 0 && t->rows * stride_bytes % whole == 0;
}

/* Chunks must begin where a buffer may begin. */
static void try_zero_copy(const clnorm_op *op, const clnorm_host_arrays *arrays, uint64_t part_step,
                          clnorm_host_plan *plan)
{
    const uint64_t alignment = host_alignment(op->context), rows = arrays->rows;
    const bool dense = clnorm_sets_of(&op->desc, rows).needs_dense_rows;
    uint64_t align_step = 1, step = part_step, widest = 1;
    if (!op->context->device.shares_host_memory || arrays->entangled)
        return;
    for (size_t i = 0; i < arrays->count; i++) {
        const clnorm_host_tensor *t = &arrays->tensors[i];
        if (!clnorm_is_matrix(op, t))
            continue;
        if (!usable_in_place(t, alignment, &align_step) || (dense && t->stride != t->width))
            return;
        widest = max_u64(widest, t->stride * t->element);
    }
    while (step < rows && step % align_step != 0)
        step *= 2;
    const uint64_t at_most =
        min_u64(plan->rows_per_chunk, op->context->device.max_alloc_bytes / widest);
    const uint64_t chunk = at_most >= rows ? rows : at_most / step * step;
    if (chunk == 0)
        return;
    plan->zero_copy = 1;
    plan->rows_per_chunk = chunk;
}

/* Chunks of a forward pass have fewer rows, which may be shared among groups where all are not. */
static clnorm_status find_workspace(const clnorm_op *op, const clnorm_host_arrays *arrays,
                                    size_t *bytes, clnorm_error *error)
{
    bool given[TENSOR_COUNT] = {false};
    for (size_t i = 0; i < arrays->count; i++)
        given[arrays->tensors[i].id] = true;
    if (arrays->direction == CLNORM_BACKWARD)
        return clnorm_leaves_lines(op, given)
                   ? clnorm_op_workspace(op, CLNORM_BACKWARD, arrays->rows, bytes, error)
                   : CLNORM_OK;
    const uint64_t rows = min_u64(arrays->rows, clnorm_most_shared_rows(&op->geometry));
    *bytes = (size_t)clnorm_part_bytes(op, rows);
    return CLNORM_OK;
}

clnorm_status clnorm_host_plan_make(const clnorm_op *op, const clnorm_host_arrays *arrays,
                                    const clnorm_host_options *options, clnorm_host_plan *plan,
                                    clnorm_error *error)
{
    const uint64_t half = op->context->device.global_bytes / 2; /* others use the device too */
    const uint64_t asked = options->max_device_bytes;
    clnorm_status status = CLNORM_OK;
    *plan = (clnorm_host_plan){.slots = 1};
    TRY(clnorm_check_iterations(op, arrays->direction, arrays->rows, error));
    TRY(find_workspace(op, arrays, &plan->workspace, error));
    const needs n = needs_of(op, arrays, plan->workspace);
    TRY(cut(op, arrays, &n, asked ? asked : half, plan, error));
    if (!options->copy)
        try_zero_copy(op, arrays, n.step, plan);
fail:
    return status;
}

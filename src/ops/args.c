/* SPDX-License-Identifier: MIT */
#include "base/checked.h"
#include "base/sets.h"
#include "ops/lines.h"
#include "ops/operand.h"
#include "runtime/queue.h"

static bool may_alias(clnorm_direction direction, const clnorm_operand *a, const clnorm_operand *b)
{
    const clnorm_tensor_id first = (clnorm_tensor_id)a->id, second = (clnorm_tensor_id)b->id;
    return clnorm_may_alias(direction, first, second) || clnorm_may_alias(direction, second, first);
}

/* Tensors of the call that are given, and the workspace if it is used. */
typedef struct {
    clnorm_operand of[TENSOR_COUNT + 1];
    size_t count;
} operands;

static clnorm_status collect(const clnorm_op *op, clnorm_direction direction, uint64_t rows,
                             const clnorm_args *args, operands *all, clnorm_error *error)
{
    bool given[TENSOR_COUNT];
    clnorm_tensor_use uses[TENSOR_COUNT];
    clnorm_args_given(args, given);
    clnorm_tensor_uses_of(&op->desc, direction, rows, uses);
    all->count = 0;
    for (int i = 0; i < TENSOR_COUNT; i++) {
        const clnorm_tensor_id id = (clnorm_tensor_id)i;
        if (given[i])
            all->of[all->count++] = (clnorm_operand){
                .id = id,
                .name = clnorm_tensor_name(id),
                .tensor = clnorm_args_tensor(args, id),
                .role = uses[i].role,
                .dtype = uses[i].dtype,
                .rows = uses[i].rows,
                .cols = uses[i].cols,
                .has_stride = uses[i].has_stride,
            };
    }
    return clnorm_tensors_check(&op->desc, direction, rows, given, error);
}

/* It is no tensor of the table, but must not overlap one either. */
static clnorm_status collect_workspace(const clnorm_op *op, clnorm_direction direction,
                                       uint64_t rows, const clnorm_args *args, operands *all,
                                       clnorm_error *error)
{
    const clnorm_tensor *workspace = &args->workspace;
    bool given[TENSOR_COUNT];
    clnorm_mem_info mem;
    size_t bytes = 0;
    clnorm_status status;
    clnorm_args_given(args, given);
    if (!workspace->buffer || (direction == CLNORM_BACKWARD && !clnorm_leaves_lines(op, given)))
        return CLNORM_OK;
    TRY(clnorm_op_workspace(op, direction, rows, &bytes, error));
    if (direction == CLNORM_FORWARD && bytes == 0)
        return CLNORM_OK;
    TRY(clnorm_mem_query(op->context, workspace->buffer, &mem, error));
    if (workspace->offset % 8 || workspace->offset > mem.bytes ||
        mem.bytes - workspace->offset < bytes)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "workspace has %zu bytes and offset %llu; allowed are a multiple of 8 "
                           "with %zu bytes behind it",
                           mem.bytes, (unsigned long long)workspace->offset, bytes);
    all->of[all->count++] = (clnorm_operand){
        .id = TENSOR_COUNT,
        .name = "workspace",
        .tensor = workspace,
        .role = CLNORM_IN_OUT,
        .dtype = CLNORM_I8,
        .rows = bytes > 0,
        .cols = bytes,
    };
fail:
    return status;
}

static clnorm_status check_operands(const clnorm_op *op, clnorm_direction direction, operands *all,
                                    clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (size_t i = 0; i < all->count; i++)
        TRY(clnorm_operand_check(op->context, &all->of[i], error));
    for (size_t i = 0; i < all->count; i++)
        for (size_t j = 0; j < i; j++)
            if (clnorm_operands_meet(&all->of[i], &all->of[j]))
                TRY(clnorm_operands_refuse(&all->of[i], &all->of[j],
                                           may_alias(direction, &all->of[i], &all->of[j]), error));
fail:
    return status;
}

static clnorm_status check_sets(const clnorm_op *op, clnorm_direction direction, uint64_t rows,
                                const operands *all, clnorm_error *error)
{
    const clnorm_sets sets = clnorm_sets_of(&op->desc, rows);
    for (size_t i = 0; i < all->count; i++) {
        const clnorm_operand *o = &all->of[i];
        const bool gaps = o->tensor->stride && o->tensor->stride != o->cols && rows > 1;
        if (sets.needs_dense_rows && o->has_stride && gaps)
            return clnorm_fail(error, CLNORM_BAD_ARGS,
                               "%s.stride is %llu; allowed is %llu: batch statistics of NHWC need "
                               "rows without gaps",
                               o->name, (unsigned long long)o->tensor->stride,
                               (unsigned long long)o->cols);
    }
    return clnorm_check_iterations(op, direction, rows, error);
}

clnorm_status clnorm_args_check(const clnorm_op *op, clnorm_direction direction,
                                cl_command_queue queue, uint64_t rows, const clnorm_args *args,
                                clnorm_events events, clnorm_error *error)
{
    operands all;
    clnorm_status status;
    if (!op || !args)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL", !op ? "op" : "args");
    if (args->struct_size != sizeof(*args))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "args.struct_size is %zu, not %zu: use CLNORM_ARGS_INIT",
                           args->struct_size, sizeof(*args));
    TRY(clnorm_context_check(op->context, error));
    TRY(clnorm_queue_check(op->context, queue, error));
    TRY(clnorm_wait_list_check(op->context, events.n_wait, events.wait_list, error));
    TRY(collect(op, direction, rows, args, &all, error));
    TRY(collect_workspace(op, direction, rows, args, &all, error));
    TRY(check_operands(op, direction, &all, error));
    if (rows > 0)
        TRY(check_sets(op, direction, rows, &all, error));
fail:
    return status;
}

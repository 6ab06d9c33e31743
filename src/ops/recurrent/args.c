/* SPDX-License-Identifier: MIT */
#include "ops/operand.h"
#include "ops/recurrent/op.h"
#include "runtime/queue.h"

/* Tensors of the call, `saved` and the workspace. */
typedef struct {
    clnorm_operand of[RECURRENT_COUNT + 2];
    size_t count;
} operands;

/* Every output is read again: y by the next step, others by products that are added to them. */
static clnorm_status collect_tensors(const clnorm_recurrent_call *call, operands *all,
                                     clnorm_error *error)
{
    bool given[RECURRENT_COUNT];
    for (int i = 0; i < RECURRENT_COUNT; i++) {
        const clnorm_recurrent_id id = (clnorm_recurrent_id)i;
        const clnorm_tensor *tensor = clnorm_recurrent_tensor(call->args, id);
        const clnorm_recurrent_use use =
            clnorm_recurrent_use_of(&call->op->desc, call->direction, id, call->steps, call->batch);
        given[i] = tensor->buffer != NULL;
        if (!given[i])
            continue;
        if (tensor->stride && tensor->stride != use.cols && use.role != CLNORM_UNUSED)
            return clnorm_fail(error, CLNORM_BAD_ARGS,
                               "%s.stride is %llu; allowed are 0 and %llu: rows have no gaps",
                               clnorm_recurrent_tensor_name(id), (unsigned long long)tensor->stride,
                               (unsigned long long)use.cols);
        all->of[all->count++] = (clnorm_operand){
            .id = i,
            .name = clnorm_recurrent_tensor_name(id),
            .tensor = tensor,
            .role = use.role == CLNORM_INPUT ? CLNORM_INPUT : CLNORM_IN_OUT,
            .dtype = CLNORM_F32,
            .rows = use.rows,
            .cols = use.cols,
        };
    }
    return clnorm_recurrent_tensors_check(&call->op->desc, call->direction, given, error);
}

static clnorm_status collect_bytes(const clnorm_recurrent_call *call, const char *name,
                                   const clnorm_tensor *tensor, clnorm_role role, uint64_t bytes,
                                   operands *all, clnorm_error *error)
{
    clnorm_mem_info mem;
    clnorm_status status = CLNORM_OK;
    if (bytes == 0)
        return CLNORM_OK;
    if (!tensor->buffer)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s.buffer is NULL; the call needs %llu bytes",
                           name, (unsigned long long)bytes);
    TRY(clnorm_mem_query(call->op->context, tensor->buffer, &mem, error));
    if (tensor->offset % 64 || tensor->offset > mem.bytes || mem.bytes - tensor->offset < bytes)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "%s has %zu bytes and offset %llu; allowed are a multiple of 64 with "
                           "%llu bytes behind it",
                           name, mem.bytes, (unsigned long long)tensor->offset,
                           (unsigned long long)bytes);
    all->of[all->count++] = (clnorm_operand){
        .id = RECURRENT_COUNT,
        .name = name,
        .tensor = tensor,
        .role = role,
        .dtype = CLNORM_I8,
        .rows = 1,
        .cols = bytes,
    };
fail:
    return status;
}

static clnorm_status check_operands(const clnorm_recurrent_call *call, operands *all,
                                    clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (size_t i = 0; i < all->count; i++)
        TRY(clnorm_operand_check(call->op->context, &all->of[i], error));
    for (size_t i = 0; i < all->count; i++)
        for (size_t j = 0; j < i; j++)
            if (clnorm_operands_meet(&all->of[i], &all->of[j]))
                TRY(clnorm_operands_refuse(&all->of[i], &all->of[j], false, error));
fail:
    return status;
}

clnorm_status clnorm_recurrent_args_check(const clnorm_recurrent_call *call, clnorm_events events,
                                          clnorm_error *error)
{
    const clnorm_recurrent_args *args = call->args;
    const bool forward = call->direction == CLNORM_FORWARD;
    const bool needs_saved = !forward || args->saved.buffer;
    clnorm_context *context = call->op->context;
    operands all = {.count = 0};
    clnorm_status status;
    TRY(clnorm_context_check(context, error));
    TRY(clnorm_queue_check(context, call->queue, error));
    TRY(clnorm_wait_list_check(context, events.n_wait, events.wait_list, error));
    TRY(collect_tensors(call, &all, error));
    TRY(collect_bytes(call, "saved", &args->saved, forward ? CLNORM_IN_OUT : CLNORM_INPUT,
                      needs_saved ? call->regions.bytes[HOME_SAVED] : 0, &all, error));
    TRY(collect_bytes(call, "workspace", &args->workspace, CLNORM_IN_OUT,
                      clnorm_recurrent_workspace(&call->regions, call->direction, args), &all,
                      error));
    TRY(check_operands(call, &all, error));
fail:
    return status;
}

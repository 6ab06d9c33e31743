/* SPDX-License-Identifier: MIT */
/* The commands that a call is made of, one after the other: CLBlast takes no wait list, so an
 * out-of-order queue gets a barrier behind each. */
#include "base/checked.h"
#include "ops/recurrent/op.h"
#include "runtime/queue.h"

#include <stddef.h>
#include <string.h>

/* ---- places -------------------------------------------------------------------------------- */

#define PLACE(name) offsetof(clnorm_recurrent_args, name),
static const size_t places[] = {CLNORM_RECURRENT_TENSORS(PLACE, PLACE)};
#undef PLACE
_Static_assert(sizeof(places) / sizeof(places[0]) == RECURRENT_COUNT, "a tensor is missing");

const clnorm_tensor *clnorm_recurrent_tensor(const clnorm_recurrent_args *args,
                                             clnorm_recurrent_id id)
{
    return (const clnorm_tensor *)(const void *)((const char *)args + places[id]);
}

clnorm_place clnorm_recurrent_rows(const clnorm_recurrent_call *call, clnorm_recurrent_id id,
                                   uint64_t row)
{
    const clnorm_tensor *tensor = clnorm_recurrent_tensor(call->args, id);
    const uint64_t cols =
        clnorm_recurrent_use_of(&call->op->desc, call->direction, id, call->steps, call->batch)
            .cols;
    if (!tensor->buffer)
        return (clnorm_place){NULL, 0};
    return (clnorm_place){tensor->buffer, tensor->offset + row * cols};
}

clnorm_place clnorm_recurrent_region(const clnorm_recurrent_call *call, clnorm_region region,
                                     uint64_t element)
{
    const clnorm_tensor *home =
        region < FORWARD_LENGTHS ? &call->args->saved : &call->args->workspace;
    return (clnorm_place){home->buffer, (home->offset + call->regions.at[region]) / 4 + element};
}

/* ---- commands ------------------------------------------------------------------------------ */

clnorm_status clnorm_recurrent_then(const clnorm_recurrent_call *call, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    if (!call->in_order)
        TRY_CL(clEnqueueBarrierWithWaitList(call->queue, 0, NULL, NULL));
fail:
    return status;
}

static clnorm_status fill(const clnorm_recurrent_call *call, clnorm_place place,
                          const void *pattern, size_t pattern_bytes, size_t bytes,
                          clnorm_error *error)
{
    clnorm_status status;
    TRY_CL(clEnqueueFillBuffer(call->queue, place.buffer, pattern, pattern_bytes,
                               (size_t)place.offset * 4, bytes, 0, NULL, NULL));
fail:
    return status;
}

clnorm_status clnorm_recurrent_zero(const clnorm_recurrent_call *call, clnorm_place place,
                                    uint64_t elements, clnorm_error *error)
{
    const float zero = 0;
    clnorm_status status;
    TRY(fill(call, place, &zero, sizeof(zero), (size_t)elements * sizeof(zero), error));
    TRY(clnorm_recurrent_then(call, error));
fail:
    return status;
}

clnorm_status clnorm_recurrent_multiply(const clnorm_recurrent_call *call,
                                        const clnorm_product *product, clnorm_error *error)
{
    clnorm_status status;
    TRY(clnorm_multiply(call->op->context, call->queue, product, error));
    TRY(clnorm_recurrent_then(call, error));
fail:
    return status;
}

clnorm_status clnorm_recurrent_launch(const clnorm_recurrent_call *call, clnorm_cell_kernel kernel,
                                      const clnorm_arg_list *list, uint64_t groups,
                                      clnorm_error *error)
{
    const clnorm_events none = {0, NULL, NULL};
    clnorm_kernel_pool *pool;
    clnorm_status status;
    TRY(clnorm_recurrent_kernel(call->op, kernel, &pool, error));
    TRY(clnorm_launch(pool, call->queue, list->args, list->count, (size_t)groups,
                      call->op->geometry.group_size, none, error));
    TRY(clnorm_recurrent_then(call, error));
fail:
    return status;
}

/* ---- the call ------------------------------------------------------------------------------ */

/* Patterns are copied when they are enqueued, so that the array is free again; they are powers of
 * two, of which an offset is a multiple, and 16 lengths keep to that wherever a workspace begins.
 */
static clnorm_status upload_lengths(const clnorm_recurrent_call *call, clnorm_error *error)
{
    const clnorm_region region =
        call->direction == CLNORM_FORWARD ? FORWARD_LENGTHS : BACKWARD_LENGTHS;
    clnorm_status status = CLNORM_OK;
    uint64_t count = 16;
    for (uint64_t i = 0; i < call->batch; i += count) {
        while (count > call->batch - i)
            count /= 2;
        TRY(fill(call, clnorm_recurrent_region(call, region, i), call->lengths + i,
                 (size_t)count * 4, (size_t)count * 4, error));
    }
    TRY(clnorm_recurrent_then(call, error));
fail:
    return status;
}

clnorm_status clnorm_recurrent_begin(const clnorm_recurrent_call *call, clnorm_events events,
                                     clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    if (events.n_wait > 0)
        TRY_CL(clEnqueueBarrierWithWaitList(call->queue, events.n_wait, events.wait_list, NULL));
    if (call->lengths)
        TRY(upload_lengths(call, error));
fail:
    return status;
}

clnorm_status clnorm_recurrent_end(const clnorm_recurrent_call *call, clnorm_events events,
                                   clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    if (events.event)
        TRY_CL(clEnqueueMarkerWithWaitList(call->queue, 0, NULL, events.event));
fail:
    return status;
}

/* Lengths that are all `steps` say nothing. */
static const uint32_t *needed_lengths(const clnorm_recurrent_call *call)
{
    const uint32_t *lengths = call->args->lengths;
    uint64_t i = 0;
    while (lengths && i < call->batch && lengths[i] == call->steps)
        i++;
    return lengths && i < call->batch ? lengths : NULL;
}

clnorm_status clnorm_recurrent_run(clnorm_recurrent_call *call, clnorm_recurrent_run_fn run,
                                   clnorm_events events, clnorm_error *error)
{
    const clnorm_recurrent *op = call->op;
    clnorm_status status;
    if (!op || !call->args)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL", !op ? "op" : "args");
    if (call->args->struct_size != sizeof(*call->args))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "args.struct_size is %zu, not %zu: use CLNORM_RECURRENT_ARGS_INIT",
                           call->args->struct_size, sizeof(*call->args));
    TRY(clnorm_recurrent_shape_check(&op->desc, call->steps, call->batch, call->args->lengths,
                                     error));
    call->rows = call->steps * call->batch;
    call->lengths = needed_lengths(call);
    TRY(clnorm_recurrent_find_regions(op, call->steps, call->batch, &call->regions, error));
    TRY(clnorm_recurrent_args_check(call, events, error));
    TRY(clnorm_queue_in_order(op->context, call->queue, &call->in_order, error));
    TRY(clnorm_recurrent_begin(call, events, error));
    TRY(run(call, error));
    TRY(clnorm_recurrent_end(call, events, error));
fail:
    return status;
}

/* ---- arguments of kernels ------------------------------------------------------------------ */

void clnorm_recurrent_push(clnorm_arg_list *list, clnorm_place place)
{
    clnorm_push_vector(list, place.buffer, place.offset);
}

void clnorm_recurrent_push_lengths(clnorm_arg_list *list, const clnorm_recurrent_call *call)
{
    const clnorm_place none = {NULL, 0};
    const clnorm_region region =
        call->direction == CLNORM_FORWARD ? FORWARD_LENGTHS : BACKWARD_LENGTHS;
    clnorm_recurrent_push(list, call->lengths ? clnorm_recurrent_region(call, region, 0) : none);
}

/* An rnn's norm is that of the sum, and the kernel's of h. */
void clnorm_recurrent_push_parameters(clnorm_arg_list *list, const clnorm_recurrent_call *call)
{
    const bool one_norm = call->op->desc.cell == CLNORM_RNN && call->op->desc.norm;
    const clnorm_recurrent_id ids[] = {
        one_norm ? RECURRENT_weight : RECURRENT_weight_h,
        one_norm ? RECURRENT_bias : RECURRENT_bias_h,
        RECURRENT_weight_x,
        RECURRENT_bias_x,
        one_norm ? RECURRENT_weight_c : RECURRENT_bias, /* none, as it has no c */
        RECURRENT_weight_c,
        RECURRENT_bias_c,
    };
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        clnorm_recurrent_push(list, clnorm_recurrent_rows(call, ids[i], 0));
}

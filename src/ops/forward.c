/* SPDX-License-Identifier: MIT */
#include "base/checked.h"
#include "base/kind.h"
#include "ops/set_args.h"
#include "runtime/queue.h"

#include <float.h>

static void push_quantiser(clnorm_arg_list *list, const clnorm_desc *d, const clnorm_args *args)
{
    const double largest = d->y_dtype == CLNORM_I8 ? 127 : d->y_dtype == CLNORM_E4M3 ? 448 : 57344;
    const double usual = d->y_dtype == CLNORM_I8 ? FLT_EPSILON : 1 / (512 * largest);
    const uint64_t scales = d->quant == CLNORM_QUANT_GROUP ? d->cols / d->quant_group : 1;
    clnorm_push_2d(list, args, TENSOR_qscale, scales);
    clnorm_push_2d(list, args, TENSOR_qzero, scales);
    clnorm_push_1d(list, args, TENSOR_qsum);
    clnorm_push_u32(list, d->quant_group);
    clnorm_push_real(list, d->qscale_min > 0 ? d->qscale_min : usual);
    clnorm_push_real(list, d->qscale_max);
    clnorm_push_real(list, largest);
}

static void push_running(clnorm_arg_list *list, const clnorm_desc *d, const clnorm_args *args,
                         double count)
{
    const bool biased = d->running_biased || count < 2;
    clnorm_push_1d(list, args, TENSOR_running_mean);
    clnorm_push_1d(list, args, TENSOR_running_var);
    clnorm_push_real(list, d->momentum);
    clnorm_push_real(list, biased ? 1 : count / (count - 1));
}

static uint64_t set_bytes(const clnorm_desc *d, const clnorm_shape *shape)
{
    return shape->sets.segments * shape->sets.run * clnorm_dtype_bytes(d->y_dtype);
}

static void push_all(clnorm_arg_list *list, const clnorm_op *op, const clnorm_args *args,
                     const clnorm_shape *shape, clnorm_part part, uint64_t sets_per_group)
{
    const clnorm_desc *d = &op->desc;
    clnorm_push_2d(list, args, TENSOR_y, d->cols);
    clnorm_push_1d(list, args, TENSOR_mean);
    clnorm_push_1d(list, args, TENSOR_rstd);
    clnorm_push_2d(list, args, TENSOR_x, d->cols);
    clnorm_push_1d(list, args, TENSOR_weight);
    clnorm_push_1d(list, args, TENSOR_bias);
    clnorm_push_u64(list, shape->sets.count);
    clnorm_push_u32(list, shape->sets.run);
    clnorm_push_u32(list, shape->stats_cols);
    clnorm_push_u32(list, sets_per_group);
    clnorm_push_u32(list, shape->sets.count * set_bytes(d, shape) > op->geometry.stream_bytes);
    clnorm_push_numbers(list, op, shape);
    clnorm_push_set_args(list, op, args, shape, part);
    if (d->quant)
        push_quantiser(list, d, args);
    if (d->kind == CLNORM_BATCH_NORM && d->stats != CLNORM_STATS_GIVEN)
        push_running(list, d, args, shape->count);
}

/* Another form than the op's may have other parts, which the workspace is not made for. */
static bool shares_rows(const clnorm_op *op, const clnorm_built *built, const clnorm_args *args,
                        uint64_t rows)
{
    return args->workspace.buffer && built->geometry.part == op->geometry.part &&
           clnorm_shares_rows(&op->geometry, rows);
}

/* Each group that writes some of a row's parts must merge the statistics of all of them. */
static uint64_t parts_per_group(const clnorm_op *op, const clnorm_geometry *geometry, uint64_t rows)
{
    const uint64_t groups_of_row = ceil_div(4 * (uint64_t)geometry->slots, rows);
    return ceil_div(clnorm_parts_of_row(geometry, op->desc.cols), groups_of_row);
}

/* Statistics of all parts of rows, then the rows. */
static clnorm_status run_shared(const clnorm_op *op, const clnorm_built *built,
                                cl_command_queue queue, const clnorm_arg_list *list, uint64_t rows,
                                uint64_t per_group, clnorm_events events, clnorm_error *error)
{
    const unsigned group_size = built->geometry.group_size;
    const uint64_t parts = clnorm_parts_of_row(&built->geometry, op->desc.cols);
    clnorm_sequence both;
    clnorm_status status;
    TRY(clnorm_sequence_begin(op->context, queue, events, &both, error));
    TRY(clnorm_launch(built->parts, queue, list->args, list->count, (size_t)(rows * parts),
                      group_size, both.first, error));
    TRY(clnorm_launch(built->kernels, queue, list->args, list->count,
                      (size_t)(rows * ceil_div(parts, per_group)), group_size, both.second, error));
fail:
    clnorm_sequence_end(&both);
    return status;
}

clnorm_status clnorm_run_forward(const clnorm_op *op, cl_command_queue queue,
                                 const clnorm_args *args, clnorm_part part, clnorm_events events,
                                 clnorm_error *error)
{
    const clnorm_shape shape = clnorm_shape_of(&op->desc, part);
    clnorm_arg_list list = {.count = 0, .wide = op->desc.x_dtype == CLNORM_F64};
    clnorm_built built;
    const clnorm_status status =
        clnorm_op_kernel(op, clnorm_kernel_for(op, CLNORM_FORWARD, args), &built, error);
    if (status != CLNORM_OK)
        return status;
    const uint64_t sets = shape.sets.count,
                   sets_per_group = clnorm_sets_per_group(op, &built.geometry, sets,
                                                          set_bytes(&op->desc, &shape), part.all);
    const bool shared = shares_rows(op, &built, args, part.rows);
    const uint64_t per_group = shared ? parts_per_group(op, &built.geometry, part.rows) : 1;
    push_all(&list, op, args, &shape, part, sets_per_group);
    if (built.geometry.part > 0) {
        const uint64_t element = list.wide ? 8 : 4;
        clnorm_push_vector(&list, shared ? args->workspace.buffer : NULL,
                           args->workspace.offset / element);
        clnorm_push_u32(&list, built.geometry.part);
        clnorm_push_u32(&list, built.geometry.part * per_group);
    }
    if (shared)
        return run_shared(op, &built, queue, &list, part.rows, per_group, events, error);
    return clnorm_launch(built.kernels, queue, list.args, list.count,
                         (size_t)ceil_div(sets, sets_per_group), built.geometry.group_size, events,
                         error);
}

/* ---- the call ------------------------------------------------------------------------------ */

static clnorm_status run(const clnorm_op *op, cl_command_queue queue, uint64_t rows,
                         const clnorm_args *args, clnorm_events events, clnorm_error *error)
{
    return clnorm_run_forward(op, queue, args, (clnorm_part){0, rows, rows}, events, error);
}

/* One that would make it faster, where the op may keep one: no call needs it. */
static clnorm_status wants_workspace(const clnorm_op *op, cl_command_queue queue, uint64_t rows,
                                     const clnorm_args *args, bool *wants, clnorm_error *error)
{
    *wants = false;
    if (args->workspace.buffer || !clnorm_shares_rows(&op->geometry, rows))
        return CLNORM_OK;
    return clnorm_queue_in_order(op->context, queue, wants, error);
}

clnorm_status clnorm_forward(const clnorm_op *op, cl_command_queue queue, uint64_t rows,
                             const clnorm_args *args, cl_uint n_wait, const cl_event *wait_list,
                             cl_event *event, clnorm_error *error)
{
    const clnorm_events events = {n_wait, wait_list, event};
    bool own_workspace;
    clnorm_status status;
    TRY(clnorm_args_check(op, CLNORM_FORWARD, queue, rows, args, events, error));
    TRY(wants_workspace(op, queue, rows, args, &own_workspace, error));
    if (own_workspace)
        return clnorm_run_in_workspace(op, CLNORM_FORWARD, queue, rows, args, events, run, error);
    if (rows > 0)
        return run(op, queue, rows, args, events, error);
    if (event) /* no kernel, but the caller may wait for the event, and it for the wait list */
        TRY_CL(clEnqueueMarkerWithWaitList(queue, n_wait, wait_list, event));
fail:
    return status;
}

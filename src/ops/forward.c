/* SPDX-License-Identifier: MIT */
#include "base/checked.h"
#include "base/kind.h"
#include "ops/switches.h"

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

clnorm_status clnorm_run_forward(const clnorm_op *op, cl_command_queue queue,
                                 const clnorm_args *args, clnorm_part part, clnorm_events events,
                                 clnorm_error *error)
{
    const clnorm_desc *d = &op->desc;
    const clnorm_shape shape = clnorm_shape_of(d, part);
    const uint64_t set_bytes =
        shape.sets.segments * shape.sets.run * clnorm_dtype_bytes(d->y_dtype);
    clnorm_arg_list list = {.count = 0, .wide = d->x_dtype == CLNORM_F64};
    clnorm_built built;
    const clnorm_status status =
        clnorm_op_kernel(op, clnorm_kernel_for(op, CLNORM_FORWARD, args), &built, error);
    if (status != CLNORM_OK)
        return status;
    const uint64_t sets_per_group =
        clnorm_sets_per_group(op, &built.geometry, shape.sets.count, set_bytes, part.all);
    clnorm_push_2d(&list, args, TENSOR_y, d->cols);
    clnorm_push_1d(&list, args, TENSOR_mean);
    clnorm_push_1d(&list, args, TENSOR_rstd);
    clnorm_push_2d(&list, args, TENSOR_x, d->cols);
    clnorm_push_1d(&list, args, TENSOR_weight);
    clnorm_push_1d(&list, args, TENSOR_bias);
    clnorm_push_u64(&list, shape.sets.count);
    clnorm_push_u32(&list, shape.sets.run);
    clnorm_push_u32(&list, shape.stats_cols);
    clnorm_push_u32(&list, sets_per_group);
    clnorm_push_u32(&list, shape.sets.count * set_bytes > op->geometry.stream_bytes);
    clnorm_push_numbers(&list, op, &shape);
    clnorm_push_set_args(&list, op, args, &shape, part);
    if (d->quant)
        push_quantiser(&list, d, args);
    if (d->kind == CLNORM_BATCH_NORM && d->stats != CLNORM_STATS_GIVEN)
        push_running(&list, d, args, shape.count);
    const uint64_t groups = ceil_div(shape.sets.count, sets_per_group);
    return clnorm_launch(built.kernels, queue, list.args, list.count, (size_t)groups,
                         built.geometry.group_size, events, error);
}

clnorm_status clnorm_forward(const clnorm_op *op, cl_command_queue queue, uint64_t rows,
                             const clnorm_args *args, cl_uint n_wait, const cl_event *wait_list,
                             cl_event *event, clnorm_error *error)
{
    const clnorm_events events = {n_wait, wait_list, event};
    const clnorm_part part = {0, rows, rows};
    clnorm_status status;
    TRY(clnorm_args_check(op, CLNORM_FORWARD, queue, rows, args, events, error));
    if (rows > 0)
        return clnorm_run_forward(op, queue, args, part, events, error);
    if (event) /* no kernel, but the caller may wait for the event, and it for the wait list */
        TRY_CL(clEnqueueMarkerWithWaitList(queue, n_wait, wait_list, event));
fail:
    return status;
}

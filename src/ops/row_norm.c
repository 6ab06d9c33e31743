/* SPDX-License-Identifier: MIT */
#include "ops/op.h"

clnorm_status clnorm_row_norm_forward(const clnorm_op *op, cl_command_queue queue,
                                      const clnorm_args *args, uint64_t rows, clnorm_events events,
                                      clnorm_error *error)
{
    const clnorm_desc *desc = &op->desc;
    const cl_ulong y_stride = clnorm_stride(op, args->y.stride);
    const cl_ulong x_stride = clnorm_stride(op, args->x.stride);
    const uint64_t y_row_bytes = desc->cols * clnorm_dtype_bytes(desc->y_dtype);
    const cl_ulong kernel_rows = rows;
    const cl_uint cols = (cl_uint)desc->cols;
    const cl_uint rows_per_group = clnorm_rows_per_group(
        &op->geometry, op->context->device.compute_units, rows, desc->cols, y_row_bytes);
    const cl_uint stream = (cl_uint)(rows * y_row_bytes > op->geometry.stream_bytes);
    const double eps = desc->eps;
    const float eps_f32 = (float)eps;
    const clnorm_kernel_arg kernel_args[] = {
        CLNORM_ARG(args->y.buffer),
        CLNORM_ARG(args->mean.buffer),
        CLNORM_ARG(args->rstd.buffer),
        CLNORM_ARG(args->x.buffer),
        CLNORM_ARG(args->weight.buffer),
        CLNORM_ARG(args->bias.buffer),
        CLNORM_ARG(args->y.offset),
        CLNORM_ARG(args->mean.offset),
        CLNORM_ARG(args->rstd.offset),
        CLNORM_ARG(args->x.offset),
        CLNORM_ARG(args->weight.offset),
        CLNORM_ARG(args->bias.offset),
        CLNORM_ARG(y_stride),
        CLNORM_ARG(x_stride),
        CLNORM_ARG(kernel_rows),
        CLNORM_ARG(cols),
        CLNORM_ARG(rows_per_group),
        CLNORM_ARG(stream),
        desc->x_dtype == CLNORM_F64 ? CLNORM_ARG(eps) : CLNORM_ARG(eps_f32),
    };
    const uint64_t groups = (rows + rows_per_group - 1) / rows_per_group;
    return clnorm_launch(op->kernels, queue, kernel_args,
                         sizeof(kernel_args) / sizeof(kernel_args[0]), (size_t)groups,
                         op->geometry.group_size, events, error);
}

clnorm_status clnorm_forward(const clnorm_op *op, cl_command_queue queue, uint64_t rows,
                             const clnorm_args *args, cl_uint n_wait, const cl_event *wait_list,
                             cl_event *event, clnorm_error *error)
{
    const clnorm_events events = {n_wait, wait_list, event};
    clnorm_status status;
    TRY(clnorm_args_check(op, queue, rows, args, events, error));
    if (rows > 0)
        return clnorm_row_norm_forward(op, queue, args, rows, events, error);
    if (event) /* no kernel, but the caller may wait for the event, and it for the wait list */
        TRY_CL(clEnqueueMarkerWithWaitList(queue, n_wait, wait_list, event));
fail:
    return status;
}

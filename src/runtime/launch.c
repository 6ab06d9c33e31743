/* SPDX-License-Identifier: MIT */
#include "runtime/launch.h"
#include "runtime/queue.h"

clnorm_status clnorm_launch(clnorm_kernel_pool *pool, cl_command_queue queue,
                            const clnorm_kernel_arg *args, cl_uint n_args, size_t groups,
                            size_t group_size, clnorm_events events, clnorm_error *error)
{
    const size_t global = groups * group_size;
    cl_kernel kernel;
    clnorm_status status = clnorm_kernel_take(pool, &kernel, error);
    if (status != CLNORM_OK)
        return status;
    for (cl_uint i = 0; i < n_args; i++)
        TRY_CL(clSetKernelArg(kernel, i, args[i].bytes, args[i].value));
    TRY_CL(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &global, &group_size, events.n_wait,
                                  events.wait_list, events.event));
fail:
    if (status != CLNORM_OK)
        clnorm_fail_more(error, " for %zu groups of %zu", groups, group_size);
    clnorm_kernel_give(pool, kernel);
    return status;
}

clnorm_status clnorm_sequence_begin(clnorm_context *context, cl_command_queue queue,
                                    clnorm_events events, clnorm_sequence *sequence,
                                    clnorm_error *error)
{
    bool in_order = false;
    *sequence = (clnorm_sequence){.first = events, .second = events};
    const clnorm_status status = clnorm_queue_in_order(context, queue, &in_order, error);
    sequence->first.event = in_order ? NULL : &sequence->between;
    sequence->second.n_wait = in_order ? 0 : 1;
    sequence->second.wait_list = in_order ? NULL : &sequence->between;
    return status;
}

void clnorm_sequence_end(clnorm_sequence *sequence)
{
    if (sequence->between)
        clReleaseEvent(sequence->between);
}

clnorm_status clnorm_kernel_limit(clnorm_kernel_pool *pool, cl_device_id device, size_t *limit,
                                  clnorm_error *error)
{
    cl_kernel kernel;
    clnorm_status status = clnorm_kernel_take(pool, &kernel, error);
    if (status != CLNORM_OK)
        return status;
    TRY_CL(clGetKernelWorkGroupInfo(kernel, device, CL_KERNEL_WORK_GROUP_SIZE, sizeof(*limit),
                                    limit, NULL));
fail:
    clnorm_kernel_give(pool, kernel);
    return status;
}

/* SPDX-License-Identifier: MIT */
#include "runtime/launch.h"
#include "runtime/queue.h"

#include <string.h>

static bool may_be_kept(const clnorm_kernel_arg *arg)
{
    static const cl_mem none = NULL;
    const bool may_change = arg->is_handle && memcmp(arg->value, &none, sizeof(none)) != 0;
    return !may_change && arg->bytes <= CLNORM_MOST_ARG_BYTES;
}

/* Arguments that are as they were are not set again: a driver takes longer for one of them than for
 * this comparison. */
static clnorm_status set_arg(clnorm_kernel *kernel, cl_uint i, const clnorm_kernel_arg *arg,
                             clnorm_error *error)
{
    clnorm_kernel_value *last = &kernel->set_to[i];
    clnorm_status status;
    const bool kept = may_be_kept(arg);
    if (kept && last->bytes == arg->bytes && memcmp(last->value, arg->value, arg->bytes) == 0)
        return CLNORM_OK;
    last->bytes = 0;
    TRY_CL(clSetKernelArg(kernel->cl, i, arg->bytes, arg->value));
    if (kept) {
        memcpy(last->value, arg->value, arg->bytes);
        last->bytes = arg->bytes;
    }
fail:
    return status;
}

clnorm_status clnorm_launch(clnorm_kernel_pool *pool, cl_command_queue queue,
                            const clnorm_kernel_arg *args, cl_uint n_args, size_t groups,
                            size_t group_size, clnorm_events events, clnorm_error *error)
{
    const size_t global = groups * group_size;
    clnorm_kernel *kernel;
    clnorm_status status = clnorm_kernel_take(pool, &kernel, error);
    if (status != CLNORM_OK)
        return status;
    for (cl_uint i = 0; i < n_args; i++)
        TRY(set_arg(kernel, i, &args[i], error));
    TRY_CL(clEnqueueNDRangeKernel(queue, kernel->cl, 1, NULL, &global, &group_size, events.n_wait,
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
    clnorm_kernel *kernel;
    clnorm_status status = clnorm_kernel_take(pool, &kernel, error);
    if (status != CLNORM_OK)
        return status;
    TRY_CL(clGetKernelWorkGroupInfo(kernel->cl, device, CL_KERNEL_WORK_GROUP_SIZE, sizeof(*limit),
                                    limit, NULL));
fail:
    clnorm_kernel_give(pool, kernel);
    return status;
}

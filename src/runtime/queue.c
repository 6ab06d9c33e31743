/* SPDX-License-Identifier: MIT */
#include "runtime/queue.h"

/* ---- queues that are remembered ------------------------------------------------------------ */

static bool find_queue(clnorm_context *context, cl_command_queue queue, bool *in_order)
{
    clnorm_known_queues *known = &context->queues;
    bool found = false;
    lock_take(&known->lock);
    for (size_t i = 0; i < CLNORM_KNOWN_QUEUES && !found; i++) {
        found = known->of[i].queue == queue;
        if (found)
            *in_order = known->of[i].in_order;
    }
    lock_give(&known->lock);
    return found;
}

/* In place of the one that was added longest ago. */
static void add_queue(clnorm_context *context, cl_command_queue queue, bool in_order)
{
    clnorm_known_queues *known = &context->queues;
    if (clRetainCommandQueue(queue))
        return;
    lock_take(&known->lock);
    clnorm_known_queue *place = &known->of[known->next++ % CLNORM_KNOWN_QUEUES];
    const cl_command_queue old = place->queue;
    *place = (clnorm_known_queue){queue, in_order};
    lock_give(&known->lock);
    if (old)
        clReleaseCommandQueue(old);
}

void clnorm_queues_forget(clnorm_context *context)
{
    for (size_t i = 0; i < CLNORM_KNOWN_QUEUES; i++)
        if (context->queues.of[i].queue)
            clReleaseCommandQueue(context->queues.of[i].queue);
}

/* ---- checks -------------------------------------------------------------------------------- */

static clnorm_status query_order(cl_command_queue queue, bool *in_order, clnorm_error *error)
{
    cl_command_queue_properties properties = 0;
    const clnorm_status status = clnorm_cl_check(
        clGetCommandQueueInfo(queue, CL_QUEUE_PROPERTIES, sizeof(properties), &properties, NULL),
        "clGetCommandQueueInfo", error);
    *in_order = !(properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
    return status;
}

clnorm_status clnorm_queue_check(clnorm_context *context, cl_command_queue queue,
                                 clnorm_error *error)
{
    clnorm_status status;
    cl_context cl;
    cl_device_id device;
    bool in_order;
    if (!queue)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "queue is NULL");
    if (find_queue(context, queue, &in_order))
        return CLNORM_OK;
    TRY_CL(clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof(cl), &cl, NULL));
    TRY_CL(clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof(device), &device, NULL));
    if (cl != context->cl)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "queue is of another OpenCL context than the op");
    if (device != context->device.device_id)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "queue is of another device than the op's, %s",
                           context->device.name);
    TRY(query_order(queue, &in_order, error));
    add_queue(context, queue, in_order);
fail:
    return status;
}

clnorm_status clnorm_queue_in_order(clnorm_context *context, cl_command_queue queue, bool *in_order,
                                    clnorm_error *error)
{
    return find_queue(context, queue, in_order) ? CLNORM_OK : query_order(queue, in_order, error);
}

clnorm_status clnorm_wait_list_check(const clnorm_context *context, cl_uint n_wait,
                                     const cl_event *wait_list, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    if ((n_wait == 0) != (wait_list == NULL))
        return clnorm_fail(error, CLNORM_BAD_ARGS, "n_wait is %u with wait_list %s", n_wait,
                           wait_list ? "given" : "NULL");
    for (cl_uint i = 0; i < n_wait; i++) {
        cl_context cl = NULL;
        TRY_CL(clGetEventInfo(wait_list[i], CL_EVENT_CONTEXT, sizeof(cl), &cl, NULL));
        if (cl != context->cl)
            return clnorm_fail(error, CLNORM_BAD_ARGS, "wait_list[%u] is of another OpenCL context",
                               i);
    }
fail:
    return status;
}

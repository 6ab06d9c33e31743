/* SPDX-License-Identifier: MIT */
#include "runtime/mem.h"

clnorm_status clnorm_mem_query(cl_mem mem, clnorm_mem_info *info, clnorm_error *error)
{
    clnorm_status status;
    cl_mem parent = NULL;
    cl_mem_object_type type = 0;
    TRY_CL(clGetMemObjectInfo(mem, CL_MEM_TYPE, sizeof(type), &type, NULL));
    if (type != CL_MEM_OBJECT_BUFFER)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "an image (type 0x%x) instead of a buffer",
                           (unsigned)type);
    TRY_CL(clGetMemObjectInfo(mem, CL_MEM_CONTEXT, sizeof(info->context), &info->context, NULL));
    TRY_CL(clGetMemObjectInfo(mem, CL_MEM_FLAGS, sizeof(info->flags), &info->flags, NULL));
    TRY_CL(clGetMemObjectInfo(mem, CL_MEM_SIZE, sizeof(info->bytes), &info->bytes, NULL));
    TRY_CL(clGetMemObjectInfo(mem, CL_MEM_ASSOCIATED_MEMOBJECT, sizeof(parent), &parent, NULL));
    TRY_CL(clGetMemObjectInfo(mem, CL_MEM_OFFSET, sizeof(info->origin), &info->origin, NULL));
    info->root = parent ? parent : mem;
    if (!parent)
        info->origin = 0;
fail:
    return status;
}

clnorm_status clnorm_queue_check(const clnorm_context *context, cl_command_queue queue,
                                 clnorm_error *error)
{
    clnorm_status status;
    cl_context cl;
    cl_device_id device;
    if (!queue)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "queue is NULL");
    TRY_CL(clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof(cl), &cl, NULL));
    TRY_CL(clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof(device), &device, NULL));
    if (cl != context->cl)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "queue is of another OpenCL context than the op");
    if (device != context->device.device_id)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "queue is of another device than the op's, %s",
                           context->device.name);
fail:
    return status;
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

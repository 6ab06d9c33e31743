/* SPDX-License-Identifier: MIT */
#include "runtime/staging.h"

static clnorm_status create_queue(const clnorm_context *context, cl_command_queue *queue,
                                  clnorm_error *error)
{
    cl_int code;
    *queue = clCreateCommandQueue(context->cl, context->device.device_id, 0, &code);
    return clnorm_cl_check(code, "clCreateCommandQueue", error);
}

clnorm_status clnorm_queues_create(const clnorm_context *context, clnorm_queues *queues,
                                   clnorm_error *error)
{
    clnorm_status status;
    TRY(create_queue(context, &queues->upload, error));
    TRY(create_queue(context, &queues->compute, error));
    TRY(create_queue(context, &queues->download, error));
fail:
    return status;
}

void clnorm_queues_release(clnorm_queues *queues)
{
    const cl_command_queue all[] = {queues->upload, queues->compute, queues->download};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i])
            clFinish(all[i]);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i])
            clReleaseCommandQueue(all[i]);
    *queues = (clnorm_queues){NULL, NULL, NULL};
}

static size_t span_bytes(const clnorm_host_block *b) { return (b->rows - 1) * b->pitch + b->width; }

clnorm_status clnorm_stage(const clnorm_context *context, clnorm_host_block host,
                           cl_mem_flags access, int zero_copy, clnorm_staged *staged,
                           clnorm_error *error)
{
    cl_int code;
    const size_t bytes = zero_copy ? span_bytes(&host) : host.rows * host.width;
    const cl_mem_flags flags = access | (zero_copy ? CL_MEM_USE_HOST_PTR : 0);
    staged->host = host;
    staged->zero_copy = zero_copy;
    staged->mem = clCreateBuffer(context->cl, flags, bytes, zero_copy ? host.data : NULL, &code);
    const clnorm_status status = clnorm_cl_check(code, "clCreateBuffer", error);
    if (status != CLNORM_OK)
        clnorm_fail_more(error, " for %zu bytes; the device allows %llu", bytes,
                         (unsigned long long)context->device.max_alloc_bytes);
    return status;
}

clnorm_status clnorm_stage_same(const clnorm_staged *from, clnorm_staged *staged,
                                clnorm_error *error)
{
    clnorm_status status;
    TRY_CL(clRetainMemObject(from->mem));
    *staged = *from;
fail:
    return status;
}

void clnorm_unstage(clnorm_staged *staged)
{
    if (staged->mem)
        clReleaseMemObject(staged->mem);
    *staged = (clnorm_staged){.mem = NULL};
}

/* Rows without gaps on the host are one long row. */
static clnorm_host_block as_region(const clnorm_host_block *b)
{
    if (b->pitch != b->width)
        return *b;
    const size_t bytes = b->rows * b->width;
    return (clnorm_host_block){.data = b->data, .rows = 1, .width = bytes, .pitch = bytes};
}

clnorm_status clnorm_upload(cl_command_queue queue, const clnorm_staged *staged, cl_event *event,
                            clnorm_error *error)
{
    static const size_t origin[3] = {0, 0, 0};
    clnorm_status status;
    if (!staged->mem || staged->zero_copy)
        return CLNORM_OK;
    const clnorm_host_block b = as_region(&staged->host);
    const size_t region[3] = {b.width, b.rows, 1};
    if (b.rows == 1)
        TRY_CL(
            clEnqueueWriteBuffer(queue, staged->mem, CL_FALSE, 0, b.width, b.data, 0, NULL, event));
    else
        TRY_CL(clEnqueueWriteBufferRect(queue, staged->mem, CL_FALSE, origin, origin, region,
                                        b.width, 0, b.pitch, 0, b.data, 0, NULL, event));
    TRY_CL(clFlush(queue));
fail:
    return status;
}

clnorm_status clnorm_download(cl_command_queue queue, clnorm_staged *staged, cl_event computed,
                              cl_event *event, clnorm_error *error)
{
    static const size_t origin[3] = {0, 0, 0};
    clnorm_status status;
    cl_int code;
    if (!staged->mem)
        return CLNORM_OK;
    if (staged->zero_copy) {
        staged->mapped = clEnqueueMapBuffer(queue, staged->mem, CL_FALSE, CL_MAP_READ, 0,
                                            span_bytes(&staged->host), 1, &computed, event, &code);
        return clnorm_cl_check(code, "clEnqueueMapBuffer", error);
    }
    const clnorm_host_block b = as_region(&staged->host);
    const size_t region[3] = {b.width, b.rows, 1};
    if (b.rows == 1)
        TRY_CL(clEnqueueReadBuffer(queue, staged->mem, CL_FALSE, 0, b.width, b.data, 1, &computed,
                                   event));
    else
        TRY_CL(clEnqueueReadBufferRect(queue, staged->mem, CL_FALSE, origin, origin, region,
                                       b.width, 0, b.pitch, 0, b.data, 1, &computed, event));
fail:
    return status;
}

clnorm_status clnorm_unmap(cl_command_queue queue, clnorm_staged *staged, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    if (staged->mapped)
        TRY_CL(clEnqueueUnmapMemObject(queue, staged->mem, staged->mapped, 0, NULL, NULL));
    staged->mapped = NULL;
fail:
    return status;
}

clnorm_status clnorm_await(cl_event event, clnorm_error *error)
{
    clnorm_status status;
    cl_int state = CL_COMPLETE;
    const cl_int waited = clWaitForEvents(1, &event);
    TRY_CL(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(state), &state, NULL));
    if (state < 0) /* tells more than that waiting failed */
        return clnorm_cl_check(state, "a command of the queue", error);
    TRY(clnorm_cl_check(waited, "clWaitForEvents", error));
fail:
    return status;
}

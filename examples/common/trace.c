/* SPDX-License-Identifier: MIT */
#include "common/trace.h"

#include <stdlib.h>

enum { CHUNK = 256 };

struct chunk {
    struct chunk *next;
    size_t n;
    int labels[CHUNK];
    cl_event events[CHUNK];
};

struct ex_trace {
    struct chunk first, *last;
};

cl_event *ex_event(struct ex_device *device, int label)
{
    struct ex_trace *trace = device->trace;
    if (!trace)
        return NULL;
    if (trace->last->n == CHUNK)
        trace->last = trace->last->next = ex_alloc(1, sizeof(struct chunk));
    struct chunk *chunk = trace->last; /* events that were given away stay where they are */
    chunk->labels[chunk->n] = label;
    return &chunk->events[chunk->n++];
}

void ex_trace_begin(struct ex_device *device)
{
    device->trace = ex_alloc(1, sizeof(struct ex_trace));
    device->trace->last = &device->trace->first;
}

static cl_ulong moment(cl_event event, cl_profiling_info which)
{
    cl_ulong time = 0;
    ex_must_cl(clGetEventProfilingInfo(event, which, sizeof(time), &time, NULL),
               "clGetEventProfilingInfo");
    return time;
}

void ex_trace_end(struct ex_device *device, double *seconds, int n, size_t *launches)
{
    struct ex_trace *trace = device->trace;
    cl_ulong before = 0;
    size_t count = 0;
    ex_finish(device);
    device->trace = NULL;
    for (struct chunk *chunk = &trace->first, *next; chunk; chunk = next) {
        for (size_t i = 0; i < chunk->n; i++, count++) {
            const cl_ulong end = moment(chunk->events[i], CL_PROFILING_COMMAND_END);
            if (count == 0)
                before = moment(chunk->events[i], CL_PROFILING_COMMAND_START);
            if (chunk->labels[i] < n && end > before)
                seconds[chunk->labels[i]] += 1e-9 * (double)(end - before);
            before = end > before ? end : before;
            clReleaseEvent(chunk->events[i]);
        }
        next = chunk->next;
        if (chunk != &trace->first)
            free(chunk);
    }
    free(trace);
    if (launches)
        *launches = count;
}

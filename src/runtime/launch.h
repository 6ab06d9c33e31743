/* SPDX-License-Identifier: MIT */
#ifndef CLNORM_RUNTIME_LAUNCH_H
#define CLNORM_RUNTIME_LAUNCH_H

#include "runtime/kernel_pool.h"

typedef struct clnorm_kernel_arg {
    size_t bytes;
    const void *value;
    bool is_handle; /* of a buffer, or NULL: another buffer may have it tomorrow */
} clnorm_kernel_arg;

#define CLNORM_ARG(variable)                                                                       \
    ((clnorm_kernel_arg){sizeof(variable), &(variable),                                            \
                         _Generic((variable), cl_mem                                               \
                                  : true, default                                                  \
                                  : false)})

/* What a command waits for, and the event that it gives: as in OpenCL. */
typedef struct clnorm_events {
    cl_uint n_wait;
    const cl_event *wait_list;
    cl_event *event;
} clnorm_events;

/* One-dimensional: `groups` groups of `group_size` work-items. */
clnorm_status clnorm_launch(clnorm_kernel_pool *pool, cl_command_queue queue,
                            const clnorm_kernel_arg *args, cl_uint n_args, size_t groups,
                            size_t group_size, clnorm_events events, clnorm_error *error);

/* A call of two commands, the second of which needs what the first one did. It waits by an event
 * only where the queue does not see to it: events cost. */
typedef struct clnorm_sequence {
    clnorm_events first, second;
    cl_event between;
} clnorm_sequence;

/* For a call with these events. The sequence must stay where it is, and be ended, begun or not. */
clnorm_status clnorm_sequence_begin(clnorm_context *context, cl_command_queue queue,
                                    clnorm_events events, clnorm_sequence *sequence,
                                    clnorm_error *error);
void clnorm_sequence_end(clnorm_sequence *sequence);

/* The largest group that the kernels of the pool can be launched with on `device`. */
clnorm_status clnorm_kernel_limit(clnorm_kernel_pool *pool, cl_device_id device, size_t *limit,
                                  clnorm_error *error);

#endif

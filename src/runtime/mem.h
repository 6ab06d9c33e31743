/* SPDX-License-Identifier: MIT */
/* What drivers accept without a word and then get wrong: memory, queues and events of another
 * context, writes to read-only memory, ranges past the end. */
#ifndef CLNORM_RUNTIME_MEM_H
#define CLNORM_RUNTIME_MEM_H

#include "runtime/context.h"

typedef struct clnorm_mem_info {
    cl_context context;
    cl_mem_flags flags;
    size_t bytes;
    cl_mem root; /* of a sub-buffer, else the buffer itself */
    size_t origin; /* bytes into root */
} clnorm_mem_info;

clnorm_status clnorm_mem_query(cl_mem mem, clnorm_mem_info *info, clnorm_error *error);

/* CLNORM_BAD_ARGS unless the queue belongs to the context and its device. */
clnorm_status clnorm_queue_check(const clnorm_context *context, cl_command_queue queue,
                                 clnorm_error *error);

/* CLNORM_BAD_ARGS unless n_wait and wait_list agree and each event is of the context. */
clnorm_status clnorm_wait_list_check(const clnorm_context *context, cl_uint n_wait,
                                     const cl_event *wait_list, clnorm_error *error);

#endif

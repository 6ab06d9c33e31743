/* SPDX-License-Identifier: MIT */
/* The application's queues and events: whose they are. The queues that were checked last are
 * remembered, and retained, so that their handles stay their own. */
#ifndef CLNORM_RUNTIME_QUEUE_H
#define CLNORM_RUNTIME_QUEUE_H

#include "runtime/context.h"

/* CLNORM_BAD_ARGS unless the queue belongs to the context and its device. */
clnorm_status clnorm_queue_check(clnorm_context *context, cl_command_queue queue,
                                 clnorm_error *error);
/* Whether commands of a queue, checked or of the library's own, run one after the other. */
clnorm_status clnorm_queue_in_order(clnorm_context *context, cl_command_queue queue, bool *in_order,
                                    clnorm_error *error);
void clnorm_queues_forget(clnorm_context *context);

/* CLNORM_BAD_ARGS unless n_wait and wait_list agree and each event is of the context. */
clnorm_status clnorm_wait_list_check(const clnorm_context *context, cl_uint n_wait,
                                     const cl_event *wait_list, clnorm_error *error);

#endif

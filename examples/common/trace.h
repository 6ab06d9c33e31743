/* SPDX-License-Identifier: MIT */
/* Where the time of a step goes, by the events of an in-order queue with profiling. */
#ifndef EXAMPLES_COMMON_TRACE_H
#define EXAMPLES_COMMON_TRACE_H

#include "common/device.h"

/* Where a command's event goes, for the `event` of clnorm_forward, clnorm_gemm and the like: under
 * `label`, a small number of the caller's. NULL while nothing is traced. */
cl_event *ex_event(struct ex_device *device, int label);

/* Events of what is enqueued from here on are kept. */
void ex_trace_begin(struct ex_device *device);
/* Waits for all, and adds each command's time to seconds[label], for labels below n. A command's
 * time goes from the end of the one before it to its own end: the gaps between commands count, and
 * a call of several kernels, whose event is that of the last one, counts as a whole. The first
 * command begins when the device begins it. launches: of all, or NULL. */
void ex_trace_end(struct ex_device *device, double *seconds, int n, size_t *launches);

#endif

/* SPDX-License-Identifier: MIT */
/* The companion copy of an op: what the device reaches for the same bytes, walked in the same way.
 */
#ifndef CLNORM_OPS_COPY_H
#define CLNORM_OPS_COPY_H

#include "ops/op.h"

typedef struct clnorm_copy {
    clnorm_context *context;
    clnorm_geometry geometry;
    clnorm_kernel_pool *kernels;
} clnorm_copy;

clnorm_status clnorm_copy_init(clnorm_copy *copy, const clnorm_op *op, clnorm_error *error);
/* A copy of zeros is allowed. */
void clnorm_copy_release(clnorm_copy *copy);

/* Copies `bytes` rounded up to whole vectors of at most 64 bytes, so both buffers need that. */
clnorm_status clnorm_copy_forward(const clnorm_copy *copy, cl_command_queue queue, cl_mem dst,
                                  cl_mem src, uint64_t bytes, clnorm_events events,
                                  clnorm_error *error);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef CLNORM_OPS_OP_H
#define CLNORM_OPS_OP_H

#include "ops/form.h"
#include "runtime/launch.h"

struct clnorm_op {
    clnorm_context *context;
    clnorm_desc desc;
    clnorm_geometry geometry;
    clnorm_kernel_pool *kernels; /* the only part that changes after creation */
};

/* Everything that can be wrong with a call, found before anything is enqueued. */
clnorm_status clnorm_args_check(const clnorm_op *op, cl_command_queue queue, uint64_t rows,
                                const clnorm_args *args, clnorm_events events, clnorm_error *error);

/* clnorm_forward without the checks; strides are in place. */
clnorm_status clnorm_row_norm_forward(const clnorm_op *op, cl_command_queue queue,
                                      const clnorm_args *args, uint64_t rows, clnorm_events events,
                                      clnorm_error *error);

/* Its kernel works on row strides; 0 stands for cols. */
uint64_t clnorm_stride(const clnorm_op *op, uint64_t stride);

#endif

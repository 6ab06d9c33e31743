/* SPDX-License-Identifier: MIT */
/* How host arrays of any size are cut into chunks of rows that the device can hold. */
#ifndef CLNORM_OPS_HOST_PLAN_H
#define CLNORM_OPS_HOST_PLAN_H

#include "ops/host_arrays.h"

enum { HOST_SLOTS = 3 }; /* one chunk going up, one computed, one coming down */

typedef struct clnorm_host_plan {
    uint64_t rows_per_chunk;
    unsigned slots; /* chunks on the device at once */
    int zero_copy; /* the device uses the host's matrices of [rows, cols] in place */
    size_t workspace; /* bytes */
} clnorm_host_plan;

/* CLNORM_OUT_OF_MEMORY if the fewest rows that can be worked on by themselves are too large. */
clnorm_status clnorm_host_plan_make(const clnorm_op *op, const clnorm_host_arrays *arrays,
                                    const clnorm_host_options *options, clnorm_host_plan *plan,
                                    clnorm_error *error);

/* Whether this tensor is used in place where the plan is zero_copy. */
bool clnorm_is_matrix(const clnorm_op *op, const clnorm_host_tensor *tensor);

#endif

/* SPDX-License-Identifier: MIT */
/* How host arrays of any size are cut into chunks of rows that the device can hold. */
#ifndef CLNORM_OPS_HOST_PLAN_H
#define CLNORM_OPS_HOST_PLAN_H

#include "ops/op.h"

enum { HOST_SLOTS = 3 }; /* one chunk going up, one computed, one coming down */

typedef struct clnorm_host_plan {
    uint64_t rows_per_chunk;
    unsigned slots; /* chunks on the device at once */
    int zero_copy; /* the device uses the host's x and y in place */
    int in_place; /* y is x */
    uint64_t y_stride, x_stride; /* elements, of the host arrays */
} clnorm_host_plan;

/* Checks the arrays too: CLNORM_BAD_ARGS with the reason. CLNORM_OUT_OF_MEMORY if a single row is
 * too large. */
clnorm_status clnorm_host_plan_make(const clnorm_op *op, uint64_t rows,
                                    const clnorm_host_args *args,
                                    const clnorm_host_options *options, clnorm_host_plan *plan,
                                    clnorm_error *error);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef CLNORM_CHECK_TIMING_H
#define CLNORM_CHECK_TIMING_H

#include "clnorm/clnorm.h"

typedef struct clnorm_timing {
    double seconds; /* median of the rounds, by the host's clock: enqueue to finish */
    double copy_seconds; /* the same for a copy of as many bytes, each round beside the other */
    uint64_t bytes; /* of all tensors */
    uint64_t rows; /* that were timed: what fits on the device */
    unsigned rounds;
} clnorm_timing;

/* Times the op on data that is on the device already. args holds the inputs and in y
 * the verified result: a timed result that differs from it in a bit is CLNORM_OPENCL, so that no
 * speed is known of anything wrong. rows at least 1. */
clnorm_status clnorm_time_forward(const clnorm_op *op, uint64_t rows, const clnorm_host_args *args,
                                  clnorm_timing *timing, clnorm_error *error);

#endif

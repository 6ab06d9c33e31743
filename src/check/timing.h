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

enum { CLNORM_MOST_RACERS = 2 };

typedef struct clnorm_racer {
    const clnorm_op *op;
    const void *y; /* its verified result: the bits of another op may differ */
    double seconds; /* set: median of a launch */
    double ratio; /* set: median of what it takes over what the first one takes beside it */
} clnorm_racer;

/* Times ops of one descriptor in turns, on the same inputs, beside the copy of the first one's. The
 * `rows` of args are put on the device `tiles` times, or as often as they fit, one behind the
 * other, and the result is compared with as many copies of y: kinds with sets of whole rows only.
 * Launches are timed in batches of 2 ms at least. Takes about 0.3 s and the time of three rounds.
 * timing: of the first one. */
clnorm_status clnorm_time_race(clnorm_racer *racers, size_t count, uint64_t rows, uint64_t tiles,
                               const clnorm_host_args *args, clnorm_timing *timing,
                               clnorm_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* The least time that memory allows for what has to be moved: at the rate of a copy
 * or of a pass in place. */
#ifndef EXAMPLES_COMMON_PROFILE_H
#define EXAMPLES_COMMON_PROFILE_H

#include "common/train.h"

struct ex_floor {
    size_t n; /* floats of a copy; twice as many are negated in place */
    double share; /* of what has to be moved, that a copy moves; negating moves twice as much */
    cl_mem from, to, place;
};

/* bytes: that are read, and that are written, together. room: of the arrays, less than `bytes`
 * where some are read and written; a copy or a pass goes through as much memory, so that caches
 * hold no less of it. */
void ex_floor_open(struct ex_floor *floor, struct ex_device *device, size_t bytes, size_t room);
void ex_floor_close(struct ex_floor *floor);
/* Ways to move bytes: a copy by a kernel, one by clEnqueueCopyBuffer, and a pass in place. On many
 * CPUs the stores of a copy read the line that they overwrite; those in place have it. */
enum { EX_FLOOR_WAYS = 3 };
/* Enqueues one, in turns with what it is the floor of, so that caches are as that leaves them;
 * `label` is that of ex_event. */
void ex_floor_move(struct ex_floor *floor, struct ex_train *train, int way, int label);
/* Seconds that `bytes` take in the fastest way, from the seconds of one of each. */
double ex_floor_seconds(const struct ex_floor *floor, const double seconds[EX_FLOOR_WAYS]);

/* Sorts the values. */
double ex_median(double *values, size_t n);

#endif

/* SPDX-License-Identifier: MIT */
/* What opening a case and measuring it have in common; private to bench.c and bench_round.c. */
#ifndef CLNORM_CHECK_BENCH_PARTS_H
#define CLNORM_CHECK_BENCH_PARTS_H

#include "check/bench.h"
#include "check/ring.h"
#include "ops/op.h"

struct clnorm_bench {
    clnorm_bench_device *device;
    clnorm_bench_case c;
    clnorm_bench_options options;
    clnorm_desc desc; /* resolved */
    clnorm_op *op;
    clnorm_ring_shape shape;
    void *values[TENSOR_COUNT]; /* inputs of a tile */
    void *results[TENSOR_COUNT]; /* verified outputs of a tile */
    clnorm_companion copy;
    unsigned calls; /* of a sample; 0: not chosen yet */
};

/* Calls go through the sets behind the copies, half way round: then each finds what a copy wrote,
 * so that what it leaves undone is seen, and as much was moved in between as before a copy comes
 * there again, so that both are as cold. With an odd number of sets it is exactly as much. A sample
 * may be of as many calls. */
uint64_t clnorm_bench_behind(uint64_t sets);
/* The one that is called when `copied` sets were copied before the sample's copies. */
uint64_t clnorm_bench_called_set(uint64_t sets, uint64_t copied);
/* Enqueues the operation on a set. */
clnorm_status clnorm_bench_call(const clnorm_bench *bench, const clnorm_ring *ring, uint64_t set,
                                cl_event *event, clnorm_error *error);
/* All rows of what is in a set with the verified ones: CLNORM_OPENCL and *differs if a bit
 * does. */
clnorm_status clnorm_bench_compare(const clnorm_bench *bench, const clnorm_ring *ring, uint64_t set,
                                   bool *differs, clnorm_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* The companion of an operation: a kernel that moves the same streams of bytes and computes
 * nothing, in the usual way of copies on such devices, or in one that is a good deal faster. */
#ifndef CLNORM_CHECK_COMPANION_H
#define CLNORM_CHECK_COMPANION_H

#include "runtime/launch.h"

#include <stdbool.h>

enum { CLNORM_MOST_INS = 4, CLNORM_MOST_OUTS = 3, CLNORM_COMPANION_PROGRAMS = 2 };

typedef struct clnorm_streams {
    unsigned ins, outs; /* at least 1 of each; those beyond the most are not moved */
    unsigned in_bytes[CLNORM_MOST_INS], out_bytes[CLNORM_MOST_OUTS]; /* of an element: 1 to 8 */
} clnorm_streams;

/* Where the streams are, in buffers that have room for whole vectors of 16 elements. */
typedef struct clnorm_stream_place {
    cl_mem in[CLNORM_MOST_INS], out[CLNORM_MOST_OUTS];
    uint64_t first; /* element of each at which it begins: a multiple of 16 */
    uint64_t elements;
} clnorm_stream_place;

typedef struct clnorm_companion {
    clnorm_context *context;
    clnorm_streams streams;
    unsigned parts; /* of an element, that are moved as one: streams of double are twice as long */
    /* by width of vectors, by kind of store */
    clnorm_kernel_pool *kernels[CLNORM_COMPANION_PROGRAMS][2], *nothing;
    const struct clnorm_companion_way *way; /* NULL: none was chosen yet */
} clnorm_companion;

/* Zeros may be released. */
clnorm_status clnorm_companion_init(clnorm_companion *companion, clnorm_context *context,
                                    const clnorm_streams *streams, clnorm_error *error);
void clnorm_companion_release(clnorm_companion *companion);

/* Tries all ways on `sets` places in turns, `pitch` elements apart, and keeps the usual one or one
 * that is a good deal faster; overwrites the outputs. The queue is empty before, and is waited for.
 */
clnorm_status clnorm_companion_choose(clnorm_companion *companion, cl_command_queue queue,
                                      const clnorm_stream_place *place, uint64_t sets,
                                      uint64_t pitch, clnorm_error *error);
clnorm_status clnorm_companion_run(const clnorm_companion *companion, cl_command_queue queue,
                                   const clnorm_stream_place *place, clnorm_events events,
                                   clnorm_error *error);
/* A kernel that does nothing. */
clnorm_status clnorm_companion_nothing(const clnorm_companion *companion, cl_command_queue queue,
                                       clnorm_events events, clnorm_error *error);
/* Such as "blocks of 1024, past the cache"; "" before one was chosen. */
const char *clnorm_companion_way_name(const clnorm_companion *companion);

#endif

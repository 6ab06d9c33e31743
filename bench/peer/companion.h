/* SPDX-License-Identifier: MIT */
/* The floor: kernels that move the bytes of a case and compute nothing, and one that does nothing.
 *
 *   streams=x:y                 one in, one out: a copy
 *   streams=x,dy:dx             two in, one out: a triad z = x + y
 *   streams=x,residual:sum,y    two in, two out
 *
 * An output of narrower elements gets that part of the bytes. Called as "copy" (plain stores),
 * "copy_nt" (non-temporal ones, where the compiler has them, else plain) and "empty". */
#ifndef BENCH_PEER_COMPANION_H
#define BENCH_PEER_COMPANION_H

#include "worker.h"

#include <CL/cl.h>

enum { COMPANION_STREAMS = 4, COMPANION_KERNELS = 2 };

typedef struct companion {
    cl_command_queue queue;
    cl_kernel empty, move[COMPANION_KERNELS]; /* plain, non-temporal */
    size_t items[COMPANION_KERNELS]; /* work-items of each */
    bool ready;
} companion;

/* Tries blocks of several sizes and keeps the fastest of each kernel. Overwrites the outputs. */
void companion_make(companion *companion, cl_context context, cl_device_id device,
                    cl_command_queue queue, worker_case *c, const cl_mem *buffers);
void companion_call(const companion *companion, const char *what);
void companion_release(companion *companion);

#endif

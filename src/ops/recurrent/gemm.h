/* SPDX-License-Identifier: MIT */
/* Matrix products by CLBlast: the only file that knows it is gemm.c. */
#ifndef CLNORM_OPS_RECURRENT_GEMM_H
#define CLNORM_OPS_RECURRENT_GEMM_H

#include "runtime/opencl.h"

#include <stdbool.h>

/* Elements of a buffer from one on; NULL: no place. */
typedef struct clnorm_place {
    cl_mem buffer;
    uint64_t offset;
} clnorm_place;

/* A row-major matrix without gaps, or what is stored is its transpose. */
typedef struct clnorm_factor {
    clnorm_place at;
    bool transposed;
} clnorm_factor;

/* c = a b + beta c with a of [m, k], b of [k, n], c of [m, n]. */
typedef struct clnorm_product {
    uint64_t m, n, k;
    clnorm_factor a, b;
    clnorm_place c;
    float beta; /* 0: c need not be numbers before */
} clnorm_product;

/* CLNORM_OK, or CLNORM_UNSUPPORTED in a library that was built without CLBlast. */
clnorm_status clnorm_gemm_check(clnorm_error *error);

/* Enqueues the product, f32, behind what the queue holds if that is in-order; it takes no wait
 * list. Compiles CLBlast's kernels if they are new to the device. */
clnorm_status clnorm_gemm(cl_command_queue queue, const clnorm_product *p, clnorm_error *error);

/* Empties CLBlast's cache of programs, which all of the process shares. */
clnorm_status clnorm_gemm_clear_cache(clnorm_error *error);

#endif

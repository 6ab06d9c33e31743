/* SPDX-License-Identifier: MIT */
/* Matrix products, f32, row-major. */
#ifndef CLNORM_OPS_GEMM_PRODUCT_H
#define CLNORM_OPS_GEMM_PRODUCT_H

#include "base/gemm_tuning.h"
#include "runtime/context.h"

/* Elements of a buffer from one on; NULL: no place. */
typedef struct clnorm_place {
    cl_mem buffer;
    uint64_t offset;
} clnorm_place;

typedef struct clnorm_factor {
    clnorm_place at;
    bool transposed; /* what is stored is its transpose */
} clnorm_factor;

/* c = alpha a b + beta c with a of [m, k], b of [k, n], c of [m, n]. */
typedef struct clnorm_product {
    uint64_t m, n, k;
    clnorm_factor a, b;
    clnorm_place c;
    float alpha, beta; /* beta 0: c need not be numbers before */
    uint64_t a_stride, b_stride, c_stride; /* from a stored row to the next; 0: no gaps */
    uint64_t batch; /* products, each a step behind the one before; 0: one */
    uint64_t a_step, b_step, c_step;
} clnorm_product;

/* Rows and columns as they are stored. */
static inline uint64_t clnorm_product_lda(const clnorm_product *p)
{
    return p->a_stride ? p->a_stride : p->a.transposed ? p->m : p->k;
}

static inline uint64_t clnorm_product_ldb(const clnorm_product *p)
{
    return p->b_stride ? p->b_stride : p->b.transposed ? p->k : p->n;
}

static inline uint64_t clnorm_product_ldc(const clnorm_product *p)
{
    return p->c_stride ? p->c_stride : p->n;
}

/* Enqueues the product behind what the queue holds if that is in-order; on another one nothing may
 * be in flight that it depends on, and what it enqueues itself is in order. Takes what the
 * context's tuning table knows. Compiles CLBlast's kernels if they are new to the device. */
clnorm_status clnorm_multiply(clnorm_context *context, cl_command_queue queue,
                              const clnorm_product *product, clnorm_error *error);

/* Hands the parameters to CLBlast, for all of the process, and to the context, instead of those of
 * its table. Under the context's lock, or before others know it. */
clnorm_status clnorm_multiply_with(clnorm_context *context, const clnorm_gemm_tuning *tuning,
                                   clnorm_error *error);

#endif

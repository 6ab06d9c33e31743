/* SPDX-License-Identifier: MIT */
/* Kernels for several threads: setting arguments and enqueueing must not share a cl_kernel, so each
 * launch takes one out of the pool and gives it back, with what its arguments were set to. */
#ifndef CLNORM_RUNTIME_KERNEL_POOL_H
#define CLNORM_RUNTIME_KERNEL_POOL_H

#include "runtime/context.h"

enum { CLNORM_MOST_ARGS = 128, CLNORM_MOST_ARG_BYTES = 64 };

/* Of no bytes: not known. */
typedef struct clnorm_kernel_value {
    size_t bytes;
    unsigned char value[CLNORM_MOST_ARG_BYTES];
} clnorm_kernel_value;

typedef struct clnorm_kernel {
    struct clnorm_kernel *next; /* of those in the pool */
    cl_kernel cl;
    clnorm_kernel_value set_to[CLNORM_MOST_ARGS];
} clnorm_kernel;

typedef struct clnorm_kernel_pool clnorm_kernel_pool;

/* Makes the first kernel too, so that a program without `name` (static text) fails here. The
 * program is retained. */
clnorm_status clnorm_kernel_pool_create(cl_program program, const char *name,
                                        clnorm_kernel_pool **pool, clnorm_error *error);
/* NULL is allowed. */
void clnorm_kernel_pool_destroy(clnorm_kernel_pool *pool);

clnorm_status clnorm_kernel_take(clnorm_kernel_pool *pool, clnorm_kernel **kernel,
                                 clnorm_error *error);
void clnorm_kernel_give(clnorm_kernel_pool *pool, clnorm_kernel *kernel);

#endif

/* SPDX-License-Identifier: MIT */
/* Kernels for several threads: setting arguments and enqueueing must not share a cl_kernel, so each
 * launch takes one out of the pool and gives it back. */
#ifndef CLNORM_RUNTIME_KERNEL_POOL_H
#define CLNORM_RUNTIME_KERNEL_POOL_H

#include "runtime/context.h"

typedef struct clnorm_kernel_pool clnorm_kernel_pool;

/* Makes the first kernel too, so that a program without `name` (static text) fails here. The
 * program is retained. */
clnorm_status clnorm_kernel_pool_create(cl_program program, const char *name,
                                        clnorm_kernel_pool **pool, clnorm_error *error);
/* NULL is allowed. */
void clnorm_kernel_pool_destroy(clnorm_kernel_pool *pool);

clnorm_status clnorm_kernel_take(clnorm_kernel_pool *pool, cl_kernel *kernel, clnorm_error *error);
void clnorm_kernel_give(clnorm_kernel_pool *pool, cl_kernel kernel);

#endif

/* SPDX-License-Identifier: MIT */
#include "runtime/kernel_pool.h"

#include <stdlib.h>

struct clnorm_kernel_pool {
    clnorm_lock lock;
    cl_program program;
    const char *name;
    clnorm_kernel *idle;
};

clnorm_status clnorm_kernel_pool_create(cl_program program, const char *name,
                                        clnorm_kernel_pool **out, clnorm_error *error)
{
    clnorm_status status;
    clnorm_kernel *kernel;
    clnorm_kernel_pool *pool = calloc(1, sizeof(*pool));
    if (!pool)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for kernels");
    *pool = (clnorm_kernel_pool){.lock = CLNORM_LOCK_INIT, .name = name};
    TRY_CL(clRetainProgram(program));
    pool->program = program;
    TRY(clnorm_kernel_take(pool, &kernel, error));
    clnorm_kernel_give(pool, kernel);
    *out = pool;
    return CLNORM_OK;
fail:
    clnorm_kernel_pool_destroy(pool);
    return status;
}

void clnorm_kernel_pool_destroy(clnorm_kernel_pool *pool)
{
    if (!pool)
        return;
    while (pool->idle) {
        clnorm_kernel *kernel = pool->idle;
        pool->idle = kernel->next;
        clReleaseKernel(kernel->cl);
        free(kernel);
    }
    if (pool->program)
        clReleaseProgram(pool->program);
    free(pool);
}

static clnorm_status create_kernel(clnorm_kernel_pool *pool, clnorm_kernel **out,
                                   clnorm_error *error)
{
    cl_int code;
    clnorm_kernel *kernel = calloc(1, sizeof(*kernel));
    if (!kernel)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for a kernel");
    kernel->cl = clCreateKernel(pool->program, pool->name, &code);
    const clnorm_status status = clnorm_cl_check(code, "clCreateKernel", error);
    if (status == CLNORM_OK)
        *out = kernel;
    else
        free(kernel);
    return status;
}

clnorm_status clnorm_kernel_take(clnorm_kernel_pool *pool, clnorm_kernel **kernel,
                                 clnorm_error *error)
{
    lock_take(&pool->lock);
    *kernel = pool->idle;
    if (*kernel)
        pool->idle = (*kernel)->next;
    lock_give(&pool->lock);
    return *kernel ? CLNORM_OK : create_kernel(pool, kernel, error);
}

void clnorm_kernel_give(clnorm_kernel_pool *pool, clnorm_kernel *kernel)
{
    lock_take(&pool->lock);
    kernel->next = pool->idle;
    pool->idle = kernel;
    lock_give(&pool->lock);
}

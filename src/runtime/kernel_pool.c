/* SPDX-License-Identifier: MIT */
#include "runtime/kernel_pool.h"

#include <stdlib.h>

struct clnorm_kernel_pool {
    clnorm_lock lock;
    cl_program program;
    const char *name;
    cl_kernel *idle;
    size_t n_idle, capacity;
};

clnorm_status clnorm_kernel_pool_create(cl_program program, const char *name,
                                        clnorm_kernel_pool **out, clnorm_error *error)
{
    clnorm_status status;
    cl_kernel kernel;
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
    for (size_t i = 0; i < pool->n_idle; i++)
        clReleaseKernel(pool->idle[i]);
    free(pool->idle);
    if (pool->program)
        clReleaseProgram(pool->program);
    free(pool);
}

clnorm_status clnorm_kernel_take(clnorm_kernel_pool *pool, cl_kernel *kernel, clnorm_error *error)
{
    cl_int code = CL_SUCCESS;
    *kernel = NULL;
    lock_take(&pool->lock);
    if (pool->n_idle > 0)
        *kernel = pool->idle[--pool->n_idle];
    lock_give(&pool->lock);
    if (!*kernel)
        *kernel = clCreateKernel(pool->program, pool->name, &code);
    return clnorm_cl_check(code, "clCreateKernel", error);
}

void clnorm_kernel_give(clnorm_kernel_pool *pool, cl_kernel kernel)
{
    lock_take(&pool->lock);
    if (pool->n_idle == pool->capacity) {
        const size_t capacity = pool->capacity ? 2 * pool->capacity : 4;
        cl_kernel *idle = realloc(pool->idle, capacity * sizeof(*idle));
        if (idle) {
            pool->idle = idle;
            pool->capacity = capacity;
        }
    }
    const int kept = pool->n_idle < pool->capacity;
    if (kept)
        pool->idle[pool->n_idle++] = kernel;
    lock_give(&pool->lock);
    if (!kept)
        clReleaseKernel(kernel);
}

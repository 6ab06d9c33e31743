/* SPDX-License-Identifier: MIT */
#include "base/checked.h"
#include "ops/gemm/clblast.h"
#include "ops/recurrent/op.h"
#include "runtime/queue.h"

#include <stdio.h>

enum { MOST_PRODUCTS = 7, FACTORS = 3 };

typedef struct {
    const char *name;
    clnorm_product product; /* without places */
} named_product;

/* Every product of both directions. */
static size_t list_products(const clnorm_recurrent *op, uint64_t steps, uint64_t batch,
                            named_product list[MOST_PRODUCTS])
{
    const uint64_t hidden = op->desc.hidden, features = op->desc.features, rows = steps * batch;
    const uint64_t all = op->gates * hidden;
    const struct {
        const char *name;
        uint64_t m, n, k;
        bool a_transposed, b_transposed;
    } products[MOST_PRODUCTS] = {
        {"x of all steps", rows, all, features, false, true},
        {"h of a step", batch, all, hidden, false, true},
        {"dh of a step", batch, hidden, all, false, false},
        {"dw_h", all, hidden, rows - batch, true, false},
        {"dw_h of h0", all, hidden, batch, true, false},
        {"dw_x", all, features, rows, true, false},
        {"dx", rows, features, all, false, false},
    };
    size_t count = 0;
    for (size_t i = 0; i < MOST_PRODUCTS; i++)
        if (products[i].k > 0)
            list[count++] = (named_product){products[i].name,
                                            {.alpha = 1,
                                             .m = products[i].m,
                                             .n = products[i].n,
                                             .k = products[i].k,
                                             .a = {{NULL, 0}, products[i].a_transposed},
                                             .b = {{NULL, 0}, products[i].b_transposed}}};
    return count;
}

static uint64_t elements_of(const clnorm_product *p, int factor)
{
    return factor == 0 ? p->m * p->k : factor == 1 ? p->k * p->n : p->m * p->n;
}

/* A buffer for each factor, large enough for all products. */
static clnorm_status create_factors(const clnorm_recurrent *op, const named_product *list,
                                    size_t count, cl_mem mems[FACTORS], clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int i = 0; i < FACTORS; i++) {
        uint64_t most = 0;
        cl_int code;
        for (size_t k = 0; k < count; k++)
            most = max_u64(most, elements_of(&list[k].product, i));
        mems[i] = clCreateBuffer(op->context->cl, CL_MEM_READ_WRITE, (size_t)most * 4, NULL, &code);
        TRY(clnorm_cl_check(code, "clCreateBuffer", error));
    }
fail:
    return status;
}

/* The numbers do not matter, but must not be slow: zeros. */
static clnorm_status fill_factors(const clnorm_recurrent *op, cl_command_queue queue,
                                  const named_product *list, size_t count, cl_mem mems[FACTORS],
                                  clnorm_error *error)
{
    const float zero = 0;
    clnorm_status status;
    TRY(create_factors(op, list, count, mems, error));
    for (int i = 0; i < FACTORS; i++) {
        size_t bytes = 0;
        TRY_CL(clGetMemObjectInfo(mems[i], CL_MEM_SIZE, sizeof(bytes), &bytes, NULL));
        TRY_CL(clEnqueueFillBuffer(queue, mems[i], &zero, sizeof(zero), 0, bytes, 0, NULL, NULL));
    }
    TRY_CL(clFinish(queue));
fail:
    return status;
}

static clnorm_status multiply(clnorm_context *context, cl_command_queue queue,
                              const named_product *named, cl_mem mems[FACTORS], clnorm_error *error)
{
    clnorm_product product = named->product;
    clnorm_status status;
    product.a.at.buffer = mems[0];
    product.b.at.buffer = mems[1];
    product.c.buffer = mems[2];
    TRY(clnorm_multiply(context, queue, &product, error));
    TRY_CL(clFinish(queue));
fail:
    return status;
}

static clnorm_status report(clnorm_recurrent_progress_fn progress, void *user, size_t done,
                            size_t all, const named_product *next, clnorm_error *error)
{
    char what[128] = "";
    if (next)
        snprintf(what, sizeof(what), "%s: [%llu, %llu] x [%llu, %llu]", next->name,
                 (unsigned long long)next->product.m, (unsigned long long)next->product.k,
                 (unsigned long long)next->product.k, (unsigned long long)next->product.n);
    if (progress && progress(user, (unsigned)done, (unsigned)all, what))
        return clnorm_fail(error, CLNORM_CANCELLED, "stopped by the progress callback");
    return CLNORM_OK;
}

clnorm_status clnorm_recurrent_warm_up(const clnorm_recurrent *op, cl_command_queue queue,
                                       uint64_t steps, uint64_t batch,
                                       clnorm_recurrent_progress_fn progress, void *user,
                                       clnorm_error *error)
{
    named_product list[MOST_PRODUCTS];
    cl_mem mems[FACTORS] = {NULL};
    clnorm_status status;
    if (!op)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "op is NULL");
    TRY(clnorm_recurrent_shape_check(&op->desc, steps, batch, NULL, error));
    TRY(clnorm_context_check(op->context, error));
    TRY(clnorm_queue_check(op->context, queue, error));
    const size_t count = list_products(op, steps, batch, list);
    TRY(fill_factors(op, queue, list, count, mems, error));
    for (size_t i = 0; i < count; i++) {
        TRY(report(progress, user, i, count, &list[i], error));
        TRY(multiply(op->context, queue, &list[i], mems, error));
    }
    TRY(report(progress, user, count, count, NULL, error));
fail:
    for (int i = 0; i < FACTORS; i++)
        if (mems[i])
            clReleaseMemObject(mems[i]);
    return status;
}

clnorm_status clnorm_recurrent_clear_cache(clnorm_error *error)
{
    return clnorm_clblast_clear_cache(error);
}

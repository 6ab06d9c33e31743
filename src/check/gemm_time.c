/* SPDX-License-Identifier: MIT */
#include "check/gemm_time.h"

#include "base/checked.h"
#include "base/random.h"
#include "check/clock.h"
#include "ops/gemm/product.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* Rows, and columns, of c that are compared: those at both ends, where tiles are cut off, and
 * others. */
enum { COMPARED = 16, SERIES = 12, LEAST_SERIES = 3 };
static const double series_seconds = 0.02, most_seconds = 0.4;

typedef struct {
    const clnorm_gemm_case *c;
    clnorm_context *context;
    cl_command_queue queue;
    float *a, *b, *got;
    clnorm_gemm_args args;
} trial;

clnorm_status clnorm_gemm_use(clnorm_context *context, const clnorm_gemm_tuning *tuning,
                              clnorm_error *error)
{
    return clnorm_multiply_with(context, tuning, error);
}

/* ---- numbers ------------------------------------------------------------------------------- */

static float *random_matrix(uint64_t elements, uint64_t stream)
{
    clnorm_random random = clnorm_random_seed(1, stream);
    float *m = malloc((size_t)elements * sizeof(float));
    for (uint64_t i = 0; m && i < elements; i++)
        m[i] = (float)(clnorm_random_uniform(&random) - 0.5);
    return m;
}

static clnorm_status upload(const trial *t, const float *data, uint64_t elements, cl_mem *mem,
                            clnorm_error *error)
{
    const size_t bytes = (size_t)elements * sizeof(float);
    cl_int code;
    clnorm_status status;
    *mem = clCreateBuffer(t->context->cl, CL_MEM_READ_WRITE, bytes, NULL, &code);
    TRY(clnorm_cl_check(code, "clCreateBuffer", error));
    if (data)
        TRY_CL(clEnqueueWriteBuffer(t->queue, *mem, CL_TRUE, 0, bytes, data, 0, NULL, NULL));
fail:
    return status;
}

static clnorm_status open_trial(trial *t, clnorm_error *error)
{
    const clnorm_gemm_case *c = t->c;
    cl_int code;
    clnorm_status status;
    t->a = random_matrix(c->m * c->k, 1);
    t->b = random_matrix(c->k * c->n, 2);
    t->got = malloc((size_t)(c->m * c->n) * sizeof(float));
    if (!t->a || !t->b || !t->got)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for a product");
    t->queue = clCreateCommandQueue(t->context->cl, t->context->device.device_id, 0, &code);
    TRY(clnorm_cl_check(code, "clCreateCommandQueue", error));
    t->args.m = c->m, t->args.n = c->n, t->args.k = c->k;
    t->args.a_transposed = c->a_transposed, t->args.b_transposed = c->b_transposed;
    TRY(upload(t, t->a, c->m * c->k, &t->args.a.buffer, error));
    TRY(upload(t, t->b, c->k * c->n, &t->args.b.buffer, error));
    TRY(upload(t, NULL, c->m * c->n, &t->args.c.buffer, error));
fail:
    return status;
}

static void close_trial(trial *t)
{
    const cl_mem mems[] = {t->args.a.buffer, t->args.b.buffer, t->args.c.buffer};
    for (size_t i = 0; i < sizeof(mems) / sizeof(mems[0]); i++)
        if (mems[i])
            clReleaseMemObject(mems[i]);
    if (t->queue)
        clReleaseCommandQueue(t->queue);
    free(t->a);
    free(t->b);
    free(t->got);
}

/* ---- right --------------------------------------------------------------------------------- */

/* The terms are summed in any order, then scaled: at most k + 2 roundings of each. */
static double share_of(const trial *t, uint64_t row, uint64_t col)
{
    const clnorm_gemm_case *c = t->c;
    double sum = 0, magnitude = 0;
    for (uint64_t k = 0; k < c->k; k++) {
        const double a = (double)t->a[c->a_transposed ? k * c->m + row : row * c->k + k];
        const double b = (double)t->b[c->b_transposed ? col * c->k + k : k * c->n + col];
        sum += a * b;
        magnitude += fabs(a * b);
    }
    const double error = fabs((double)t->got[row * c->n + col] - sum);
    const double bound = (double)(c->k + 2) * (double)FLT_EPSILON / 2 * magnitude;
    return error <= bound ? (bound > 0 ? error / bound : 0) : INFINITY;
}

/* Place i of COMPARED: from both ends, the rest in between. */
static uint64_t place(uint64_t count, uint64_t i)
{
    const uint64_t ends = COMPARED / 4;
    if (i < ends)
        return i < count ? i : count - 1;
    if (i < 2 * ends)
        return count > i - ends ? count - 1 - (i - ends) : 0;
    return i * count / COMPARED;
}

static clnorm_status compare(const trial *t, double *share, clnorm_error *error)
{
    const clnorm_gemm_case *c = t->c;
    clnorm_status status;
    TRY_CL(clEnqueueReadBuffer(t->queue, t->args.c.buffer, CL_TRUE, 0,
                               (size_t)(c->m * c->n) * sizeof(float), t->got, 0, NULL, NULL));
    *share = 0;
    for (uint64_t i = 0; i < COMPARED; i++) {
        for (uint64_t col = 0; col < c->n; col++)
            *share = fmax(*share, share_of(t, place(c->m, i), col));
        for (uint64_t row = 0; row < c->m; row++)
            *share = fmax(*share, share_of(t, row, place(c->n, i)));
    }
fail:
    return status;
}

/* ---- fast ---------------------------------------------------------------------------------- */

static clnorm_status run(const trial *t, unsigned count, double *seconds, clnorm_error *error)
{
    const double start = clnorm_clock();
    clnorm_status status;
    for (unsigned i = 0; i < count; i++)
        TRY(clnorm_gemm(t->context, t->queue, &t->args, 0, NULL, NULL, error));
    TRY_CL(clFinish(t->queue));
    *seconds = (clnorm_clock() - start) / count;
fail:
    return status;
}

/* Series of products that take a while together: a launch hides behind the product before it. */
static clnorm_status time_products(const trial *t, double *best, clnorm_error *error)
{
    const double start = clnorm_clock();
    clnorm_status status;
    TRY(run(t, 1, best, error));
    const unsigned count = *best < series_seconds ? (unsigned)(series_seconds / *best) + 1 : 1;
    for (int i = 0; i < SERIES && (i < LEAST_SERIES || clnorm_clock() - start < most_seconds);
         i++) {
        double seconds;
        TRY(run(t, count, &seconds, error));
        *best = fmin(*best, seconds);
    }
fail:
    return status;
}

clnorm_status clnorm_gemm_time(clnorm_context *context, const clnorm_gemm_case *c,
                               clnorm_gemm_timing *timing, clnorm_error *error)
{
    trial t = {.c = c, .context = context, .args = CLNORM_GEMM_ARGS_INIT};
    clnorm_status status;
    *timing = (clnorm_gemm_timing){.seconds = 0};
    TRY(open_trial(&t, error));
    TRY(run(&t, 1, &timing->seconds, error)); /* compiles */
    TRY(compare(&t, &timing->share, error));
    if (timing->share <= 1)
        TRY(time_products(&t, &timing->seconds, error));
fail:
    close_trial(&t);
    return status;
}

/* SPDX-License-Identifier: MIT */
#include "check/timing.h"
#include "check/clock.h"
#include "ops/copy.h"
#include "runtime/staging.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROUNDS = 25, MIN_ROUNDS = 3 };
static const double enough_seconds = 1.0;

typedef struct {
    const clnorm_op *op;
    clnorm_copy copy;
    clnorm_queues queues;
    clnorm_args args;
    uint64_t rows, x_bytes, y_bytes; /* bytes of all rows */
    double forward[MAX_ROUNDS], copies[MAX_ROUNDS];
} bench;

static uint64_t fitting_rows(const clnorm_op *op, uint64_t rows)
{
    const clnorm_device *device = &op->context->device;
    const uint64_t row = op->desc.cols * 8; /* the widest dtype */
    const uint64_t alloc = device->max_alloc_bytes / row;
    const uint64_t whole = device->global_bytes / 3 / row;
    const uint64_t most = alloc < whole ? alloc : whole;
    return rows < most ? rows : most > 0 ? most : 1;
}

/* Both buffers take either tensor, for the copy. */
static clnorm_status make_buffers(bench *b, const clnorm_host_args *host, clnorm_error *error)
{
    const clnorm_context *context = b->op->context;
    const size_t pad = 64;
    const size_t bytes = (size_t)(b->x_bytes > b->y_bytes ? b->x_bytes : b->y_bytes) + pad;
    const clnorm_desc *d = &b->op->desc;
    const size_t params = (size_t)d->cols * clnorm_dtype_bytes(d->param_dtype);
    clnorm_status status;
    cl_int code;
    b->args.x.buffer = clCreateBuffer(context->cl, CL_MEM_READ_WRITE, bytes, NULL, &code);
    TRY(clnorm_cl_check(code, "clCreateBuffer", error));
    b->args.y.buffer = clCreateBuffer(context->cl, CL_MEM_READ_WRITE, bytes, NULL, &code);
    TRY(clnorm_cl_check(code, "clCreateBuffer", error));
    TRY(clnorm_constant(context, host->weight, params, &b->args.weight.buffer, error));
    TRY(clnorm_constant(context, host->bias, params, &b->args.bias.buffer, error));
    TRY_CL(clEnqueueWriteBuffer(b->queues.compute, b->args.x.buffer, CL_TRUE, 0, (size_t)b->x_bytes,
                                host->x, 0, NULL, NULL));
fail:
    return status;
}

static void release_buffers(clnorm_args *args)
{
    const cl_mem all[] = {args->x.buffer, args->y.buffer, args->weight.buffer, args->bias.buffer};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i])
            clReleaseMemObject(all[i]);
}

static clnorm_status finish(const bench *b, double begin, double *seconds, clnorm_error *error)
{
    clnorm_status status;
    TRY_CL(clFinish(b->queues.compute));
    *seconds = clnorm_clock() - begin;
fail:
    return status;
}

static clnorm_status time_round(bench *b, double *forward, double *copy, clnorm_error *error)
{
    const clnorm_events none = {0, NULL, NULL};
    clnorm_status status;
    double begin = clnorm_clock();
    TRY(clnorm_copy_forward(&b->copy, b->queues.compute, b->args.y.buffer, b->args.x.buffer,
                            (b->x_bytes + b->y_bytes) / 2, none, error));
    TRY(finish(b, begin, copy, error));
    begin = clnorm_clock();
    TRY(clnorm_row_norm_forward(b->op, b->queues.compute, &b->args, b->rows, none, error));
    TRY(finish(b, begin, forward, error));
fail:
    return status;
}

static clnorm_status time_rounds(bench *b, unsigned *rounds, clnorm_error *error)
{
    clnorm_status status;
    TRY(time_round(b, &b->forward[0], &b->copies[0], error)); /* drivers compile on first use */
    const double begin = clnorm_clock();
    for (*rounds = 0; *rounds < MAX_ROUNDS; ++*rounds) {
        if (*rounds >= MIN_ROUNDS && clnorm_clock() - begin > enough_seconds)
            break;
        TRY(time_round(b, &b->forward[*rounds], &b->copies[*rounds], error));
    }
fail:
    return status;
}

static clnorm_status check_result(const bench *b, const void *expected, clnorm_error *error)
{
    clnorm_status status;
    void *y = malloc((size_t)b->y_bytes);
    if (!y)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %llu bytes",
                           (unsigned long long)b->y_bytes);
    TRY_CL(clEnqueueReadBuffer(b->queues.compute, b->args.y.buffer, CL_TRUE, 0, (size_t)b->y_bytes,
                               y, 0, NULL, NULL));
    if (memcmp(y, expected, (size_t)b->y_bytes))
        status = clnorm_fail(error, CLNORM_OPENCL,
                             "the result that was timed differs from the one that was verified");
fail:
    free(y);
    return status;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
    qsort(values, count, sizeof(*values), ascending);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

clnorm_status clnorm_time_forward(const clnorm_op *op, uint64_t rows, const clnorm_host_args *args,
                                  clnorm_timing *timing, clnorm_error *error)
{
    const clnorm_desc *d = &op->desc;
    const bool gaps = (args->x_stride && args->x_stride != d->cols) ||
                      (args->y_stride && args->y_stride != d->cols);
    bench b = {.op = op, .rows = fitting_rows(op, rows), .args = CLNORM_ARGS_INIT};
    clnorm_status status;
    if (rows == 0 || gaps)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "only rows without gaps, at least one, are timed");
    b.x_bytes = b.rows * d->cols * clnorm_dtype_bytes(d->x_dtype);
    b.y_bytes = b.rows * d->cols * clnorm_dtype_bytes(d->y_dtype);
    TRY(clnorm_queues_create(op->context, &b.queues, error));
    TRY(clnorm_copy_init(&b.copy, op, error));
    TRY(make_buffers(&b, args, error));
    TRY(time_rounds(&b, &timing->rounds, error));
    TRY(check_result(&b, args->y, error));
    timing->seconds = median(b.forward, timing->rounds);
    timing->copy_seconds = median(b.copies, timing->rounds);
    timing->bytes = b.x_bytes + b.y_bytes;
    timing->rows = b.rows;
fail:
    clnorm_queues_release(&b.queues);
    clnorm_copy_release(&b.copy);
    release_buffers(&b.args);
    return status;
}

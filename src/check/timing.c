/* SPDX-License-Identifier: MIT */
#include "check/timing.h"
#include "base/kind.h"
#include "check/clock.h"
#include "ops/copy.h"
#include "ops/tensors.h"
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
    uint64_t rows, bytes, y_bytes; /* bytes of all tensors, and of y */
    double forward[MAX_ROUNDS], copies[MAX_ROUNDS];
} bench;

static clnorm_tensor_use use_of(const bench *b, clnorm_tensor_id id)
{
    return clnorm_tensor_use_of(&b->op->desc, CLNORM_FORWARD, id, b->rows);
}

static uint64_t bytes_of(const clnorm_tensor_use *use)
{
    return use->rows * use->cols * clnorm_dtype_bytes(use->dtype);
}

static uint64_t bytes_of_all(const bench *b, const clnorm_host_args *host)
{
    uint64_t bytes = 0;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use use = use_of(b, (clnorm_tensor_id)id);
        if (clnorm_host_array(host, (clnorm_tensor_id)id).data && use.role != CLNORM_UNUSED)
            bytes += bytes_of(&use);
    }
    return bytes;
}

static bool has_gaps(const bench *b, const clnorm_host_args *host)
{
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use use = use_of(b, (clnorm_tensor_id)id);
        const clnorm_output array = clnorm_host_array(host, (clnorm_tensor_id)id);
        if (array.data && use.has_stride && array.stride && array.stride != use.cols)
            return true;
    }
    return false;
}

/* A row of all tensors in the widest dtype, on a third of the device. */
static uint64_t fitting_rows(const clnorm_op *op, uint64_t rows)
{
    const clnorm_device *device = &op->context->device;
    const uint64_t row = op->desc.cols * 8, tensors = op->desc.inputs ? 3 : 1;
    const uint64_t alloc = device->max_alloc_bytes / row / tensors;
    const uint64_t whole = device->global_bytes / 3 / row / tensors;
    const uint64_t most = alloc < whole ? alloc : whole;
    return rows < most ? rows : most > 0 ? most : 1;
}

/* x and y also take half of the bytes each, for the copy. */
static clnorm_status make_buffer(bench *b, clnorm_tensor_id id, const void *data,
                                 clnorm_error *error)
{
    const size_t pad = 64;
    const clnorm_tensor_use use = use_of(b, id);
    const uint64_t bytes = bytes_of(&use), half = b->bytes / 2;
    const uint64_t least = id == TENSOR_x || id == TENSOR_y ? half : 0;
    clnorm_tensor tensor = {NULL, 0, 0};
    clnorm_status status;
    cl_int code;
    tensor.buffer = clCreateBuffer(b->op->context->cl, CL_MEM_READ_WRITE,
                                   (size_t)(bytes > least ? bytes : least) + pad, NULL, &code);
    TRY(clnorm_cl_check(code, "clCreateBuffer", error));
    clnorm_args_set(&b->args, id, tensor);
    if (use.role != CLNORM_OUTPUT)
        TRY_CL(clEnqueueWriteBuffer(b->queues.compute, tensor.buffer, CL_TRUE, 0, (size_t)bytes,
                                    data, 0, NULL, NULL));
fail:
    return status;
}

static clnorm_status make_buffers(bench *b, const clnorm_host_args *host, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const void *data = clnorm_host_array(host, (clnorm_tensor_id)id).data;
        if (data && use_of(b, (clnorm_tensor_id)id).role != CLNORM_UNUSED)
            TRY(make_buffer(b, (clnorm_tensor_id)id, data, error));
    }
fail:
    return status;
}

static void release_buffers(const clnorm_args *args)
{
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const cl_mem buffer = clnorm_args_tensor(args, (clnorm_tensor_id)id)->buffer;
        if (buffer)
            clReleaseMemObject(buffer);
    }
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
    const clnorm_part part = {0, b->rows, b->rows};
    clnorm_status status;
    double begin = clnorm_clock();
    TRY(clnorm_copy_forward(&b->copy, b->queues.compute, b->args.y.buffer, b->args.x.buffer,
                            b->bytes / 2, none, error));
    TRY(finish(b, begin, copy, error));
    begin = clnorm_clock();
    TRY(clnorm_run_forward(b->op, b->queues.compute, &b->args, part, none, error));
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
    bench b = {.op = op, .args = CLNORM_ARGS_INIT};
    /* a batch is one set: another number of rows has other results */
    b.rows = clnorm_kind_of(&op->desc).batch ? rows : fitting_rows(op, rows);
    const clnorm_tensor_use y = use_of(&b, TENSOR_y);
    clnorm_status status;
    if (rows == 0 || has_gaps(&b, args))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "only rows without gaps, at least one, are timed");
    b.args.seed = args->seed;
    b.args.first_row = args->first_row;
    b.bytes = bytes_of_all(&b, args);
    b.y_bytes = bytes_of(&y);
    TRY(clnorm_queues_create(op->context, &b.queues, error));
    TRY(clnorm_copy_init(&b.copy, op, error));
    TRY(make_buffers(&b, args, error));
    TRY(time_rounds(&b, &timing->rounds, error));
    TRY(check_result(&b, args->y.data, error));
    timing->seconds = median(b.forward, timing->rounds);
    timing->copy_seconds = median(b.copies, timing->rounds);
    timing->bytes = b.bytes;
    timing->rows = b.rows;
fail:
    clnorm_queues_release(&b.queues);
    clnorm_copy_release(&b.copy);
    release_buffers(&b.args);
    return status;
}

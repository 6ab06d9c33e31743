/* SPDX-License-Identifier: MIT */
#include "check/timing.h"
#include "base/kind.h"
#include "check/clock.h"
#include "check/companion.h"
#include "check/statistics.h"
#include "ops/op.h"
#include "ops/tensors.h"
#include "runtime/staging.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROUNDS = 25, MIN_ROUNDS = 3 };

typedef struct {
    const clnorm_op *op;
    const void *expected;
    clnorm_tensor y;
    double seconds[MAX_ROUNDS], ratios[MAX_ROUNDS]; /* to the first one's of the round */
} runner;

typedef struct {
    const clnorm_op *op; /* that of the first runner */
    runner runners[CLNORM_MOST_RACERS];
    size_t n_runners;
    clnorm_companion copy;
    clnorm_queues queues;
    clnorm_args args;
    uint64_t rows, tiles; /* rows of the arrays, which are on the device so many times */
    uint64_t bytes, y_bytes; /* of all tensors on the device, and of y in the arrays */
    double enough_seconds, batch_seconds;
    unsigned batch; /* launches that are timed together */
    double copies[MAX_ROUNDS];
} bench;

static clnorm_tensor_use use_of(const bench *b, clnorm_tensor_id id)
{
    return clnorm_tensor_use_of(&b->op->desc, CLNORM_FORWARD, id, b->rows * b->tiles);
}

/* That of the arrays. */
static clnorm_tensor_use tile_of(const bench *b, clnorm_tensor_id id)
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

static clnorm_status fill_tiles(const bench *b, cl_mem buffer, uint64_t bytes, uint64_t tile,
                                const void *data, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (uint64_t at = 0; at < bytes; at += tile)
        TRY_CL(clEnqueueWriteBuffer(b->queues.compute, buffer, CL_TRUE, (size_t)at, (size_t)tile,
                                    data, 0, NULL, NULL));
fail:
    return status;
}

/* x and y also take half of the bytes each, for the copy. */
static clnorm_status make_buffer(bench *b, clnorm_tensor_id id, const void *data,
                                 clnorm_tensor *tensor, clnorm_error *error)
{
    const size_t pad = 64;
    const clnorm_tensor_use use = use_of(b, id), tile = tile_of(b, id);
    const uint64_t bytes = bytes_of(&use), half = b->bytes / 2;
    const uint64_t least = id == TENSOR_x || id == TENSOR_y ? half : 0;
    clnorm_status status;
    cl_int code;
    tensor->buffer = clCreateBuffer(b->op->context->cl, CL_MEM_READ_WRITE,
                                    (size_t)(bytes > least ? bytes : least) + pad, NULL, &code);
    TRY(clnorm_cl_check(code, "clCreateBuffer", error));
    if (use.role != CLNORM_OUTPUT)
        TRY(fill_tiles(b, tensor->buffer, bytes, bytes_of(&tile), data, error));
fail:
    return status;
}

static clnorm_status make_buffers(bench *b, const clnorm_host_args *host, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const void *data = clnorm_host_array(host, (clnorm_tensor_id)id).data;
        clnorm_tensor tensor = {NULL, 0, 0};
        if (!data || id == TENSOR_y || use_of(b, (clnorm_tensor_id)id).role == CLNORM_UNUSED)
            continue;
        status = make_buffer(b, (clnorm_tensor_id)id, data, &tensor, error);
        clnorm_args_set(&b->args, (clnorm_tensor_id)id, tensor);
        if (status != CLNORM_OK)
            goto fail;
    }
    for (size_t i = 0; i < b->n_runners; i++)
        TRY(make_buffer(b, TENSOR_y, NULL, &b->runners[i].y, error));
fail:
    return status;
}

static void release_buffers(bench *b)
{
    b->args.y = (clnorm_tensor){NULL, 0, 0}; /* one of the runners' */
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const cl_mem buffer = clnorm_args_tensor(&b->args, (clnorm_tensor_id)id)->buffer;
        if (buffer)
            clReleaseMemObject(buffer);
    }
    for (size_t i = 0; i < b->n_runners; i++)
        if (b->runners[i].y.buffer)
            clReleaseMemObject(b->runners[i].y.buffer);
}

static clnorm_status finish(const bench *b, double begin, double *seconds, clnorm_error *error)
{
    clnorm_status status;
    TRY_CL(clFinish(b->queues.compute));
    *seconds = (clnorm_clock() - begin) / b->batch;
fail:
    return status;
}

/* Half of the bytes are read, half written. */
static clnorm_stream_place copy_place(const bench *b)
{
    return (clnorm_stream_place){.in = {b->args.x.buffer},
                                 .out = {b->runners[0].y.buffer},
                                 .elements = b->bytes / 2 / sizeof(float)};
}

static clnorm_status choose_copy(bench *b, clnorm_error *error)
{
    const clnorm_streams streams = {1, 1, {sizeof(float)}, {sizeof(float)}};
    const clnorm_stream_place place = copy_place(b);
    clnorm_status status;
    TRY(clnorm_companion_init(&b->copy, b->op->context, &streams, error));
    TRY(clnorm_companion_choose(&b->copy, b->queues.compute, &place, 1, 0, error));
fail:
    return status;
}

static clnorm_status time_copy(bench *b, double *seconds, clnorm_error *error)
{
    const clnorm_events none = {0, NULL, NULL};
    const double begin = clnorm_clock();
    clnorm_status status;
    const clnorm_stream_place place = copy_place(b);
    for (unsigned i = 0; i < b->batch; i++)
        TRY(clnorm_companion_run(&b->copy, b->queues.compute, &place, none, error));
    TRY(finish(b, begin, seconds, error));
fail:
    return status;
}

static clnorm_status time_runner(bench *b, const runner *r, double *seconds, clnorm_error *error)
{
    const clnorm_events none = {0, NULL, NULL};
    const uint64_t rows = b->rows * b->tiles;
    const clnorm_part part = {0, rows, rows};
    const double begin = clnorm_clock();
    clnorm_status status;
    b->args.y = r->y;
    for (unsigned i = 0; i < b->batch; i++)
        TRY(clnorm_run_forward(r->op, b->queues.compute, &b->args, part, none, error));
    TRY(finish(b, begin, seconds, error));
fail:
    return status;
}

static clnorm_status time_round(bench *b, unsigned round, clnorm_error *error)
{
    clnorm_status status;
    TRY(time_copy(b, &b->copies[round], error));
    for (size_t i = 0; i < b->n_runners; i++)
        TRY(time_runner(b, &b->runners[i], &b->runners[i].seconds[round], error));
    for (size_t i = 0; i < b->n_runners; i++)
        b->runners[i].ratios[round] = b->runners[i].seconds[round] / b->runners[0].seconds[round];
fail:
    return status;
}

/* Launches of GPUs take microseconds, about as long as the host waits for one. */
static clnorm_status choose_batch(bench *b, clnorm_error *error)
{
    const unsigned most = 1000;
    clnorm_status status;
    b->batch = 1;
    TRY(time_round(b, 0, error)); /* drivers compile on first use */
    if (b->batch_seconds > 0) {
        TRY(time_round(b, 0, error));
        const double launches = b->batch_seconds / b->runners[0].seconds[0];
        b->batch = launches < 1 ? 1 : launches < most ? (unsigned)launches : most;
    }
fail:
    return status;
}

static clnorm_status time_rounds(bench *b, unsigned *rounds, clnorm_error *error)
{
    clnorm_status status;
    TRY(choose_batch(b, error));
    const double begin = clnorm_clock();
    for (*rounds = 0; *rounds < MAX_ROUNDS; ++*rounds) {
        if (*rounds >= MIN_ROUNDS && clnorm_clock() - begin > b->enough_seconds)
            break;
        TRY(time_round(b, *rounds, error));
    }
fail:
    return status;
}

static clnorm_status check_result(const bench *b, const runner *r, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    void *y = malloc((size_t)b->y_bytes);
    if (!y)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %llu bytes",
                           (unsigned long long)b->y_bytes);
    for (uint64_t tile = 0; tile < b->tiles && status == CLNORM_OK; tile++) {
        TRY_CL(clEnqueueReadBuffer(b->queues.compute, r->y.buffer, CL_TRUE,
                                   (size_t)(tile * b->y_bytes), (size_t)b->y_bytes, y, 0, NULL,
                                   NULL));
        if (memcmp(y, r->expected, (size_t)b->y_bytes))
            status =
                clnorm_fail(error, CLNORM_OPENCL,
                            "the result that was timed differs from the one that was verified");
    }
fail:
    free(y);
    return status;
}

static clnorm_status measure(bench *b, const clnorm_host_args *args, clnorm_timing *timing,
                             clnorm_error *error)
{
    const clnorm_tensor_use y = tile_of(b, TENSOR_y);
    clnorm_status status;
    b->args.seed = args->seed;
    b->args.first_row = args->first_row;
    b->bytes = bytes_of_all(b, args);
    b->y_bytes = bytes_of(&y);
    TRY(clnorm_queues_create(b->op->context, &b->queues, error));
    TRY(make_buffers(b, args, error));
    TRY(choose_copy(b, error));
    TRY(time_rounds(b, &timing->rounds, error));
    for (size_t i = 0; i < b->n_runners; i++)
        TRY(check_result(b, &b->runners[i], error));
    timing->seconds = clnorm_median(b->runners[0].seconds, timing->rounds);
    timing->copy_seconds = clnorm_median(b->copies, timing->rounds);
    timing->bytes = b->bytes;
    timing->rows = b->rows * b->tiles;
fail:
    clnorm_queues_release(&b->queues);
    clnorm_companion_release(&b->copy);
    release_buffers(b);
    return status;
}

clnorm_status clnorm_time_forward(const clnorm_op *op, uint64_t rows, const clnorm_host_args *args,
                                  clnorm_timing *timing, clnorm_error *error)
{
    bench b = {.op = op,
               .runners = {{.op = op, .expected = args->y.data}},
               .n_runners = 1,
               .args = CLNORM_ARGS_INIT,
               .tiles = 1,
               .enough_seconds = 1};
    /* a batch is one set: another number of rows has other results */
    b.rows = clnorm_kind_of(&op->desc).batch ? rows : fitting_rows(op, rows);
    if (rows == 0 || has_gaps(&b, args))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "only rows without gaps, at least one, are timed");
    return measure(&b, args, timing, error);
}

clnorm_status clnorm_time_race(clnorm_racer *racers, size_t count, uint64_t rows, uint64_t tiles,
                               const clnorm_host_args *args, clnorm_timing *timing,
                               clnorm_error *error)
{
    bench b = {.op = racers[0].op,
               .n_runners = count,
               .args = CLNORM_ARGS_INIT,
               .rows = rows,
               .enough_seconds = 0.3,
               .batch_seconds = 0.002};
    const uint64_t fitting = fitting_rows(b.op, rows * tiles) / rows;
    b.tiles = fitting > 0 ? fitting : 1;
    for (size_t i = 0; i < count; i++)
        b.runners[i] = (runner){.op = racers[i].op, .expected = racers[i].y};
    const clnorm_status status = measure(&b, args, timing, error);
    for (size_t i = 0; status == CLNORM_OK && i < count; i++) {
        racers[i].seconds = clnorm_median(b.runners[i].seconds, timing->rounds);
        racers[i].ratio = clnorm_median(b.runners[i].ratios, timing->rounds);
    }
    return status;
}

/* SPDX-License-Identifier: MIT */
/* Host arrays through the device, chunk by chunk: while one chunk is computed, the next goes up and
 * the one before comes down. */
#include "ops/host_plan.h"
#include "runtime/staging.h"

enum { OUTPUTS = 3 };

typedef struct {
    clnorm_staged x, y, mean, rstd;
    cl_event computed; /* NULL: the slot is free */
    cl_event downloaded[OUTPUTS]; /* NULL for an output that is not wanted */
    uint64_t first, rows;
} slot;

typedef struct {
    const clnorm_op *op;
    const clnorm_host_args *args;
    const clnorm_host_options *options;
    clnorm_host_plan plan;
    clnorm_queues queues;
    cl_mem weight, bias;
    slot slots[HOST_SLOTS];
    uint64_t rows;
} job;

static size_t row_bytes(clnorm_dtype dtype, uint64_t cols)
{
    return (size_t)(cols * clnorm_dtype_bytes(dtype));
}

/* The part of a host array that belongs to a slot's rows. */
static clnorm_host_block block_of(const void *array, clnorm_dtype dtype, uint64_t cols,
                                  uint64_t stride, const slot *s)
{
    const size_t pitch = row_bytes(dtype, stride);
    return (clnorm_host_block){.data = (char *)(uintptr_t)array + s->first * pitch,
                               .rows = (size_t)s->rows,
                               .width = row_bytes(dtype, cols),
                               .pitch = pitch};
}

static clnorm_status stage_statistics(const job *j, const slot *s, void *array,
                                      clnorm_staged *staged, clnorm_error *error)
{
    const clnorm_dtype dtype = clnorm_stats_dtype(&j->op->desc);
    if (!array)
        return CLNORM_OK;
    const clnorm_host_block block = block_of(array, dtype, 1, 1, s);
    return clnorm_stage(j->op->context, block, CL_MEM_WRITE_ONLY, 0, staged, error);
}

static clnorm_status stage(const job *j, slot *s, clnorm_error *error)
{
    const clnorm_desc *d = &j->op->desc;
    const clnorm_host_plan *plan = &j->plan;
    const int shared = plan->zero_copy && plan->in_place;
    clnorm_status status;
    TRY(clnorm_stage(j->op->context, block_of(j->args->x, d->x_dtype, d->cols, plan->x_stride, s),
                     shared ? CL_MEM_READ_WRITE : CL_MEM_READ_ONLY, plan->zero_copy, &s->x, error));
    if (shared)
        TRY(clnorm_stage_same(&s->x, &s->y, error));
    else
        TRY(clnorm_stage(j->op->context,
                         block_of(j->args->y, d->y_dtype, d->cols, plan->y_stride, s),
                         CL_MEM_WRITE_ONLY, plan->zero_copy, &s->y, error));
    TRY(stage_statistics(j, s, j->args->mean, &s->mean, error));
    TRY(stage_statistics(j, s, j->args->rstd, &s->rstd, error));
fail:
    return status;
}

/* Elements from row to row of what the kernel sees: the host's in place, none between in a copy. */
static uint64_t device_stride(const job *j, uint64_t host_stride)
{
    return j->plan.zero_copy ? host_stride : j->op->desc.cols;
}

static clnorm_status start(job *j, slot *s, clnorm_error *error)
{
    clnorm_status status;
    cl_event uploaded = NULL;
    TRY(stage(j, s, error));
    const clnorm_args args = {
        .struct_size = sizeof(args),
        .y = {s->y.mem, 0, device_stride(j, j->plan.y_stride)},
        .x = {s->x.mem, 0, device_stride(j, j->plan.x_stride)},
        .mean = {s->mean.mem, 0, 0},
        .rstd = {s->rstd.mem, 0, 0},
        .weight = {j->weight, 0, 0},
        .bias = {j->bias, 0, 0},
    };
    TRY(clnorm_upload(j->queues.upload, &s->x, &uploaded, error));
    const cl_uint n_wait = uploaded ? 1 : 0;
    const clnorm_events events = {n_wait, uploaded ? &uploaded : NULL, &s->computed};
    TRY(clnorm_row_norm_forward(j->op, j->queues.compute, &args, s->rows, events, error));
    TRY_CL(clFlush(j->queues.compute));
    clnorm_staged *const outputs[OUTPUTS] = {&s->y, &s->mean, &s->rstd};
    for (size_t i = 0; i < OUTPUTS; i++)
        TRY(clnorm_download(j->queues.download, outputs[i], s->computed, &s->downloaded[i], error));
    TRY_CL(clFlush(j->queues.download));
fail:
    if (uploaded)
        clReleaseEvent(uploaded);
    return status;
}

static void release(slot *s)
{
    clnorm_unstage(&s->x);
    clnorm_unstage(&s->y);
    clnorm_unstage(&s->mean);
    clnorm_unstage(&s->rstd);
    if (s->computed)
        clReleaseEvent(s->computed);
    for (size_t i = 0; i < OUTPUTS; i++)
        if (s->downloaded[i])
            clReleaseEvent(s->downloaded[i]);
    *s = (slot){.rows = 0};
}

/* Waits for the slot's chunk, if it has one, and reports it. */
static clnorm_status finish(job *j, slot *s, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    if (!s->computed)
        return CLNORM_OK;
    TRY(clnorm_await(s->computed, error));
    for (size_t i = 0; i < OUTPUTS; i++)
        if (s->downloaded[i])
            TRY(clnorm_await(s->downloaded[i], error));
    TRY(clnorm_unmap(j->queues.download, &s->y, error));
    const uint64_t rows_done = s->first + s->rows;
    release(s);
    if (j->options->progress && j->options->progress(j->options->user, rows_done, j->rows))
        return clnorm_fail(error, CLNORM_CANCELLED, "stopped after %llu of %llu rows",
                           (unsigned long long)rows_done, (unsigned long long)j->rows);
fail:
    return status;
}

static clnorm_status stream(job *j, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    unsigned turn = 0;
    for (uint64_t first = 0; first < j->rows; first += j->plan.rows_per_chunk) {
        slot *s = &j->slots[turn++ % j->plan.slots];
        TRY(finish(j, s, error));
        s->first = first;
        s->rows =
            j->rows - first < j->plan.rows_per_chunk ? j->rows - first : j->plan.rows_per_chunk;
        TRY(start(j, s, error));
    }
    for (unsigned i = 0; i < j->plan.slots; i++)
        TRY(finish(j, &j->slots[turn++ % j->plan.slots], error));
fail:
    return status;
}

static clnorm_status run(job *j, clnorm_error *error)
{
    const clnorm_desc *d = &j->op->desc;
    const size_t param_bytes = row_bytes(d->param_dtype, d->cols);
    clnorm_status status;
    TRY(clnorm_queues_create(j->op->context, &j->queues, error));
    TRY(clnorm_constant(j->op->context, j->args->weight, param_bytes, &j->weight, error));
    TRY(clnorm_constant(j->op->context, j->args->bias, param_bytes, &j->bias, error));
    TRY(stream(j, error));
fail:
    for (unsigned i = 0; i < HOST_SLOTS; i++) /* still mapped after a failure */
        clnorm_unmap(j->queues.download, &j->slots[i].y, NULL);
    clnorm_queues_release(&j->queues); /* finishes them: nothing writes to the arrays any more */
    for (unsigned i = 0; i < HOST_SLOTS; i++)
        release(&j->slots[i]);
    if (j->weight)
        clReleaseMemObject(j->weight);
    if (j->bias)
        clReleaseMemObject(j->bias);
    return status;
}

static clnorm_status check_structs(const clnorm_op *op, const clnorm_host_args *args,
                                   const clnorm_host_options *options,
                                   const clnorm_host_report *report, clnorm_error *error)
{
    if (!op || !args)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL", !op ? "op" : "args");
    const struct {
        const char *name;
        size_t got, expected;
    } sizes[] = {
        {"args", args->struct_size, sizeof(*args)},
        {"options", options->struct_size, sizeof(*options)},
        {"report", report ? report->struct_size : sizeof(*report), sizeof(*report)},
    };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        if (sizes[i].got != sizes[i].expected)
            return clnorm_fail(error, CLNORM_BAD_ARGS, "%s.struct_size is %zu, not %zu",
                               sizes[i].name, sizes[i].got, sizes[i].expected);
    return clnorm_context_check(op->context, error);
}

clnorm_status clnorm_forward_host(const clnorm_op *op, uint64_t rows, const clnorm_host_args *args,
                                  const clnorm_host_options *options, clnorm_host_report *report,
                                  clnorm_error *error)
{
    static const clnorm_host_options defaults = CLNORM_HOST_OPTIONS_INIT;
    job j = {.op = op, .args = args, .options = options ? options : &defaults, .rows = rows};
    clnorm_status status;
    TRY(check_structs(op, args, j.options, report, error));
    if (rows > 0) {
        TRY(clnorm_host_plan_make(op, rows, args, j.options, &j.plan, error));
        TRY(run(&j, error));
    }
    if (report) {
        const uint64_t chunk = j.plan.rows_per_chunk;
        report->rows_per_chunk = chunk;
        report->chunks = chunk ? (rows + chunk - 1) / chunk : 0;
        report->zero_copy = j.plan.zero_copy;
    }
fail:
    return status;
}

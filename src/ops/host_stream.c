/* SPDX-License-Identifier: MIT */
/* Host arrays through the device, chunk by chunk: while one chunk is computed, the next goes up and
 * the one before comes down. */
#include "ops/host_plan.h"
#include "base/checked.h"
#include "ops/lines.h"
#include "ops/tensors.h"
#include "runtime/staging.h"

#include <string.h>

typedef struct {
    clnorm_staged staged[TENSOR_COUNT]; /* at the places of the arrays */
    cl_event computed; /* NULL: the slot is free */
    cl_event downloaded[TENSOR_COUNT]; /* NULL where nothing comes down */
    uint64_t first, rows;
} slot;

typedef struct {
    const clnorm_op *op;
    const clnorm_host_args *args;
    const clnorm_host_options *options;
    clnorm_host_arrays arrays;
    clnorm_host_plan plan;
    clnorm_queues queues;
    cl_mem workspace;
    slot slots[HOST_SLOTS];
    slot resident; /* what stays for the whole call */
} job;

/* ---- buffers ------------------------------------------------------------------------------- */

static clnorm_host_block block_of(const clnorm_host_tensor *t, uint64_t first, uint64_t rows)
{
    const size_t pitch = (size_t)t->stride * t->element;
    return (clnorm_host_block){.data = t->data + first * pitch,
                               .rows = (size_t)rows,
                               .width = (size_t)t->width * t->element,
                               .pitch = pitch};
}

static bool is_in_place(const job *j, const clnorm_host_tensor *t)
{
    return j->plan.zero_copy && !clnorm_is_resident(t) && clnorm_is_matrix(j->op, t);
}

/* The earlier tensor whose buffer this one uses too: memory in place has one buffer only. */
static int shared_with(const job *j, const clnorm_host_tensor *t)
{
    const bool shares =
        is_in_place(j, t) && t->same >= 0 && is_in_place(j, &j->arrays.tensors[t->same]);
    return shares ? t->same : -1;
}

static cl_mem_flags access_of(const job *j, size_t index)
{
    const clnorm_host_tensor *all = j->arrays.tensors;
    bool reads = clnorm_is_input(&all[index]), writes = clnorm_is_output(&all[index]);
    for (size_t i = index + 1; i < j->arrays.count; i++)
        if (shared_with(j, &all[i]) == (int)index) {
            reads = reads || clnorm_is_input(&all[i]);
            writes = writes || clnorm_is_output(&all[i]);
        }
    return reads && writes ? CL_MEM_READ_WRITE : writes ? CL_MEM_WRITE_ONLY : CL_MEM_READ_ONLY;
}

/* Those of the tensors that stay, or of the others for the rows of the slot. */
static clnorm_status stage(const job *j, slot *s, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (size_t i = 0; i < j->arrays.count; i++) {
        const clnorm_host_tensor *t = &j->arrays.tensors[i];
        const bool stays = clnorm_is_resident(t);
        const int earlier = shared_with(j, t);
        if (stays != (s == &j->resident))
            continue;
        if (earlier >= 0) {
            TRY(clnorm_stage_same(&s->staged[earlier], &s->staged[i], error));
            continue;
        }
        const uint64_t first = stays ? 0 : clnorm_first_row_of(t, s->first);
        const uint64_t rows = stays ? t->rows : clnorm_rows_of(t, s->rows);
        TRY(clnorm_stage(j->op->context, block_of(t, first, rows), access_of(j, i),
                         is_in_place(j, t), &s->staged[i], error));
    }
fail:
    return status;
}

static clnorm_status upload(const job *j, cl_command_queue queue, slot *s, cl_event *uploaded,
                            cl_uint *count, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (size_t i = 0; i < j->arrays.count; i++) {
        if (!clnorm_is_input(&j->arrays.tensors[i]))
            continue;
        TRY(clnorm_upload(queue, &s->staged[i], &uploaded[*count], error));
        *count += uploaded[*count] != NULL;
    }
fail:
    return status;
}

static clnorm_status download(const job *j, slot *s, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (size_t i = 0; i < j->arrays.count; i++)
        if (clnorm_is_output(&j->arrays.tensors[i]))
            TRY(clnorm_download(j->queues.download, &s->staged[i], s->computed, &s->downloaded[i],
                                error));
    TRY_CL(clFlush(j->queues.download));
fail:
    return status;
}

static void release_events(cl_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (events[i])
            clReleaseEvent(events[i]);
}

static void release(slot *s)
{
    for (size_t i = 0; i < TENSOR_COUNT; i++)
        clnorm_unstage(&s->staged[i]);
    release_events(s->downloaded, TENSOR_COUNT);
    release_events(&s->computed, 1);
    *s = (slot){.rows = 0};
}

static clnorm_status await_downloads(const job *j, slot *s, clnorm_error *error)
{
    clnorm_status status;
    TRY(clnorm_await(s->computed, error));
    for (size_t i = 0; i < j->arrays.count; i++)
        if (s->downloaded[i])
            TRY(clnorm_await(s->downloaded[i], error));
    for (size_t i = 0; i < j->arrays.count; i++)
        TRY(clnorm_unmap(j->queues.download, &s->staged[i], error));
fail:
    return status;
}

/* ---- a chunk ------------------------------------------------------------------------------- */

/* What the kernels see: the host's stride in place, no gaps in a copy. */
static clnorm_args device_args(const job *j, const slot *s)
{
    clnorm_args args = CLNORM_ARGS_INIT;
    args.seed = j->args->seed;
    args.first_row = j->args->first_row;
    args.workspace.buffer = j->workspace;
    for (size_t i = 0; i < j->arrays.count; i++) {
        const clnorm_host_tensor *t = &j->arrays.tensors[i];
        const slot *at = clnorm_is_resident(t) ? &j->resident : s;
        const clnorm_tensor tensor = {.buffer = at->staged[i].mem,
                                      .stride = !t->has_stride      ? 0
                                                : is_in_place(j, t) ? t->stride
                                                                    : t->width};
        clnorm_args_set(&args, t->id, tensor);
    }
    return args;
}

static clnorm_status compute(const job *j, slot *s, clnorm_events events, clnorm_error *error)
{
    const clnorm_args args = device_args(j, s);
    const clnorm_part part = {.first = s->first, .rows = s->rows, .all = j->arrays.rows};
    return (j->arrays.direction == CLNORM_FORWARD ? clnorm_run_forward : clnorm_run_backward)(
        j->op, j->queues.compute, &args, part, events, error);
}

static clnorm_status start(const job *j, slot *s, clnorm_error *error)
{
    cl_event uploaded[TENSOR_COUNT + 1] = {NULL};
    cl_uint count = 0;
    clnorm_status status;
    TRY(stage(j, s, error));
    TRY(upload(j, j->queues.upload, s, uploaded, &count, error));
    const clnorm_events events = {count, count ? uploaded : NULL, &s->computed};
    TRY(compute(j, s, events, error));
    TRY_CL(clFlush(j->queues.compute));
    TRY(download(j, s, error));
fail:
    release_events(uploaded, TENSOR_COUNT);
    return status;
}

/* Waits for the slot's chunk, if it has one, and reports it. */
static clnorm_status finish(const job *j, slot *s, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    if (!s->computed)
        return CLNORM_OK;
    TRY(await_downloads(j, s, error));
    const uint64_t rows_done = s->first + s->rows, rows = j->arrays.rows;
    release(s);
    if (j->options->progress && j->options->progress(j->options->user, rows_done, rows))
        return clnorm_fail(error, CLNORM_CANCELLED, "stopped after %llu of %llu rows",
                           (unsigned long long)rows_done, (unsigned long long)rows);
fail:
    return status;
}

static clnorm_status stream(job *j, clnorm_error *error)
{
    const uint64_t rows = j->arrays.rows, chunk = j->plan.rows_per_chunk;
    clnorm_status status = CLNORM_OK;
    unsigned turn = 0;
    for (uint64_t first = 0; first < rows; first += chunk) {
        slot *s = &j->slots[turn++ % j->plan.slots];
        TRY(finish(j, s, error));
        s->first = first;
        s->rows = rows - first < chunk ? rows - first : chunk;
        TRY(start(j, s, error));
    }
    for (unsigned i = 0; i < j->plan.slots; i++)
        TRY(finish(j, &j->slots[turn++ % j->plan.slots], error));
fail:
    return status;
}

/* ---- what stays for the whole call --------------------------------------------------------- */

/* On the compute queue: kernels of Intel's FPGA emulator do not always see what another queue
 * wrote, complete or not, unless they wait for an event of that queue. */
static clnorm_status open_resident(job *j, clnorm_error *error)
{
    cl_event uploaded[TENSOR_COUNT + 1] = {NULL};
    cl_uint count = 0;
    cl_int code;
    clnorm_status status;
    TRY(stage(j, &j->resident, error));
    TRY(upload(j, j->queues.compute, &j->resident, uploaded, &count, error));
    for (cl_uint i = 0; i < count; i++)
        TRY(clnorm_await(uploaded[i], error));
    if (j->plan.workspace > 0) {
        j->workspace =
            clCreateBuffer(j->op->context->cl, CL_MEM_READ_WRITE, j->plan.workspace, NULL, &code);
        TRY(clnorm_cl_check(code, "clCreateBuffer", error));
    }
fail:
    release_events(uploaded, TENSOR_COUNT);
    return status;
}

/* Sums over all rows, where there are any, and all results that are not of some rows only. */
static clnorm_status close_resident(job *j, clnorm_error *error)
{
    slot *s = &j->resident;
    const clnorm_args args = device_args(j, s);
    const clnorm_events events = {0, NULL, &s->computed};
    clnorm_status status = CLNORM_OK;
    if (j->arrays.direction == CLNORM_BACKWARD && clnorm_has_sums(j->op, &args))
        TRY(clnorm_run_sums(j->op, j->queues.compute, &args, j->arrays.rows, events, error));
    else
        TRY_CL(clEnqueueMarkerWithWaitList(j->queues.compute, 0, NULL, &s->computed));
    TRY_CL(clFlush(j->queues.compute));
    TRY(download(j, s, error));
    TRY(await_downloads(j, s, error));
fail:
    return status;
}

/* ---- the call ------------------------------------------------------------------------------ */

static clnorm_status run(job *j, clnorm_error *error)
{
    clnorm_status status;
    TRY(clnorm_queues_create(j->op->context, &j->queues, error));
    TRY(open_resident(j, error));
    TRY(stream(j, error));
    TRY(close_resident(j, error));
fail:
    for (unsigned i = 0; i < HOST_SLOTS; i++) /* still mapped after a failure */
        for (size_t k = 0; k < TENSOR_COUNT; k++)
            clnorm_unmap(j->queues.download, &j->slots[i].staged[k], NULL);
    clnorm_queues_release(&j->queues); /* finishes them: nothing writes to the arrays any more */
    for (unsigned i = 0; i < HOST_SLOTS; i++)
        release(&j->slots[i]);
    release(&j->resident);
    if (j->workspace)
        clReleaseMemObject(j->workspace);
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

/* A sum over no rows is 0, and that is a pattern of zero bits in every dtype. */
static void clear_sums(const clnorm_op *op, const clnorm_host_args *args)
{
    for (size_t i = 0; i < CLNORM_GRADIENTS; i++) {
        const clnorm_tensor_id id = op->gradients[i].id;
        const clnorm_tensor_use use = clnorm_tensor_use_of(&op->desc, CLNORM_BACKWARD, id, 0);
        void *const data = clnorm_host_array(args, id).data;
        if (data && op->gradients[i].used)
            memset(data, 0, (size_t)(use.rows * use.cols) * clnorm_dtype_bytes(use.dtype));
    }
}

static clnorm_status call(const clnorm_op *op, clnorm_direction direction, uint64_t rows,
                          const clnorm_host_args *args, const clnorm_host_options *options,
                          clnorm_host_report *report, clnorm_error *error)
{
    static const clnorm_host_options defaults = CLNORM_HOST_OPTIONS_INIT;
    job j = {.op = op, .args = args, .options = options ? options : &defaults};
    clnorm_status status;
    TRY(check_structs(op, args, j.options, report, error));
    TRY(clnorm_host_arrays_find(op, direction, rows, args, &j.arrays, error));
    if (rows > 0) {
        TRY(clnorm_host_plan_make(op, &j.arrays, j.options, &j.plan, error));
        TRY(run(&j, error));
    } else if (direction == CLNORM_BACKWARD) {
        clear_sums(op, args);
    }
    if (report) {
        const uint64_t chunk = j.plan.rows_per_chunk;
        report->rows_per_chunk = chunk;
        report->chunks = chunk ? ceil_div(rows, chunk) : 0;
        report->zero_copy = j.plan.zero_copy;
    }
fail:
    return status;
}

clnorm_status clnorm_forward_host(const clnorm_op *op, uint64_t rows, const clnorm_host_args *args,
                                  const clnorm_host_options *options, clnorm_host_report *report,
                                  clnorm_error *error)
{
    return call(op, CLNORM_FORWARD, rows, args, options, report, error);
}

clnorm_status clnorm_backward_host(const clnorm_op *op, uint64_t rows, const clnorm_host_args *args,
                                   const clnorm_host_options *options, clnorm_host_report *report,
                                   clnorm_error *error)
{
    return call(op, CLNORM_BACKWARD, rows, args, options, report, error);
}

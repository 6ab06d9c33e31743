/* SPDX-License-Identifier: MIT */
#include "ops/host_plan.h"
#include "base/checked.h"
#include "base/span.h"

/* A host array of the call. */
typedef struct {
    const char *name;
    const void *data;
    clnorm_dtype dtype;
    uint64_t rows, cols, stride;
    bool output, required;
    clnorm_span span;
} array;

static clnorm_status check_array(array *a, clnorm_error *error)
{
    const uint64_t bytes = clnorm_dtype_bytes(a->dtype);
    if (a->stride < a->cols)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "%s_stride is %llu: rows of %llu elements would overlap", a->name,
                           (unsigned long long)a->stride, (unsigned long long)a->cols);
    if ((uintptr_t)a->data % bytes)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is at %p, not aligned to %s", a->name,
                           a->data, clnorm_dtype_name(a->dtype));
    if (!clnorm_span_make((uintptr_t)a->data, a->rows, a->cols, a->stride, bytes, &a->span))
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s: %llu rows of %llu elements exceed 64 bits",
                           a->name, (unsigned long long)a->rows, (unsigned long long)a->stride);
    return CLNORM_OK;
}

static clnorm_status check_pair(const array *a, const array *b, bool in_place, clnorm_error *error)
{
    if (!(a->output || b->output) || !clnorm_spans_overlap(&a->span, &b->span))
        return CLNORM_OK;
    if (in_place && a->required && b->required)
        return CLNORM_OK;
    return clnorm_fail(error, CLNORM_BAD_ARGS,
                       "%s overlaps %s; only y may be x, with the same pointer, stride and dtype",
                       a->name, b->name);
}

enum { ARRAYS = 6 };

static clnorm_status check_arrays(array *arrays, bool in_place, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (size_t i = 0; i < ARRAYS; i++) {
        if (!arrays[i].data && arrays[i].required)
            return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL", arrays[i].name);
        if (arrays[i].data)
            TRY(check_array(&arrays[i], error));
        for (size_t j = 0; j < i; j++)
            if (arrays[i].data && arrays[j].data)
                TRY(check_pair(&arrays[j], &arrays[i], in_place, error));
    }
fail:
    return status;
}

static clnorm_status check_args(const clnorm_op *op, uint64_t rows, const clnorm_host_args *args,
                                clnorm_host_plan *plan, clnorm_error *error)
{
    const clnorm_desc *d = &op->desc;
    const clnorm_dtype stats = clnorm_stats_dtype(d);
    plan->y_stride = clnorm_stride(op, args->y_stride);
    plan->x_stride = clnorm_stride(op, args->x_stride);
    plan->in_place =
        args->y == args->x && plan->y_stride == plan->x_stride && d->y_dtype == d->x_dtype;
    array arrays[ARRAYS] = {
        {.name = "y",
         .data = args->y,
         .dtype = d->y_dtype,
         .rows = rows,
         .cols = d->cols,
         .stride = plan->y_stride,
         .output = true,
         .required = true},
        {.name = "mean",
         .data = args->mean,
         .dtype = stats,
         .rows = 1,
         .cols = rows,
         .stride = rows,
         .output = true},
        {.name = "rstd",
         .data = args->rstd,
         .dtype = stats,
         .rows = 1,
         .cols = rows,
         .stride = rows,
         .output = true},
        {.name = "x",
         .data = args->x,
         .dtype = d->x_dtype,
         .rows = rows,
         .cols = d->cols,
         .stride = plan->x_stride,
         .required = true},
        {.name = "weight",
         .data = args->weight,
         .dtype = d->param_dtype,
         .rows = 1,
         .cols = d->cols,
         .stride = d->cols},
        {.name = "bias",
         .data = args->bias,
         .dtype = d->param_dtype,
         .rows = 1,
         .cols = d->cols,
         .stride = d->cols},
    };
    return check_arrays(arrays, plan->in_place, error);
}

/* ---- chunks ---- */

typedef struct {
    uint64_t x, y, stats, params; /* bytes: of a row, a row, a row, and of weight and bias */
} needs;

static needs needs_of(const clnorm_op *op, const clnorm_host_args *args)
{
    const clnorm_desc *d = &op->desc;
    const uint64_t stats = clnorm_dtype_bytes(clnorm_stats_dtype(d));
    const uint64_t params = d->cols * clnorm_dtype_bytes(d->param_dtype);
    return (needs){.x = d->cols * clnorm_dtype_bytes(d->x_dtype),
                   .y = d->cols * clnorm_dtype_bytes(d->y_dtype),
                   .stats = (args->mean ? stats : 0) + (args->rstd ? stats : 0),
                   .params = (args->weight ? params : 0) + (args->bias ? params : 0)};
}

static uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }

static clnorm_status cut(const clnorm_op *op, const needs *n, uint64_t limit,
                         clnorm_host_plan *plan, clnorm_error *error)
{
    const uint64_t row = n->x + n->y + n->stats;
    const uint64_t max_alloc = op->context->device.max_alloc_bytes;
    const uint64_t left = limit > n->params ? limit - n->params : 0;
    const uint64_t widest = n->x > n->y ? n->x : n->y;
    const uint64_t largest = n->params > widest ? n->params : widest;
    if (left < row || max_alloc < largest)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY,
                           "one row needs %llu bytes on %s (input, output, weight, bias), and "
                           "%llu are allowed, %llu in one buffer",
                           (unsigned long long)(row + n->params), op->context->device.name,
                           (unsigned long long)limit, (unsigned long long)max_alloc);
    plan->slots = left / row >= HOST_SLOTS ? HOST_SLOTS : 1;
    plan->rows_per_chunk =
        min_u64(min_u64(left / row / plan->slots, max_alloc / widest), plan->rows_per_chunk);
    return CLNORM_OK;
}

/* ---- zero copy ---- */

/* GPUs that share memory with the host want whole pages; on a CPU the buffer alignment will do. */
static uint64_t host_alignment(const clnorm_context *context)
{
    const bool cpu = (context->device.type & CL_DEVICE_TYPE_GPU) == 0;
    return cpu ? 128 : 4096;
}

static bool usable_in_place(const void *data, uint64_t stride_bytes, uint64_t rows,
                            uint64_t alignment, uint64_t *rows_step)
{
    uint64_t step = alignment; /* a power of two, and so is its common divisor with the stride */
    while (step > 1 && stride_bytes % (alignment / step * 2) == 0)
        step /= 2;
    if (*rows_step < step)
        *rows_step = step;
    const uint64_t whole = alignment == 4096 ? 64 : 1; /* sizes in whole cache lines */
    return (uintptr_t)data % alignment == 0 && rows * stride_bytes % whole == 0;
}

/* Chunks must begin where a buffer may begin. */
static void try_zero_copy(const clnorm_op *op, uint64_t rows, const clnorm_host_args *args,
                          clnorm_host_plan *plan)
{
    const clnorm_desc *d = &op->desc;
    const uint64_t alignment = host_alignment(op->context);
    const uint64_t x_bytes = plan->x_stride * clnorm_dtype_bytes(d->x_dtype);
    const uint64_t y_bytes = plan->y_stride * clnorm_dtype_bytes(d->y_dtype);
    const uint64_t widest = x_bytes > y_bytes ? x_bytes : y_bytes;
    uint64_t step = 1;
    if (!op->context->device.shares_host_memory)
        return;
    if (!usable_in_place(args->x, x_bytes, rows, alignment, &step) ||
        !usable_in_place(args->y, y_bytes, rows, alignment, &step))
        return;
    const uint64_t at_most =
        min_u64(plan->rows_per_chunk, op->context->device.max_alloc_bytes / widest);
    const uint64_t chunk = at_most >= rows ? rows : at_most / step * step;
    if (chunk == 0)
        return;
    plan->zero_copy = 1;
    plan->rows_per_chunk = chunk;
}

/* Small enough to overlap transfers and to report progress, large enough for a launch to pay. */
static const uint64_t chunk_bytes = (uint64_t)64 << 20;

clnorm_status clnorm_host_plan_make(const clnorm_op *op, uint64_t rows,
                                    const clnorm_host_args *args,
                                    const clnorm_host_options *options, clnorm_host_plan *plan,
                                    clnorm_error *error)
{
    clnorm_status status;
    *plan = (clnorm_host_plan){.slots = 1};
    TRY(check_args(op, rows, args, plan, error));
    const needs n = needs_of(op, args);
    const uint64_t half = op->context->device.global_bytes / 2; /* others use the device too */
    const uint64_t asked = options->max_device_bytes;
    plan->rows_per_chunk = min_u64(rows, chunk_bytes / (n.x + n.y) + 1);
    TRY(cut(op, &n, asked ? asked : half, plan, error));
    if (!options->copy)
        try_zero_copy(op, rows, args, plan);
fail:
    return status;
}

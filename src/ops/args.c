/* SPDX-License-Identifier: MIT */
#include "base/checked.h"
#include "base/sets.h"
#include "base/span.h"
#include "ops/lines.h"
#include "runtime/mem.h"
#include "runtime/queue.h"

/* A tensor of the call with all that the checks need. */
typedef struct {
    clnorm_tensor_id id;
    const char *name;
    const clnorm_tensor *tensor;
    clnorm_tensor_use use;
    clnorm_mem_info mem;
    clnorm_span span; /* in mem.root */
} operand;

static clnorm_status find_span(operand *o, clnorm_error *error)
{
    const clnorm_tensor_use *u = &o->use;
    const uint64_t bytes = clnorm_dtype_bytes(u->dtype);
    const uint64_t stride = u->rows > 1 && o->tensor->stride ? o->tensor->stride : u->cols;
    uint64_t begin = 0;
    if (u->rows == 0 || u->cols == 0) /* of no rows */
        return CLNORM_OK;
    if (stride < u->cols)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "%s.stride is %llu: rows of %llu elements would overlap", o->name,
                           (unsigned long long)stride, (unsigned long long)u->cols);
    const bool fits = checked_mul(o->tensor->offset, bytes, &begin) &&
                      clnorm_span_make(begin, u->rows, u->cols, stride, bytes, &o->span) &&
                      o->span.end <= o->mem.bytes;
    if (!fits)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "%s: %llu rows of %llu %s from element %llu, %llu apart, do not fit in "
                           "its buffer of %zu bytes",
                           o->name, (unsigned long long)u->rows, (unsigned long long)u->cols,
                           clnorm_dtype_name(u->dtype), (unsigned long long)o->tensor->offset,
                           (unsigned long long)stride, o->mem.bytes);
    o->span.begin += o->mem.origin;
    o->span.end += o->mem.origin;
    return CLNORM_OK;
}

static clnorm_status check_operand(const clnorm_op *op, operand *o, clnorm_error *error)
{
    clnorm_status status;
    TRY(clnorm_mem_query(op->context, o->tensor->buffer, &o->mem, error));
    if (o->mem.context != op->context->cl)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is of another OpenCL context than the op",
                           o->name);
    const bool output = o->use.role != CLNORM_INPUT, input = o->use.role != CLNORM_OUTPUT;
    if (output && (o->mem.flags & CL_MEM_READ_ONLY))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "%s is an output in a buffer made with CL_MEM_READ_ONLY", o->name);
    if (input && (o->mem.flags & CL_MEM_WRITE_ONLY))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "%s is an input in a buffer made with CL_MEM_WRITE_ONLY", o->name);
    TRY(find_span(o, error));
fail:
    return status;
}

static bool same_place(const operand *a, const operand *b)
{
    return a->span.begin == b->span.begin && a->span.stride == b->span.stride &&
           a->use.dtype == b->use.dtype;
}

static bool may_alias(clnorm_direction direction, const operand *a, const operand *b)
{
    return clnorm_may_alias(direction, a->id, b->id) || clnorm_may_alias(direction, b->id, a->id);
}

static clnorm_status check_overlap(clnorm_direction direction, const operand *a, const operand *b,
                                   clnorm_error *error)
{
    const bool written = a->use.role != CLNORM_INPUT || b->use.role != CLNORM_INPUT;
    const bool empty = a->span.end == a->span.begin || b->span.end == b->span.begin;
    if (!written || empty || a->mem.root != b->mem.root ||
        !clnorm_spans_overlap(&a->span, &b->span))
        return CLNORM_OK;
    const bool allowed = may_alias(direction, a, b);
    if (allowed && same_place(a, b))
        return CLNORM_OK;
    return clnorm_fail(error, CLNORM_BAD_ARGS,
                       "%s (bytes %llu to %llu of its buffer) overlaps %s (%llu to %llu); %s",
                       a->name, (unsigned long long)a->span.begin, (unsigned long long)a->span.end,
                       b->name, (unsigned long long)b->span.begin, (unsigned long long)b->span.end,
                       allowed ? "one may be the other only with the same offset, stride and dtype"
                               : "allowed are tensors apart from one another");
}

/* Tensors of the call that are given, and the workspace if it is used. */
typedef struct {
    operand of[TENSOR_COUNT + 1];
    size_t count;
} operands;

static clnorm_status collect(const clnorm_op *op, clnorm_direction direction, uint64_t rows,
                             const clnorm_args *args, operands *all, clnorm_error *error)
{
    bool given[TENSOR_COUNT];
    clnorm_tensor_use uses[TENSOR_COUNT];
    clnorm_args_given(args, given);
    clnorm_tensor_uses_of(&op->desc, direction, rows, uses);
    all->count = 0;
    for (int i = 0; i < TENSOR_COUNT; i++) {
        const clnorm_tensor_id id = (clnorm_tensor_id)i;
        if (given[i])
            all->of[all->count++] = (operand){
                .id = id,
                .name = clnorm_tensor_name(id),
                .tensor = clnorm_args_tensor(args, id),
                .use = uses[i],
            };
    }
    return clnorm_tensors_check(&op->desc, direction, rows, given, error);
}

/* It is no tensor of the table, but must not overlap one either. */
static clnorm_status collect_workspace(const clnorm_op *op, clnorm_direction direction,
                                       uint64_t rows, const clnorm_args *args, operands *all,
                                       clnorm_error *error)
{
    const clnorm_tensor *workspace = &args->workspace;
    bool given[TENSOR_COUNT];
    clnorm_mem_info mem;
    size_t bytes = 0;
    clnorm_status status;
    clnorm_args_given(args, given);
    if (!workspace->buffer || (direction == CLNORM_BACKWARD && !clnorm_leaves_lines(op, given)))
        return CLNORM_OK;
    TRY(clnorm_op_workspace(op, direction, rows, &bytes, error));
    if (direction == CLNORM_FORWARD && bytes == 0)
        return CLNORM_OK;
    TRY(clnorm_mem_query(op->context, workspace->buffer, &mem, error));
    if (workspace->offset % 8 || workspace->offset > mem.bytes ||
        mem.bytes - workspace->offset < bytes)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "workspace has %zu bytes and offset %llu; allowed are a multiple of 8 "
                           "with %zu bytes behind it",
                           mem.bytes, (unsigned long long)workspace->offset, bytes);
    all->of[all->count++] = (operand){
        .id = TENSOR_COUNT,
        .name = "workspace",
        .tensor = workspace,
        .use = {.role = CLNORM_IN_OUT, .dtype = CLNORM_I8, .rows = bytes > 0, .cols = bytes},
    };
fail:
    return status;
}

static clnorm_status check_operands(const clnorm_op *op, clnorm_direction direction, operands *all,
                                    clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (size_t i = 0; i < all->count; i++)
        TRY(check_operand(op, &all->of[i], error));
    for (size_t i = 0; i < all->count; i++)
        for (size_t j = 0; j < i; j++)
            TRY(check_overlap(direction, &all->of[i], &all->of[j], error));
fail:
    return status;
}

static clnorm_status check_sets(const clnorm_op *op, clnorm_direction direction, uint64_t rows,
                                const operands *all, clnorm_error *error)
{
    const clnorm_sets sets = clnorm_sets_of(&op->desc, rows);
    for (size_t i = 0; i < all->count; i++) {
        const operand *o = &all->of[i];
        const bool gaps = o->tensor->stride && o->tensor->stride != o->use.cols && rows > 1;
        if (sets.needs_dense_rows && o->use.has_stride && gaps)
            return clnorm_fail(error, CLNORM_BAD_ARGS,
                               "%s.stride is %llu; allowed is %llu: batch statistics of NHWC need "
                               "rows without gaps",
                               o->name, (unsigned long long)o->tensor->stride,
                               (unsigned long long)o->use.cols);
    }
    return clnorm_check_iterations(op, direction, rows, error);
}

clnorm_status clnorm_args_check(const clnorm_op *op, clnorm_direction direction,
                                cl_command_queue queue, uint64_t rows, const clnorm_args *args,
                                clnorm_events events, clnorm_error *error)
{
    operands all;
    clnorm_status status;
    if (!op || !args)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL", !op ? "op" : "args");
    if (args->struct_size != sizeof(*args))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "args.struct_size is %zu, not %zu: use CLNORM_ARGS_INIT",
                           args->struct_size, sizeof(*args));
    TRY(clnorm_context_check(op->context, error));
    TRY(clnorm_queue_check(op->context, queue, error));
    TRY(clnorm_wait_list_check(op->context, events.n_wait, events.wait_list, error));
    TRY(collect(op, direction, rows, args, &all, error));
    TRY(collect_workspace(op, direction, rows, args, &all, error));
    TRY(check_operands(op, direction, &all, error));
    if (rows > 0)
        TRY(check_sets(op, direction, rows, &all, error));
fail:
    return status;
}

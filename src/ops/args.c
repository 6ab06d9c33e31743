/* SPDX-License-Identifier: MIT */
#include "base/checked.h"
#include "base/span.h"
#include "ops/op.h"
#include "runtime/mem.h"

/* A tensor of the call with all that the checks need. */
typedef struct {
    const char *name;
    const clnorm_tensor *tensor;
    clnorm_dtype dtype;
    uint64_t rows, cols;
    bool output, required;
    clnorm_mem_info mem;
    clnorm_span span; /* in mem.root */
} operand;

static clnorm_status find_span(operand *o, clnorm_error *error)
{
    const uint64_t bytes = clnorm_dtype_bytes(o->dtype);
    const uint64_t stride = o->rows > 1 && o->tensor->stride ? o->tensor->stride : o->cols;
    uint64_t begin = 0;
    if (stride < o->cols)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "%s.stride is %llu: rows of %llu elements would overlap", o->name,
                           (unsigned long long)stride, (unsigned long long)o->cols);
    const bool fits = checked_mul(o->tensor->offset, bytes, &begin) &&
                      clnorm_span_make(begin, o->rows, o->cols, stride, bytes, &o->span) &&
                      o->span.end <= o->mem.bytes;
    if (!fits)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "%s: %llu rows of %llu %s from element %llu, %llu apart, do not fit in "
                           "its buffer of %zu bytes",
                           o->name, (unsigned long long)o->rows, (unsigned long long)o->cols,
                           clnorm_dtype_name(o->dtype), (unsigned long long)o->tensor->offset,
                           (unsigned long long)stride, o->mem.bytes);
    o->span.begin += o->mem.origin;
    o->span.end += o->mem.origin;
    return CLNORM_OK;
}

static clnorm_status check_operand(const clnorm_op *op, operand *o, clnorm_error *error)
{
    clnorm_status status;
    TRY(clnorm_mem_query(o->tensor->buffer, &o->mem, error));
    if (o->mem.context != op->context->cl)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is of another OpenCL context than the op",
                           o->name);
    if (o->output && (o->mem.flags & CL_MEM_READ_ONLY))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "%s is an output in a buffer made with CL_MEM_READ_ONLY", o->name);
    if (!o->output && (o->mem.flags & CL_MEM_WRITE_ONLY))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "%s is an input in a buffer made with CL_MEM_WRITE_ONLY", o->name);
    TRY(find_span(o, error));
fail:
    return status;
}

static bool same_place(const operand *a, const operand *b)
{
    return a->span.begin == b->span.begin && a->span.stride == b->span.stride &&
           a->dtype == b->dtype;
}

static clnorm_status check_overlap(const operand *a, const operand *b, clnorm_error *error)
{
    const bool matters = (a->output || b->output) && a->mem.root == b->mem.root;
    if (!matters || !clnorm_spans_overlap(&a->span, &b->span))
        return CLNORM_OK;
    if (a->required && b->required && same_place(a, b)) /* y and x: in place */
        return CLNORM_OK;
    return clnorm_fail(
        error, CLNORM_BAD_ARGS,
        "%s (bytes %llu to %llu of its buffer) overlaps %s (%llu to %llu); only y may "
        "be x, with the same offset, stride and dtype",
        a->name, (unsigned long long)a->span.begin, (unsigned long long)a->span.end, b->name,
        (unsigned long long)b->span.begin, (unsigned long long)b->span.end);
}

enum { OPERANDS = 6 };

static clnorm_status check_operands(const clnorm_op *op, operand *operands, clnorm_error *error)
{
    clnorm_status status;
    operand *given[OPERANDS];
    size_t count = 0;
    for (size_t i = 0; i < OPERANDS; i++) {
        operand *o = &operands[i];
        if (!o->tensor->buffer && o->required)
            return clnorm_fail(error, CLNORM_BAD_ARGS, "%s.buffer is NULL", o->name);
        if (o->tensor->buffer)
            given[count++] = o;
    }
    for (size_t i = 0; i < count; i++)
        TRY(check_operand(op, given[i], error));
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            TRY(check_overlap(given[i], given[j], error));
    return CLNORM_OK;
fail:
    return status;
}

clnorm_status clnorm_args_check(const clnorm_op *op, cl_command_queue queue, uint64_t rows,
                                const clnorm_args *args, clnorm_events events, clnorm_error *error)
{
    clnorm_status status;
    if (!op || !args)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL", !op ? "op" : "args");
    if (args->struct_size != sizeof(*args))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "args.struct_size is %zu, not %zu: use "
                           "CLNORM_ARGS_INIT",
                           args->struct_size, sizeof(*args));
    TRY(clnorm_context_check(op->context, error));
    TRY(clnorm_queue_check(op->context, queue, error));
    TRY(clnorm_wait_list_check(op->context, events.n_wait, events.wait_list, error));
    if (rows == 0)
        return CLNORM_OK;
    const clnorm_desc *d = &op->desc;
    const clnorm_dtype stats = clnorm_stats_dtype(d);
    operand operands[OPERANDS] = {
        {.name = "y",
         .tensor = &args->y,
         .dtype = d->y_dtype,
         .rows = rows,
         .cols = d->cols,
         .output = true,
         .required = true},
        {.name = "mean",
         .tensor = &args->mean,
         .dtype = stats,
         .rows = 1,
         .cols = rows,
         .output = true},
        {.name = "rstd",
         .tensor = &args->rstd,
         .dtype = stats,
         .rows = 1,
         .cols = rows,
         .output = true},
        {.name = "x",
         .tensor = &args->x,
         .dtype = d->x_dtype,
         .rows = rows,
         .cols = d->cols,
         .required = true},
        {.name = "weight",
         .tensor = &args->weight,
         .dtype = d->param_dtype,
         .rows = 1,
         .cols = d->cols},
        {.name = "bias",
         .tensor = &args->bias,
         .dtype = d->param_dtype,
         .rows = 1,
         .cols = d->cols},
    };
    return check_operands(op, operands, error);
fail:
    return status;
}

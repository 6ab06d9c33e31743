/* SPDX-License-Identifier: MIT */
#include "ops/operand.h"

#include "base/checked.h"

static clnorm_status find_span(clnorm_operand *o, clnorm_error *error)
{
    const uint64_t bytes = clnorm_dtype_bytes(o->dtype);
    const uint64_t stride = o->rows > 1 && o->tensor->stride ? o->tensor->stride : o->cols;
    uint64_t begin = 0;
    if (o->rows == 0 || o->cols == 0) /* of no rows */
        return CLNORM_OK;
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

clnorm_status clnorm_operand_check(const clnorm_context *context, clnorm_operand *o,
                                   clnorm_error *error)
{
    clnorm_status status;
    TRY(clnorm_mem_query(context, o->tensor->buffer, &o->mem, error));
    if (o->mem.context != context->cl)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is of another OpenCL context than the op",
                           o->name);
    const bool output = o->role != CLNORM_INPUT, input = o->role != CLNORM_OUTPUT;
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

static bool same_place(const clnorm_operand *a, const clnorm_operand *b)
{
    return a->span.begin == b->span.begin && a->span.stride == b->span.stride &&
           a->dtype == b->dtype;
}

bool clnorm_operands_meet(const clnorm_operand *a, const clnorm_operand *b)
{
    const bool written = a->role != CLNORM_INPUT || b->role != CLNORM_INPUT;
    const bool empty = a->span.end == a->span.begin || b->span.end == b->span.begin;
    return written && !empty && a->mem.root == b->mem.root &&
           clnorm_spans_overlap(&a->span, &b->span);
}

clnorm_status clnorm_operands_refuse(const clnorm_operand *a, const clnorm_operand *b,
                                     bool may_be_same, clnorm_error *error)
{
    if (may_be_same && same_place(a, b))
        return CLNORM_OK;
    return clnorm_fail(error, CLNORM_BAD_ARGS,
                       "%s (bytes %llu to %llu of its buffer) overlaps %s (%llu to %llu); %s",
                       a->name, (unsigned long long)a->span.begin, (unsigned long long)a->span.end,
                       b->name, (unsigned long long)b->span.begin, (unsigned long long)b->span.end,
                       may_be_same
                           ? "one may be the other only with the same offset, stride and dtype"
                           : "allowed are tensors apart from one another");
}

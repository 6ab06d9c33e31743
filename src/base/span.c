/* SPDX-License-Identifier: MIT */
#include "base/span.h"
#include "base/checked.h"

bool clnorm_span_make(uint64_t begin, uint64_t rows, uint64_t cols, uint64_t stride,
                      uint64_t element_bytes, clnorm_span *span)
{
    uint64_t end = 0, width = 0;
    span->begin = begin;
    const bool fits = checked_mul(stride, element_bytes, &span->stride) &&
                      checked_mul(cols, element_bytes, &width) &&
                      checked_mul(rows - 1, span->stride, &end) && checked_add(end, width, &end) &&
                      checked_add(end, begin, &end);
    span->width = width;
    span->end = end;
    return fits;
}

static bool interleaved(const clnorm_span *a, const clnorm_span *b)
{
    if (a->stride != b->stride || a->stride == 0)
        return false;
    const uint64_t ahead = b->begin >= a->begin
                               ? (b->begin - a->begin) % a->stride
                               : (a->stride - (a->begin - b->begin) % a->stride) % a->stride;
    return ahead >= a->width && ahead + b->width <= a->stride;
}

bool clnorm_spans_overlap(const clnorm_span *a, const clnorm_span *b)
{
    if (a->end <= b->begin || b->end <= a->begin)
        return false;
    return !interleaved(a, b);
}

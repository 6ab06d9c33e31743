/* SPDX-License-Identifier: MIT */
/* Where the rows of a tensor lie, in bytes of one address space: a buffer's or the host's. */
#ifndef CLNORM_BASE_SPAN_H
#define CLNORM_BASE_SPAN_H

#include <stdbool.h>
#include <stdint.h>

typedef struct clnorm_span {
    uint64_t begin, end; /* of the first row, and one past the last */
    uint64_t stride; /* from a row to the next */
    uint64_t width; /* of a row */
} clnorm_span;

/* rows (at least 1) of cols elements, `stride` elements apart, from byte `begin`. false when a
 * number does not fit in 64 bits. */
bool clnorm_span_make(uint64_t begin, uint64_t rows, uint64_t cols, uint64_t stride,
                      uint64_t element_bytes, clnorm_span *span);

/* Whether they share a byte. Rows of one may lie between the rows of the other, such as the halves
 * of a wider matrix. */
bool clnorm_spans_overlap(const clnorm_span *a, const clnorm_span *b);

#endif

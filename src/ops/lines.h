/* SPDX-License-Identifier: MIT */
/* Partial sums of gradients of parameters in the workspace: for each gradient an array of lines, a
 * line for each slab of rows (or each row, or one in all). */
#ifndef CLNORM_OPS_LINES_H
#define CLNORM_OPS_LINES_H

#include "ops/op.h"
#include "ops/tensors.h"

typedef struct clnorm_lines {
    uint64_t slab; /* rows whose sums are one line, or `per_slab` lines */
    uint64_t rows_per_mod, slabs_per_mod; /* of all rows, if they have no mods of their own */
    uint64_t per_slab; /* where rows have sets of channels: of blocks of segments; else 0 */
    uint64_t count; /* of all rows */
    uint64_t first[CLNORM_GRADIENTS]; /* where a gradient's begin: elements */
    uint64_t elements; /* of the workspace */
} clnorm_lines;

clnorm_lines clnorm_lines_of(const clnorm_op *op, uint64_t all);
/* Whether a backward pass that is given these tensors leaves any: given[TENSOR_COUNT]. */
bool clnorm_leaves_lines(const clnorm_op *op, const bool *given);
/* CLNORM_UNSUPPORTED where a work-item would have more to do than the device lets it. */
clnorm_status clnorm_check_iterations(const clnorm_op *op, clnorm_direction direction,
                                      uint64_t rows, clnorm_error *error);
/* The first line of a row. */
uint64_t clnorm_line_at(const clnorm_lines *lines, uint64_t row);

#endif

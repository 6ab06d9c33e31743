/* SPDX-License-Identifier: MIT */
/* The second stage of gradients of parameters: the lines that a backward pass left, added up. */
#ifndef CLNORM_OPS_SUMS_H
#define CLNORM_OPS_SUMS_H

#include "ops/lines.h"

/* A backward pass over some rows or all, and its lines. */
typedef struct clnorm_pass {
    const clnorm_op *op;
    cl_command_queue queue;
    const clnorm_args *args;
    clnorm_part part;
    clnorm_lines lines;
} clnorm_pass;

/* What a gradient is a sum over: the rows of each mod, or all rows of all parts. */
typedef enum clnorm_sums {
    CLNORM_SUMS_OF_MODS = 1,
    CLNORM_SUMS_OF_ALL = 2,
    CLNORM_SUMS_OF_BOTH = 3
} clnorm_sums;

/* Elements of the workspace before its lines. */
uint64_t clnorm_lines_offset(const clnorm_pass *pass);
/* Whether the gradient is wanted, and a sum of lines. */
bool clnorm_is_summed(const clnorm_pass *pass, size_t gradient);
/* Whether any gradient of that sort is. */
bool clnorm_any_sums(const clnorm_pass *pass, clnorm_sums sums);
/* One kernel for all of them; there must be one. */
clnorm_status clnorm_add_lines(const clnorm_pass *pass, clnorm_sums sums, clnorm_events events,
                               clnorm_error *error);

#endif

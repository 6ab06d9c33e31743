/* SPDX-License-Identifier: MIT */
/* The sizes of a call, and the arguments that the kernels of both directions have in common. */
#ifndef CLNORM_OPS_SET_ARGS_H
#define CLNORM_OPS_SET_ARGS_H

#include "base/sets.h"
#include "ops/arg_list.h"
#include "ops/op.h"

/* What differs between the sizes of calls. */
typedef struct clnorm_shape {
    clnorm_sets sets; /* of the part; but a set has the elements of all rows */
    uint64_t stats_cols;
    double count, divisor; /* elements that statistics come from, what the sums are divided by */
} clnorm_shape;

clnorm_shape clnorm_shape_of(const clnorm_desc *desc, clnorm_part part);

/* count, divisor, eps, power, weight_shift of both kernels, and SET_ARGS. */
void clnorm_push_numbers(clnorm_arg_list *list, const clnorm_op *op, const clnorm_shape *shape);
void clnorm_push_set_args(clnorm_arg_list *list, const clnorm_op *op, const clnorm_args *args,
                          const clnorm_shape *shape, clnorm_part part);

/* Whether gate, scale and shift are there, and whether each row has its own. */
bool clnorm_has(const clnorm_desc *desc, unsigned inputs);
bool clnorm_has_row_mods(const clnorm_desc *desc);

#endif

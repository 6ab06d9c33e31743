/* SPDX-License-Identifier: MIT */
/* A descriptor as -D options of the kernels, and as their common arguments. */
#ifndef CLNORM_OPS_SWITCHES_H
#define CLNORM_OPS_SWITCHES_H

#include "base/sets.h"
#include "ops/arg_list.h"
#include "ops/op.h"

enum { CLNORM_MOST_DEFINES = 900 };

clnorm_status clnorm_switches(const clnorm_op *op, clnorm_purpose purpose,
                              const clnorm_geometry *geometry, char text[CLNORM_MOST_DEFINES],
                              clnorm_error *error);

/* Rows with a weight, and with a bias where a mean is subtracted, and all of their gradients; on
 * GPUs with offsets and strides of whole vectors: what nearly all calls give. */
bool clnorm_has_usual(const clnorm_desc *desc);
bool clnorm_is_usual(const clnorm_op *op, clnorm_direction direction, const clnorm_args *args);

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

/* SPDX-License-Identifier: MIT */
/* How far a right result may be from the reference: docs/numerics.md derives each term. */
#ifndef CLNORM_CHECK_BOUNDS_H
#define CLNORM_CHECK_BOUNDS_H

#include "reference/row_norm.h"

/* An error is at most `arithmetic` before and `total` after the result is rounded to its type. */
typedef struct clnorm_bound {
    double arithmetic, total;
} clnorm_bound;

/* What the bounds of a row have in common. */
typedef struct clnorm_row_bounds {
    double relative; /* error of a normalized value, in parts of |value| + spread */
    double spread; /* sqrt(variance) * rstd, which is below 1; 0 without centring */
    double weight; /* what may be lost in a value that is then multiplied by the weight */
    double bias; /* of |bias| */
    double floor; /* what may be lost near zero */
    double storage_unit, storage_tiny; /* of y_dtype */
    double reference_unit; /* the reference gives double */
    clnorm_bound mean, rstd;
} clnorm_row_bounds;

/* depth: longest chain of additions behind a sum over the row, see clnorm_op_depth. */
clnorm_row_bounds clnorm_bounds_of_row(const clnorm_desc *desc, unsigned depth,
                                       const clnorm_reference_stats *stats);

/* Of an element whose exact result is y. */
clnorm_bound clnorm_bound_of_y(const clnorm_row_bounds *row, double y, double weight, double bias);

#endif

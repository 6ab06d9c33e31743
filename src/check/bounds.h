/* SPDX-License-Identifier: MIT */
/* How far a right result may be from the reference: docs/numerics.md derives each term. */
#ifndef CLNORM_CHECK_BOUNDS_H
#define CLNORM_CHECK_BOUNDS_H

#include "reference/reference.h"

/* An error is at most `arithmetic` before and `total` after the result is rounded to its type. */
typedef struct clnorm_bound {
    double arithmetic, total;
} clnorm_bound;

/* What the bounds of a block of results have in common. */
typedef struct clnorm_bounds {
    double grown, rounded, lost; /* what each of these counts */
    double storage_unit, storage_tiny; /* of the tensor's type; 0 if it is stored as codes */
} clnorm_bounds;

/* depth: longest chain of additions behind a sum over a set, see clnorm_op_depth. */
clnorm_bounds clnorm_bounds_of(const clnorm_evaluation *e, unsigned depth,
                               const clnorm_results *results);
/* Largest error of x^ in parts of its `grown`: for clnorm_evaluation.slack. */
double clnorm_bound_of_normal(const clnorm_evaluation *e, unsigned depth);

/* Of element i. */
static inline clnorm_bound clnorm_bound_at(const clnorm_bounds *b, const clnorm_results *r,
                                           size_t i)
{
    const double size = r->value[i] < 0 ? -r->value[i] : r->value[i];
    /* the reference gives double */
    const double arithmetic =
        b->grown * r->grown[i] + b->rounded * r->rounded[i] + b->lost * r->lost[i] + 0x1p-53 * size;
    return (clnorm_bound){arithmetic, arithmetic + b->storage_unit * size + b->storage_tiny};
}

#endif

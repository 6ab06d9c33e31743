/* SPDX-License-Identifier: MIT */
/* Gradients that are sums over rows: dweight and the like. */
#ifndef CLNORM_REFERENCE_SUMS_H
#define CLNORM_REFERENCE_SUMS_H

#include "reference/parts.h"

typedef struct clnorm_column_sum {
    long double value;
    double grown, rounded, lost;
    uint64_t terms;
} clnorm_column_sum;

typedef struct clnorm_sums {
    const clnorm_evaluation *e;
    clnorm_column_sum *of[TENSOR_COUNT]; /* NULL: not wanted */
} clnorm_sums;

/* clnorm_sums_free is due after a failure too. */
clnorm_status clnorm_sums_init(clnorm_sums *sums, const clnorm_evaluation *e);
void clnorm_sums_free(clnorm_sums *sums);

/* n terms each, of a tensor that may not be wanted. `rounded`: how often a factor was rounded. */
void clnorm_sums_add(clnorm_sums *sums, clnorm_tensor_id id, const clnorm_run *run,
                     const long double *terms, double rounded);
void clnorm_sums_add_product(clnorm_sums *sums, clnorm_tensor_id id, const clnorm_run *run,
                             const long double *factor, const clnorm_numbers *numbers,
                             double rounded);
/* factor NULL: 1 */
void clnorm_sums_add_numbers(clnorm_sums *sums, clnorm_tensor_id id, const clnorm_run *run,
                             const clnorm_numbers *numbers, const double *factor);
void clnorm_sums_emit(const clnorm_sums *sums);

#endif

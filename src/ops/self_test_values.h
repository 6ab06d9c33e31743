/* SPDX-License-Identifier: MIT */
/* A small problem for a kernel, and what a right one makes of it, in double and without knowing how
 * kernels go about it. Inputs are small numbers that every type has, and those that are fused with
 * a norm change nothing (gate 1, residual 0), so that a few lines do for all descriptors. */
#ifndef CLNORM_OPS_SELF_TEST_VALUES_H
#define CLNORM_OPS_SELF_TEST_VALUES_H

#include "base/tensor.h"
#include "ops/op.h"

typedef struct clnorm_test_values {
    clnorm_desc desc; /* with the programs of the op's, and fewer columns */
    uint64_t rows;
    clnorm_purpose purpose;
    /* Elements of tensors that are given, or that can be told; NULL: those that are not. */
    double *of[TENSOR_COUNT];
    uint64_t count[TENSOR_COUNT];
    double scale[TENSOR_COUNT]; /* of the terms that they are sums of: errors are small beside it */
} clnorm_test_values;

/* desc: a resolved one. False without memory. clnorm_test_values_free in any case. */
bool clnorm_test_values_make(const clnorm_context *context, const clnorm_desc *desc,
                             const clnorm_geometry *geometry, clnorm_purpose purpose,
                             clnorm_test_values *values);
void clnorm_test_values_free(clnorm_test_values *values);

#endif

/* SPDX-License-Identifier: MIT */
/* Tensors of a call with all that checks need: what drivers accept without a word is found here. */
#ifndef CLNORM_OPS_OPERAND_H
#define CLNORM_OPS_OPERAND_H

#include "base/span.h"
#include "base/tensor.h"
#include "runtime/mem.h"

typedef struct clnorm_operand {
    int id; /* of the caller's table */
    const char *name;
    const clnorm_tensor *tensor;
    clnorm_role role;
    clnorm_dtype dtype;
    uint64_t rows, cols;
    bool has_stride; /* rows may have gaps */
    clnorm_mem_info mem;
    clnorm_span span; /* in mem.root */
} clnorm_operand;

/* Finds mem and span. CLNORM_BAD_ARGS: a buffer of another context, or one that may not be used so,
 * or that the tensor does not fit in. */
clnorm_status clnorm_operand_check(const clnorm_context *context, clnorm_operand *operand,
                                   clnorm_error *error);

/* Of checked ones: whether they share bytes, and one of them is written. */
bool clnorm_operands_meet(const clnorm_operand *a, const clnorm_operand *b);
/* Of two that meet. CLNORM_BAD_ARGS unless they are exactly the same and `may_be_same`. */
clnorm_status clnorm_operands_refuse(const clnorm_operand *a, const clnorm_operand *b,
                                     bool may_be_same, clnorm_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* Gradients of parameters that may be sums over rows. */
#ifndef CLNORM_OPS_GRADIENTS_H
#define CLNORM_OPS_GRADIENTS_H

#include "base/tensor.h"

typedef enum clnorm_gradient {
    CLNORM_LINES_DWEIGHT,
    CLNORM_LINES_DBIAS,
    CLNORM_LINES_DX_BIAS,
    CLNORM_LINES_DGATE, /* from here on, of mods */
    CLNORM_LINES_DSCALE,
    CLNORM_LINES_DSHIFT,
    CLNORM_GRADIENTS
} clnorm_gradient;

typedef struct clnorm_gradient_info {
    clnorm_tensor_id id;
    bool used; /* the descriptor has it, and its sum is not complete at once */
    bool per_mod; /* is summed up for each mod, not over all rows */
    uint64_t length; /* elements of a line */
} clnorm_gradient_info;

void clnorm_gradients_of(const clnorm_desc *desc, clnorm_gradient_info all[CLNORM_GRADIENTS]);

#endif

/* SPDX-License-Identifier: MIT */
/* Recurrent nets in long double, and how far a device of floats may be off: docs/numerics.md. */
#ifndef CLNORM_REFERENCE_RECURRENT_H
#define CLNORM_REFERENCE_RECURRENT_H

#include "base/recurrent.h"

/* Arguments in order: descriptor, struct size, sizes, lengths, and which tensors are there. */
clnorm_status clnorm_recurrent_reference_check(const clnorm_recurrent_desc *desc,
                                               clnorm_direction direction, uint64_t steps,
                                               uint64_t batch,
                                               const clnorm_recurrent_host_args *args,
                                               clnorm_error *error);

typedef struct clnorm_recurrent_evaluation {
    clnorm_recurrent_desc desc;
    clnorm_direction direction;
    uint64_t steps, batch;
    clnorm_recurrent_host_args args; /* checked; outputs are written where they are given */
    /* What a device had for y, [steps, batch, H]: each step starts from it, and so is judged by
     * itself. Only then is a bound of use: errors do not grow from step to step. NULL: the step
     * before. */
    const float *given_y;
    /* For each output of args room for the bound of each element, or NULL. */
    clnorm_recurrent_host_args bounds;
} clnorm_recurrent_evaluation;

/* CLNORM_OUT_OF_MEMORY: nothing was written. */
clnorm_status clnorm_recurrent_evaluate(const clnorm_recurrent_evaluation *e, clnorm_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* The kernel of a step, without its products. */
#ifndef CLNORM_OPS_RECURRENT_STEP_H
#define CLNORM_OPS_RECURRENT_STEP_H

#include "ops/recurrent/op.h"

clnorm_status clnorm_recurrent_step_forward(const clnorm_recurrent_call *call, uint64_t step,
                                            clnorm_error *error);
clnorm_status clnorm_recurrent_step_backward(const clnorm_recurrent_call *call, uint64_t step,
                                             clnorm_error *error);

#endif

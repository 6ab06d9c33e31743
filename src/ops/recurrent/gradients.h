/* SPDX-License-Identifier: MIT */
#ifndef CLNORM_OPS_RECURRENT_GRADIENTS_H
#define CLNORM_OPS_RECURRENT_GRADIENTS_H

#include "ops/recurrent/op.h"

/* Behind all steps: gradients of parameters and of x, each a sum over, or a product of, all rows.
 */
clnorm_status clnorm_recurrent_gradients(const clnorm_recurrent_call *call, clnorm_error *error);

#endif

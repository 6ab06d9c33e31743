/* SPDX-License-Identifier: MIT */
/* The tensors of a call, by their place in the table of base/tensor.h. */
#ifndef CLNORM_OPS_TENSORS_H
#define CLNORM_OPS_TENSORS_H

#include "base/tensor.h"

const clnorm_tensor *clnorm_args_tensor(const clnorm_args *args, clnorm_tensor_id id);
/* Which of them have a buffer. */
void clnorm_args_given(const clnorm_args *args, bool given[TENSOR_COUNT]);
void clnorm_args_set(clnorm_args *args, clnorm_tensor_id id, clnorm_tensor tensor);

#endif

/* SPDX-License-Identifier: MIT */
/* The arguments of a kernel, in its order. */
#ifndef CLNORM_OPS_ARG_LIST_H
#define CLNORM_OPS_ARG_LIST_H

#include "ops/tensors.h"
#include "runtime/launch.h"

typedef struct clnorm_arg_list {
    clnorm_kernel_arg args[CLNORM_MOST_ARGS];
    union {
        cl_mem mem;
        cl_ulong u64;
        cl_uint u32;
        double f64;
        float f32;
    } values[CLNORM_MOST_ARGS];
    cl_uint count;
    bool wide; /* the kernel's real is double */
} clnorm_arg_list;

void clnorm_push_u64(clnorm_arg_list *list, uint64_t value);
void clnorm_push_u32(clnorm_arg_list *list, uint64_t value);
void clnorm_push_real(clnorm_arg_list *list, double value);
/* VECTOR of element.cl. */
void clnorm_push_vector(clnorm_arg_list *list, cl_mem mem, uint64_t offset);
/* VECTOR and MATRIX of a tensor of the call; a stride of 0 means `cols`. */
void clnorm_push_1d(clnorm_arg_list *list, const clnorm_args *args, clnorm_tensor_id id);
void clnorm_push_2d(clnorm_arg_list *list, const clnorm_args *args, clnorm_tensor_id id,
                    uint64_t cols);

#endif

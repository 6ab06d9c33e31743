/* SPDX-License-Identifier: MIT */
#include "ops/arg_list.h"

#define PUSH(list, member, value)                                                                  \
    do {                                                                                           \
        (list)->values[(list)->count].member = (value);                                            \
        (list)->args[(list)->count] = CLNORM_ARG((list)->values[(list)->count].member);            \
        (list)->count++;                                                                           \
    } while (0)

void clnorm_push_u64(clnorm_arg_list *list, uint64_t value) { PUSH(list, u64, value); }

void clnorm_push_u32(clnorm_arg_list *list, uint64_t value) { PUSH(list, u32, (cl_uint)value); }

void clnorm_push_real(clnorm_arg_list *list, double value)
{
    if (list->wide)
        PUSH(list, f64, value);
    else
        PUSH(list, f32, (float)value);
}

void clnorm_push_vector(clnorm_arg_list *list, cl_mem mem, uint64_t offset)
{
    PUSH(list, mem, mem);
    PUSH(list, u64, offset);
}

void clnorm_push_1d(clnorm_arg_list *list, const clnorm_args *args, clnorm_tensor_id id)
{
    const clnorm_tensor *tensor = clnorm_args_tensor(args, id);
    clnorm_push_vector(list, tensor->buffer, tensor->offset);
}

void clnorm_push_2d(clnorm_arg_list *list, const clnorm_args *args, clnorm_tensor_id id,
                    uint64_t cols)
{
    const clnorm_tensor *tensor = clnorm_args_tensor(args, id);
    clnorm_push_1d(list, args, id);
    clnorm_push_u64(list, tensor->stride ? tensor->stride : cols);
}

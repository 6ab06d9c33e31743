/* SPDX-License-Identifier: MIT */
#include "parts.h"

void tf_product(const struct tf_stack *stack, const clnorm_gemm_args *args)
{
    clnorm_error error;
    ex_must(clnorm_gemm(stack->device->context, stack->device->queue, args, 0, NULL, NULL, &error),
            &error);
}

void tf_linear(const struct tf_stack *stack, clnorm_tensor x, const struct tf_value *w,
               clnorm_tensor y)
{
    clnorm_gemm_args args = CLNORM_GEMM_ARGS_INIT;
    args.m = stack->shape.tokens, args.n = w->place.rows, args.k = w->place.cols;
    args.a = x, args.b = w->value, args.c = y;
    args.b_transposed = 1;
    tf_product(stack, &args);
}

void tf_linear_backward(const struct tf_stack *stack, clnorm_tensor x, const struct tf_value *w,
                        clnorm_tensor dy, enum tf_store store, clnorm_tensor dx)
{
    clnorm_gemm_args args = CLNORM_GEMM_ARGS_INIT;
    args.m = w->place.rows, args.n = w->place.cols, args.k = stack->shape.tokens;
    args.a = dy, args.b = x, args.c = w->gradient;
    args.a_transposed = 1;
    tf_product(stack, &args);
    args.m = stack->shape.tokens, args.k = w->place.rows;
    args.a = dy, args.b = w->value, args.c = dx;
    args.a_transposed = 0;
    args.beta = store == TF_ADD;
    tf_product(stack, &args);
}

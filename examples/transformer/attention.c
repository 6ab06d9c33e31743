/* SPDX-License-Identifier: MIT */
/* Multi-head self-attention. Heads are the products of a strided batch: those of q, k and v are
 * slices of the rows of one [tokens, 3 width] array, and so are their gradients. */
#include "parts.h"

#include <math.h>

/* Of a head: a slice of rows of q, k, v, or of what becomes of v. */
struct slice {
    clnorm_tensor first;
    uint64_t step;
};

enum { Q, K, V };

static uint64_t head_width(const struct tf_shape *shape) { return shape->width / shape->heads; }

static struct slice slice_of(const struct tf_stack *stack, enum tf_memory memory, uint64_t block,
                             int part)
{
    struct slice slice = {tf_at(stack, memory, block), head_width(&stack->shape)};
    slice.first.offset += (uint64_t)part * stack->shape.width;
    slice.first.stride = stack->shape.width * (memory == TF_QKV || memory == TF_DQKV ? 3 : 1);
    return slice;
}

static clnorm_gemm_args of_heads(const struct tf_stack *stack)
{
    clnorm_gemm_args args = CLNORM_GEMM_ARGS_INIT;
    args.m = args.n = args.k = stack->shape.tokens;
    args.batch = stack->shape.heads;
    return args;
}

/* c = alpha a b^T, [heads, tokens, tokens] */
static void scores(const struct tf_stack *stack, float alpha, struct slice a, struct slice b,
                   clnorm_tensor c)
{
    clnorm_gemm_args args = of_heads(stack);
    args.k = head_width(&stack->shape);
    args.alpha = alpha;
    args.b_transposed = 1;
    args.a = a.first, args.a_step = a.step;
    args.b = b.first, args.b_step = b.step;
    args.c = c, args.c_step = stack->shape.tokens * stack->shape.tokens;
    tf_product(stack, &args);
}

/* c = alpha p b, or alpha p^T b, with p of [heads, tokens, tokens] */
static void mix(const struct tf_stack *stack, float alpha, clnorm_tensor p, bool transposed,
                struct slice b, struct slice c)
{
    clnorm_gemm_args args = of_heads(stack);
    args.n = head_width(&stack->shape);
    args.alpha = alpha;
    args.a_transposed = transposed;
    args.a = p, args.a_step = stack->shape.tokens * stack->shape.tokens;
    args.b = b.first, args.b_step = b.step;
    args.c = c.first, args.c_step = c.step;
    tf_product(stack, &args);
}

static float scale_of(const struct tf_shape *shape) { return 1 / sqrtf((float)head_width(shape)); }

void tf_attention(struct tf_stack *stack, uint64_t block, clnorm_tensor y)
{
    const struct tf_shape *shape = &stack->shape;
    const struct tf_value w = tf_value(stack, block, TF_QKV_WEIGHT);
    const struct tf_value bias = tf_value(stack, block, TF_QKV_BIAS);
    const struct tf_value out = tf_value(stack, block, TF_OUT_WEIGHT);
    const clnorm_tensor qkv = tf_at(stack, TF_QKV, block), p = tf_at(stack, TF_P, block);
    const uint64_t rows = shape->heads * shape->tokens;
    tf_linear(stack, y, &w, qkv);
    ex_add_bias(&stack->kernels->train, 0, qkv, bias.value, shape->tokens, 3 * shape->width);
    scores(stack, scale_of(shape), slice_of(stack, TF_QKV, block, Q),
           slice_of(stack, TF_QKV, block, K), p);
    TF_LAUNCH(stack, TF_SOFTMAX, rows, EX_TENSOR(p), EX_U32(rows), EX_U32(shape->tokens));
    mix(stack, 1, p, false, slice_of(stack, TF_QKV, block, V), slice_of(stack, TF_MIXED, block, 0));
    tf_linear(stack, tf_at(stack, TF_MIXED, block), &out, tf_at(stack, TF_F, 0));
}

/* From TF_DMIXED to TF_DQKV. */
static void through_heads(struct tf_stack *stack, uint64_t block)
{
    const struct tf_shape *shape = &stack->shape;
    const clnorm_tensor p = tf_at(stack, TF_P, block), dp = tf_at(stack, TF_DP, 0);
    const struct slice dmixed = slice_of(stack, TF_DMIXED, 0, 0);
    const uint64_t rows = shape->heads * shape->tokens;
    mix(stack, 1, p, true, dmixed, slice_of(stack, TF_DQKV, 0, V));
    scores(stack, 1, dmixed, slice_of(stack, TF_QKV, block, V), dp);
    TF_LAUNCH(stack, TF_SOFTMAX_GRADIENT, rows, EX_TENSOR(p), EX_TENSOR(dp), EX_U32(rows),
              EX_U32(shape->tokens));
    mix(stack, scale_of(shape), dp, false, slice_of(stack, TF_QKV, block, K),
        slice_of(stack, TF_DQKV, 0, Q));
    mix(stack, scale_of(shape), dp, true, slice_of(stack, TF_QKV, block, Q),
        slice_of(stack, TF_DQKV, 0, K));
}

void tf_attention_backward(struct tf_stack *stack, uint64_t block, clnorm_tensor y,
                           enum tf_store store, clnorm_tensor dx)
{
    const struct tf_shape *shape = &stack->shape;
    const struct tf_value w = tf_value(stack, block, TF_QKV_WEIGHT);
    const struct tf_value bias = tf_value(stack, block, TF_QKV_BIAS);
    const struct tf_value out = tf_value(stack, block, TF_OUT_WEIGHT);
    const clnorm_tensor dqkv = tf_at(stack, TF_DQKV, 0);
    tf_linear_backward(stack, tf_at(stack, TF_MIXED, block), &out, tf_at(stack, TF_DF, 0),
                       TF_REPLACE, tf_at(stack, TF_DMIXED, 0));
    through_heads(stack, block);
    ex_column_sums(&stack->kernels->train, 0, dqkv, bias.gradient, shape->tokens, 3 * shape->width);
    tf_linear_backward(stack, y, &w, dqkv, store, dx);
}

/* SPDX-License-Identifier: MIT */
/* The MLP: GELU(y up^T + bias) down^T. */
#include "parts.h"

void tf_mlp(struct tf_stack *stack, uint64_t block, clnorm_tensor y)
{
    const struct tf_value up = tf_value(stack, block, TF_UP_WEIGHT);
    const struct tf_value bias = tf_value(stack, block, TF_UP_BIAS);
    const struct tf_value down = tf_value(stack, block, TF_DOWN_WEIGHT);
    const clnorm_tensor hidden = tf_at(stack, TF_HIDDEN, block);
    const clnorm_tensor active = tf_at(stack, TF_ACTIVE, block);
    const uint64_t tokens = stack->shape.tokens, n = tokens * up.place.rows;
    tf_linear(stack, y, &up, hidden);
    ex_add_bias(&stack->kernels->train, 0, hidden, bias.value, tokens, up.place.rows);
    TF_LAUNCH(stack, TF_GELU, n, EX_TENSOR(hidden), EX_TENSOR(active), EX_U32(n));
    tf_linear(stack, active, &down, tf_at(stack, TF_F, 0));
}

void tf_mlp_backward(struct tf_stack *stack, uint64_t block, clnorm_tensor y, enum tf_store store,
                     clnorm_tensor dx)
{
    const struct tf_value up = tf_value(stack, block, TF_UP_WEIGHT);
    const struct tf_value bias = tf_value(stack, block, TF_UP_BIAS);
    const struct tf_value down = tf_value(stack, block, TF_DOWN_WEIGHT);
    const clnorm_tensor dhidden = tf_at(stack, TF_DHIDDEN, 0);
    const uint64_t tokens = stack->shape.tokens, n = tokens * up.place.rows;
    tf_linear_backward(stack, tf_at(stack, TF_ACTIVE, block), &down, tf_at(stack, TF_DF, 0),
                       TF_REPLACE, dhidden);
    TF_LAUNCH(stack, TF_GELU_GRADIENT, n, EX_TENSOR(tf_at(stack, TF_HIDDEN, block)),
              EX_TENSOR(dhidden), EX_U32(n));
    ex_column_sums(&stack->kernels->train, 0, dhidden, bias.gradient, tokens, up.place.rows);
    tf_linear_backward(stack, y, &up, dhidden, store, dx);
}

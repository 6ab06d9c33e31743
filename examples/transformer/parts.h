/* SPDX-License-Identifier: MIT */
/* The parts of a stack, each of which enqueues what it does and returns. */
#ifndef EXAMPLES_TRANSFORMER_PARTS_H
#define EXAMPLES_TRANSFORMER_PARTS_H

#include "stack.h"

/* Array number i of a memory. */
clnorm_tensor tf_at(const struct tf_stack *stack, enum tf_memory memory, uint64_t i);

/* A parameter and its gradient. */
struct tf_value {
    struct tf_place place;
    clnorm_tensor value, gradient;
};
struct tf_value tf_value(const struct tf_stack *stack, uint64_t block, int parameter);

/* n work-items of one of the stack's kernels. */
#define TF_LAUNCH(stack, which, n, ...)                                                            \
    EX_LAUNCH((stack)->device, 0, (stack)->kernels->kernel[which], n, (stack)->kernels->group,     \
              __VA_ARGS__)

/* Norm i, with the sum before it; from TF_F, and the sublayer's last bias. Backward: from the
 * gradient of its y, which is in TF_DY (Pre-LN) or TF_DF (Post-LN), to TF_DF. */
void tf_norm(struct tf_stack *stack, uint64_t i);
void tf_norm_backward(struct tf_stack *stack, uint64_t i);

/* A product with a weight: y = x w^T. Backward: dw = dy^T x, and dx = dy w, or dx += dy w. */
enum tf_store { TF_REPLACE, TF_ADD };
void tf_linear(const struct tf_stack *stack, clnorm_tensor x, const struct tf_value *w,
               clnorm_tensor y);
void tf_linear_backward(const struct tf_stack *stack, clnorm_tensor x, const struct tf_value *w,
                        clnorm_tensor dy, enum tf_store store, clnorm_tensor dx);
void tf_product(const struct tf_stack *stack, const clnorm_gemm_args *args);

/* Sublayers: from y of the norm before to TF_F, without the last bias; backward from TF_DF to dx.
 */
void tf_attention(struct tf_stack *stack, uint64_t block, clnorm_tensor y);
void tf_attention_backward(struct tf_stack *stack, uint64_t block, clnorm_tensor y,
                           enum tf_store store, clnorm_tensor dx);
void tf_mlp(struct tf_stack *stack, uint64_t block, clnorm_tensor y);
void tf_mlp_backward(struct tf_stack *stack, uint64_t block, clnorm_tensor y, enum tf_store store,
                     clnorm_tensor dx);

#endif

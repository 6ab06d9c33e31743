/* SPDX-License-Identifier: MIT */
/* A stack of transformer blocks, forward and backward, for one sequence:
 *
 *   Pre-LN    s = x;  s += f(norm(s)) for each sublayer;  y = norm(s)     arXiv:2002.04745
 *   Post-LN   y = x;  y = norm(y + f(y)) for each sublayer                arXiv:1706.03762
 *
 * Sublayers are, in turn, multi-head self-attention and an MLP of 4 width GELUs, with biases. f32,
 * eps 1e-5, no mask, no dropout. A norm and the residual sum before it are one call of clnorm, and
 * so are their gradients; all matrix products are clnorm_gemm. */
#ifndef EXAMPLES_TRANSFORMER_STACK_H
#define EXAMPLES_TRANSFORMER_STACK_H

#include "common/train.h"
#include "shape.h"

/* Arrays on the device, and what one of them holds. Sublayer i reads y of norm i; norm i + 1 is
 * behind it. */
enum tf_memory {
    /* of each norm: [tokens, width] and [tokens]; the first norm of Post-LN has only y, the input
     */
    TF_SUM,
    TF_Y,
    TF_MEAN,
    TF_RSTD,
    /* of each block */
    TF_QKV, /* [tokens, 3 width]: q, k, v, each of `heads` heads */
    TF_P, /* [heads, tokens, tokens]: what softmax gives */
    TF_MIXED, /* [tokens, width]: p v of all heads */
    TF_HIDDEN, /* [tokens, 4 width]: what GELU gets */
    TF_ACTIVE, /* and gives */
    /* for all to work with */
    TF_F, /* [tokens, width]: a sublayer's result, without its last bias */
    TF_DF, /* its gradient, and that of what it is added to */
    TF_DY, /* of what a sublayer of Pre-LN got; in Post-LN that is added to TF_DF */
    TF_DQKV,
    TF_DP,
    TF_DMIXED,
    TF_DHIDDEN,
    TF_MEMORIES
};

/* Elements of one array. */
uint64_t tf_elements(const struct tf_shape *shape, enum tf_memory memory);

enum tf_kernel { TF_SOFTMAX, TF_SOFTMAX_GRADIENT, TF_GELU, TF_GELU_GRADIENT, TF_KERNELS };

/* What stacks of any shape share. */
struct tf_kernels {
    struct ex_device *device; /* borrowed */
    struct ex_train train; /* kernels for biases */
    cl_program program;
    cl_kernel kernel[TF_KERNELS];
    size_t group; /* work-items of one */
};

struct tf_stack {
    struct tf_kernels *kernels; /* borrowed */
    struct ex_device *device; /* of the kernels */
    struct tf_shape shape;
    clnorm_op *first, *fused; /* a norm alone; norm(residual + (x + bias)) */
    cl_mem parameters, gradients; /* of tf_parameters elements */
    cl_mem memory[TF_MEMORIES];
};

/* Failures end the program. */
void tf_kernels_open(struct tf_kernels *kernels, struct ex_device *device);
void tf_kernels_close(struct tf_kernels *kernels);

/* Parameters and gradients are zeros at first. */
void tf_open(struct tf_stack *stack, struct tf_kernels *kernels, const struct tf_shape *shape);
void tf_close(struct tf_stack *stack);

/* x, y, dy, dx: [tokens, width] on the host. Backward is of the last forward call; it gives all
 * gradients of parameters, in stack->gradients, too. */
void tf_forward(struct tf_stack *stack, const float *x, float *y);
void tf_backward(struct tf_stack *stack, const float *dy, float *dx);

#endif

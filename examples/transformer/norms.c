/* SPDX-License-Identifier: MIT */
/* Norms with the sums before them. Norm i of Pre-LN comes before sublayer i, the last one behind
 * all; norm i + 1 of Post-LN comes behind sublayer i, and there is no norm 0. */
#include "parts.h"

/* The norm's weight (or 1 more: its bias), counted from TF_NORM1_WEIGHT or TF_LAST_WEIGHT on. */
static struct tf_value parameter_of_norm(const struct tf_stack *stack, uint64_t i, int which)
{
    const uint64_t site = stack->shape.pre ? i : i - 1;
    const int own[] = {TF_NORM1_WEIGHT, TF_NORM2_WEIGHT};
    const int first = site == 2 * stack->shape.depth ? (int)TF_LAST_WEIGHT : own[site % 2];
    return tf_value(stack, site / 2, first + which);
}

/* Of the sublayer before norm i. */
static struct tf_value last_bias(const struct tf_stack *stack, uint64_t i)
{
    const int biases[] = {TF_OUT_BIAS, TF_DOWN_BIAS};
    return tf_value(stack, (i - 1) / 2, biases[(i - 1) % 2]);
}

static clnorm_args with_parameters(const struct tf_stack *stack, uint64_t i)
{
    clnorm_args args = CLNORM_ARGS_INIT;
    args.weight = parameter_of_norm(stack, i, 0).value;
    args.mean = tf_at(stack, TF_MEAN, i);
    args.rstd = tf_at(stack, TF_RSTD, i);
    return args;
}

void tf_norm(struct tf_stack *stack, uint64_t i)
{
    clnorm_error error;
    clnorm_args args = with_parameters(stack, i);
    args.bias = parameter_of_norm(stack, i, 1).value;
    args.y = tf_at(stack, TF_Y, i);
    args.x = i ? tf_at(stack, TF_F, 0) : tf_at(stack, TF_SUM, 0);
    if (i > 0) {
        args.x_bias = last_bias(stack, i).value;
        args.residual = tf_at(stack, stack->shape.pre ? TF_SUM : TF_Y, i - 1);
        args.sum = tf_at(stack, TF_SUM, i);
    }
    ex_must(clnorm_forward(i ? stack->fused : stack->first, stack->device->queue,
                           stack->shape.tokens, &args, 0, NULL, NULL, &error),
            &error);
}

void tf_norm_backward(struct tf_stack *stack, uint64_t i)
{
    const bool pre = stack->shape.pre, last = i == 2 * stack->shape.depth;
    clnorm_error error;
    clnorm_args args = with_parameters(stack, i);
    args.dx = tf_at(stack, TF_DF, 0); /* dresidual would have the same numbers */
    args.dy = pre ? tf_at(stack, TF_DY, 0) : args.dx;
    if (pre && !last)
        args.dsum = args.dx; /* the sum went on to the norms behind */
    args.dweight = parameter_of_norm(stack, i, 0).gradient;
    args.dbias = parameter_of_norm(stack, i, 1).gradient;
    if (i > 0) {
        args.dx_bias = last_bias(stack, i).gradient;
        args.sum = tf_at(stack, TF_SUM, i); /* in the place of x, x_bias and residual */
    } else {
        args.x = tf_at(stack, TF_SUM, 0);
    }
    ex_must(clnorm_backward(i ? stack->fused : stack->first, stack->device->queue,
                            stack->shape.tokens, &args, 0, NULL, NULL, &error),
            &error);
}

/* SPDX-License-Identifier: MIT */
#include "parts.h"
#include "common/progress.h"

#include <inttypes.h>

extern const char ex_blocks_cl[];

/* ---- places ---- */

uint64_t tf_elements(const struct tf_shape *shape, enum tf_memory memory)
{
    const uint64_t row = shape->width;
    const uint64_t of_token[TF_MEMORIES] = {
        [TF_SUM] = row,        [TF_Y] = row,
        [TF_MEAN] = 1,         [TF_RSTD] = 1,
        [TF_QKV] = 3 * row,    [TF_P] = shape->heads * shape->tokens,
        [TF_MIXED] = row,      [TF_HIDDEN] = 4 * row,
        [TF_ACTIVE] = 4 * row, [TF_F] = row,
        [TF_DF] = row,         [TF_DY] = row,
        [TF_DQKV] = 3 * row,   [TF_DP] = shape->heads * shape->tokens,
        [TF_DMIXED] = row,     [TF_DHIDDEN] = 4 * row,
    };
    return shape->tokens * of_token[memory];
}

static uint64_t arrays_of(const struct tf_shape *shape, enum tf_memory memory)
{
    return memory < TF_QKV ? 2 * shape->depth + 1 : memory < TF_F ? shape->depth : 1;
}

clnorm_tensor tf_at(const struct tf_stack *stack, enum tf_memory memory, uint64_t i)
{
    return ex_tensor(stack->memory[memory], i * tf_elements(&stack->shape, memory));
}

struct tf_value tf_value(const struct tf_stack *stack, uint64_t block, int parameter)
{
    const struct tf_place place = tf_place(&stack->shape, block, parameter);
    return (struct tf_value){place, ex_tensor(stack->parameters, place.offset),
                             ex_tensor(stack->gradients, place.offset)};
}

/* ---- what a stack is made of ---- */

void tf_kernels_open(struct tf_kernels *kernels, struct ex_device *device)
{
    static const char *const names[TF_KERNELS] = {"softmax", "softmax_gradient", "gelu",
                                                  "gelu_gradient"};
    const size_t most = clnorm_context_device(device->context)->max_work_group;
    *kernels = (struct tf_kernels){.device = device, .group = most < 64 ? most : 64};
    ex_train_open(&kernels->train, device);
    kernels->program = ex_program(device, "blocks.cl", ex_blocks_cl, "");
    for (int k = 0; k < TF_KERNELS; k++)
        kernels->kernel[k] = ex_kernel(kernels->program, names[k]);
}

void tf_kernels_close(struct tf_kernels *kernels)
{
    for (int k = 0; k < TF_KERNELS; k++)
        clReleaseKernel(kernels->kernel[k]);
    clReleaseProgram(kernels->program);
    ex_train_close(&kernels->train);
}

static void open_norms(struct tf_stack *stack)
{
    clnorm_error error;
    clnorm_desc desc = CLNORM_DESC_INIT; /* eps 1e-5 */
    desc.cols = stack->shape.width;
    ex_must(clnorm_op_create_lazy(stack->device->context, &desc, &stack->first, &error), &error);
    desc.inputs = CLNORM_WITH_RESIDUAL | CLNORM_WITH_X_BIAS;
    ex_must(clnorm_op_create(stack->device->context, &desc, &stack->fused, &error), &error);
}

static cl_mem array_of(struct ex_device *device, uint64_t elements)
{
    if (elements > UINT32_MAX) /* kernels count so far */
        ex_die(EX_USAGE, "an array of %" PRIu64 " numbers is needed; at most 2^32 - 1 are allowed",
               elements);
    return ex_buffer(device, elements * sizeof(float), NULL);
}

void tf_open(struct tf_stack *stack, struct tf_kernels *kernels, const struct tf_shape *shape)
{
    struct ex_device *device = kernels->device;
    *stack = (struct tf_stack){.kernels = kernels, .device = device, .shape = *shape};
    open_norms(stack);
    stack->parameters = array_of(device, tf_parameters(shape));
    stack->gradients = array_of(device, tf_parameters(shape));
    for (int m = 0; m < TF_MEMORIES; m++)
        stack->memory[m] = array_of(device, arrays_of(shape, m) * tf_elements(shape, m));
}

void tf_close(struct tf_stack *stack)
{
    for (int m = 0; m < TF_MEMORIES; m++)
        clReleaseMemObject(stack->memory[m]);
    clReleaseMemObject(stack->gradients);
    clReleaseMemObject(stack->parameters);
    clnorm_op_destroy(stack->fused);
    clnorm_op_destroy(stack->first);
}

/* ---- both ways ---- */

static size_t bytes_of_rows(const struct tf_stack *stack)
{
    return tf_elements(&stack->shape, TF_Y) * sizeof(float);
}

void tf_forward(struct tf_stack *stack, const float *x, float *y)
{
    const uint64_t sublayers = 2 * stack->shape.depth;
    const bool pre = stack->shape.pre;
    ex_progress_note("forwards; the first products are compiled ...");
    ex_write(stack->device, stack->memory[pre ? TF_SUM : TF_Y], 0, bytes_of_rows(stack), x);
    if (pre)
        tf_norm(stack, 0);
    for (uint64_t i = 0; i < sublayers; i++) {
        (i % 2 ? tf_mlp : tf_attention)(stack, i / 2, tf_at(stack, TF_Y, i));
        tf_norm(stack, i + 1);
    }
    const clnorm_tensor last = tf_at(stack, TF_Y, sublayers);
    ex_read(stack->device, last.buffer, last.offset * sizeof(float), bytes_of_rows(stack), y);
    ex_progress_note(NULL);
}

void tf_backward(struct tf_stack *stack, const float *dy, float *dx)
{
    const bool pre = stack->shape.pre;
    const enum tf_memory gradient_of_y = pre ? TF_DY : TF_DF;
    const clnorm_tensor back = tf_at(stack, gradient_of_y, 0);
    ex_progress_note("backwards; the first products are compiled ...");
    ex_write(stack->device, back.buffer, 0, bytes_of_rows(stack), dy);
    for (uint64_t i = 2 * stack->shape.depth; i-- > 0;) {
        tf_norm_backward(stack, i + 1);
        (i % 2 ? tf_mlp_backward : tf_attention_backward)(stack, i / 2, tf_at(stack, TF_Y, i),
                                                          pre ? TF_REPLACE : TF_ADD, back);
    }
    if (pre)
        tf_norm_backward(stack, 0);
    ex_read(stack->device, stack->memory[TF_DF], 0, bytes_of_rows(stack), dx);
    ex_progress_note(NULL);
}

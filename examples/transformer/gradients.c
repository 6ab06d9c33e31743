/* SPDX-License-Identifier: MIT */
#include "gradients.h"
#include "common/random.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static const int weights[] = {TF_QKV_WEIGHT, TF_OUT_WEIGHT, TF_UP_WEIGHT, TF_DOWN_WEIGHT};
enum { WEIGHTS = sizeof(weights) / sizeof(weights[0]) };

/* ---- a new stack ---- */

/* Streams of random numbers: those of a weight do not depend on the depth. */
enum { STREAM_OF_X, STREAM_OF_DY, STREAM_OF_BLOCKS };

static void fill_random(float *to, size_t n, double variance, uint64_t seed, uint64_t stream)
{
    ex_fill_uniform(to, n, sqrt(3 * variance), seed, stream);
}

/* Xavier's rule for a matrix (q, k and v are one each), else 1 for weights of norms. */
static void fill_parameter(float *all, const struct tf_shape *shape, uint64_t block, int parameter,
                           uint64_t seed)
{
    const struct tf_place place = tf_place(shape, block, parameter);
    const uint64_t outputs = place.rows / (parameter == TF_QKV_WEIGHT ? 3 : 1);
    const bool last = block == shape->depth;
    if (place.rows > 1)
        fill_random(all + place.offset, place.rows * place.cols, 2 / (double)(outputs + place.cols),
                    seed, STREAM_OF_BLOCKS + block * TF_PER_BLOCK + (uint64_t)parameter);
    else if (last ? parameter == TF_LAST_WEIGHT
                  : parameter == TF_NORM1_WEIGHT || parameter == TF_NORM2_WEIGHT)
        for (uint64_t i = 0; i < place.cols; i++)
            all[place.offset + i] = 1;
}

static void fill_parameters(struct tf_stack *stack, float *all, uint64_t seed)
{
    for (uint64_t block = 0; block <= stack->shape.depth; block++)
        for (int p = 0; p < tf_count(&stack->shape, block); p++)
            fill_parameter(all, &stack->shape, block, p, seed);
    ex_write(stack->device, stack->parameters, 0, tf_parameters(&stack->shape) * sizeof(float),
             all);
}

/* ---- its gradients ---- */

static void run(struct tf_stack *stack, uint64_t seed, float *gradients)
{
    const size_t rows = tf_elements(&stack->shape, TF_Y), all = tf_parameters(&stack->shape);
    float *x = ex_alloc(rows, sizeof(float)), *y = ex_alloc(rows, sizeof(float));
    fill_parameters(stack, gradients, seed);
    fill_random(x, rows, 1, seed, STREAM_OF_X);
    tf_forward(stack, x, y);
    fill_random(x, rows, 1 / ((double)stack->shape.tokens * (double)stack->shape.tokens), seed,
                STREAM_OF_DY);
    tf_backward(stack, x, y);
    ex_read(stack->device, stack->gradients, 0, all * sizeof(float), gradients);
    free(x);
    free(y);
}

static double norm_of(const float *gradients, const struct tf_shape *shape, uint64_t block,
                      int parameter)
{
    const struct tf_place place = tf_place(shape, block, parameter);
    double squares = 0;
    for (uint64_t i = 0; i < place.rows * place.cols; i++)
        squares += (double)gradients[place.offset + i] * gradients[place.offset + i];
    if (!isfinite(squares))
        ex_die(EX_WRONG, "the gradient of %s in block %" PRIu64 " is not finite",
               tf_name_in_block(parameter), block);
    return sqrt(squares);
}

static json_t *norms_by_block(const float *gradients, const struct tf_shape *shape)
{
    json_t *all = json_object();
    for (int i = 0; i < WEIGHTS; i++) {
        json_t *blocks = json_array();
        for (uint64_t block = 0; block < shape->depth; block++)
            json_array_append_new(blocks, json_real(norm_of(gradients, shape, block, weights[i])));
        json_object_set_new(all, tf_name_in_block(weights[i]), blocks);
    }
    return all;
}

json_t *tf_gradient_norms(struct tf_kernels *kernels, const struct tf_shape *shape, uint64_t seed)
{
    struct tf_stack stack;
    tf_open(&stack, kernels, shape);
    float *gradients = ex_alloc(tf_parameters(shape), sizeof(float));
    run(&stack, seed, gradients);
    tf_close(&stack);
    json_t *result =
        json_pack("{s:s, s:I, s:o}", "norm", shape->pre ? "pre" : "post", "depth",
                  (json_int_t)shape->depth, "gradients", norms_by_block(gradients, shape));
    free(gradients);
    return result;
}

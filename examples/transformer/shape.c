/* SPDX-License-Identifier: MIT */
#include "shape.h"

#include <inttypes.h>
#include <stdio.h>

/* rows and cols: multiples of the width; 0 rows: a vector */
static const struct {
    const char *name;
    unsigned rows, cols;
} parameters[TF_PER_BLOCK] = {
    [TF_QKV_WEIGHT] = {"self_attn.in_proj_weight", 3, 1},
    [TF_QKV_BIAS] = {"self_attn.in_proj_bias", 0, 3},
    [TF_OUT_WEIGHT] = {"self_attn.out_proj.weight", 1, 1},
    [TF_OUT_BIAS] = {"self_attn.out_proj.bias", 0, 1},
    [TF_UP_WEIGHT] = {"linear1.weight", 4, 1},
    [TF_UP_BIAS] = {"linear1.bias", 0, 4},
    [TF_DOWN_WEIGHT] = {"linear2.weight", 1, 4},
    [TF_DOWN_BIAS] = {"linear2.bias", 0, 1},
    [TF_NORM1_WEIGHT] = {"norm1.weight", 0, 1},
    [TF_NORM1_BIAS] = {"norm1.bias", 0, 1},
    [TF_NORM2_WEIGHT] = {"norm2.weight", 0, 1},
    [TF_NORM2_BIAS] = {"norm2.bias", 0, 1},
};
static const char *const last_names[TF_LAST] = {"norm.weight", "norm.bias"};

static uint64_t size_of(const struct tf_place *place) { return place->rows * place->cols; }

static struct tf_place in_block(uint64_t width, int parameter)
{
    struct tf_place place = {0};
    for (int i = 0; i <= parameter; i++) {
        place.offset += size_of(&place);
        place.rows = parameters[i].rows ? parameters[i].rows * width : 1;
        place.cols = parameters[i].cols * width;
    }
    return place;
}

static uint64_t block_size(uint64_t width)
{
    const struct tf_place last = in_block(width, TF_PER_BLOCK - 1);
    return last.offset + size_of(&last);
}

int tf_count(const struct tf_shape *shape, uint64_t block)
{
    return block < shape->depth ? (int)TF_PER_BLOCK : shape->pre ? (int)TF_LAST : 0;
}

struct tf_place tf_place(const struct tf_shape *shape, uint64_t block, int parameter)
{
    const uint64_t begin = block * block_size(shape->width);
    if (block == shape->depth)
        return (struct tf_place){begin + (uint64_t)parameter * shape->width, 1, shape->width};
    struct tf_place place = in_block(shape->width, parameter);
    place.offset += begin;
    return place;
}

uint64_t tf_parameters(const struct tf_shape *shape)
{
    return shape->depth * block_size(shape->width) + TF_LAST * shape->width;
}

void tf_name(const struct tf_shape *shape, uint64_t block, int parameter, char name[TF_NAME_BYTES])
{
    if (block == shape->depth)
        snprintf(name, TF_NAME_BYTES, "%s", last_names[parameter]);
    else
        snprintf(name, TF_NAME_BYTES, "layers.%" PRIu64 ".%s", block, parameters[parameter].name);
}

const char *tf_name_in_block(int parameter) { return parameters[parameter].name; }

/* SPDX-License-Identifier: MIT */
/* Sizes of a stack of transformer blocks, and its parameters. */
#ifndef EXAMPLES_TRANSFORMER_SHAPE_H
#define EXAMPLES_TRANSFORMER_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tf_shape {
    bool pre; /* Pre-LN, else Post-LN */
    uint64_t tokens, width, heads, depth; /* heads divides width */
};

/* Those of a block, and of the norm behind all blocks of Pre-LN. Weights of products are
 * [out, in], as in PyTorch. */
enum tf_parameter {
    TF_QKV_WEIGHT, /* [3 width, width]: what projects to q, k and v */
    TF_QKV_BIAS,
    TF_OUT_WEIGHT, /* [width, width] */
    TF_OUT_BIAS,
    TF_UP_WEIGHT, /* [4 width, width] */
    TF_UP_BIAS,
    TF_DOWN_WEIGHT, /* [width, 4 width] */
    TF_DOWN_BIAS,
    TF_NORM1_WEIGHT,
    TF_NORM1_BIAS,
    TF_NORM2_WEIGHT,
    TF_NORM2_BIAS,
    TF_PER_BLOCK,
    TF_LAST_WEIGHT = 0, /* of the block `depth` */
    TF_LAST_BIAS,
    TF_LAST
};

struct tf_place {
    uint64_t offset, rows, cols; /* elements; a vector has one row */
};

/* Those of `block`, from 0 to depth. */
int tf_count(const struct tf_shape *shape, uint64_t block);
/* Where a parameter is in an array of all. */
struct tf_place tf_place(const struct tf_shape *shape, uint64_t block, int parameter);
/* Elements of that array. */
uint64_t tf_parameters(const struct tf_shape *shape);

/* The name that torch.nn.TransformerEncoder gives it, and what is behind "layers.0." in it. */
enum { TF_NAME_BYTES = 64 };
void tf_name(const struct tf_shape *shape, uint64_t block, int parameter, char name[TF_NAME_BYTES]);
const char *tf_name_in_block(int parameter);

#endif

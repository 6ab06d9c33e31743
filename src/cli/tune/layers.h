/* SPDX-License-Identifier: MIT */
/* The products that clnorm tune --gemm is asked for: those of linear layers in training. */
#ifndef CLNORM_CLI_TUNE_LAYERS_H
#define CLNORM_CLI_TUNE_LAYERS_H

#include "check/gemm_time.h"
#include "cli/cli.h"

enum { PRODUCTS_OF_LAYER = 3, MOST_LAYERS = 16, MOST_PRODUCTS = MOST_LAYERS * PRODUCTS_OF_LAYER };
/* Products of a layer: outputs, the gradient of its inputs, that of its weights. */

struct layer {
    uint64_t batch, inputs, outputs;
};

struct layers {
    struct layer of[MOST_LAYERS];
    size_t n;
};

/* "128x784x1000,4x784x1000": batch, inputs, outputs. */
bool layers_parse(const char *text, struct layers *layers, clnorm_error *error);
enum { LAYERS_TEXT = MOST_LAYERS * 64 };
void layers_text(const struct layers *layers, char text[LAYERS_TEXT]);
/* Product i of 3 n, layer by layer. */
clnorm_gemm_case layers_product(const struct layers *layers, size_t i);

#endif

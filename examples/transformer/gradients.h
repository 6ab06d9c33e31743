/* SPDX-License-Identifier: MIT */
/* The size of gradients in a new stack. */
#ifndef EXAMPLES_TRANSFORMER_GRADIENTS_H
#define EXAMPLES_TRANSFORMER_GRADIENTS_H

#include "stack.h"

#include <jansson.h>

/* Weights by Xavier's rule, norms 1 and 0, other biases 0; x and dy are random, of variance 1, dy
 * divided by the tokens: the gradient of a mean over tokens. Gives
 *
 *   {"norm": "pre", "depth": N, "gradients": {NAME: [of block 0, of block 1, ...], ...}}
 *
 * with the Frobenius norms of the gradients of weights of products. */
json_t *tf_gradient_norms(struct tf_kernels *kernels, const struct tf_shape *shape, uint64_t seed);

#endif

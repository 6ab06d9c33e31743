/* SPDX-License-Identifier: MIT */
/* What PyTorch computed of a stack: a file that tests/peers/transformer.py wrote. One that is not
 * as that ends the program. */
#ifndef EXAMPLES_TRANSFORMER_FIXTURE_H
#define EXAMPLES_TRANSFORMER_FIXTURE_H

#include "shape.h"

#include <jansson.h>

struct tf_fixture {
    const char *path; /* borrowed */
    json_t *root;
    struct tf_shape shape; /* of Pre-LN; Post-LN has the same sizes */
    float *x, *dy, *parameters;
};

void tf_fixture_open(struct tf_fixture *fixture, const char *path);
void tf_fixture_close(struct tf_fixture *fixture);

/* Arrays of numbers: values in double, and by how much a device may be off. */
struct tf_expected {
    const json_t *values, *bounds;
};
/* Of "y", "dx" or the gradient of a parameter, of n elements. */
struct tf_expected tf_expected(const struct tf_fixture *fixture, bool pre, const char *name,
                               size_t n);

#endif

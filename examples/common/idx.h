/* SPDX-License-Identifier: MIT */
/* The idx format of the MNIST data sets: http://yann.lecun.com/exdb/mnist. */
#ifndef EXAMPLES_COMMON_IDX_H
#define EXAMPLES_COMMON_IDX_H

#include <stddef.h>
#include <stdint.h>

struct ex_idx {
    unsigned rank;
    size_t dims[3];
    uint8_t *data; /* released with free */
};

/* DIRECTORY/NAME or DIRECTORY/NAME.gz, whichever is there: uint8 elements of `rank` dimensions, 1
 * to 3. The program ends where it is neither, damaged, or has another shape. */
void ex_idx_read(struct ex_idx *idx, const char *directory, const char *name, unsigned rank);

#endif

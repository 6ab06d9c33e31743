/* SPDX-License-Identifier: MIT */
/* The idx format of the MNIST data sets: http://yann.lecun.com/exdb/mnist. */
#ifndef CLNORM_CLI_FILES_IDX_H
#define CLNORM_CLI_FILES_IDX_H

#include "cli/files/array.h"
#include "cli/files/mapping.h"

struct idx_array {
    clnorm_dtype dtype;
    struct shape shape;
    struct mapping data; /* released by the caller */
};

/* Does a file begin like an idx file, or like a gzip file, which may hold one? */
bool idx_is(const void *file, uint64_t bytes);

/* Reads an idx file, plain or gzip, from the beginning of `fd`. uint8 becomes float32 0 .. 255. */
bool idx_read(const char *name, int fd, struct idx_array *array, clnorm_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* NumPy's .npy format, versions 1 to 3: numpy.lib.format. */
#ifndef CLNORM_CLI_FILES_NPY_H
#define CLNORM_CLI_FILES_NPY_H

#include "cli/files/array.h"

/* The last two are only written. */
enum npy_type { NPY_F32 = 0, NPY_F16, NPY_F64, NPY_U16, NPY_U8, NPY_I8, NPY_I32 };

struct npy_array {
    enum npy_type type;
    struct shape shape;
    uint64_t offset, bytes; /* of the data in the file */
};

/* "<f4" and so on. */
const char *npy_type_name(enum npy_type type);
size_t npy_type_bytes(enum npy_type type);

/* Does the file begin with the six bytes that all .npy files begin with? */
bool npy_is(const void *file, uint64_t bytes);

/* Reads the header of a file of `bytes` bytes in memory. Refused, with `name` in the text: what is
 * malformed, too short or too long for its shape, not in C order, not little-endian, or of another
 * type. */
bool npy_parse(const char *name, const void *file, uint64_t bytes, struct npy_array *array,
               clnorm_error *error);

enum { NPY_HEADER_MAX = 2048 };
/* Writes the header of such an array (version 1.0) and returns its bytes, a multiple of 64. */
size_t npy_header(char header[NPY_HEADER_MAX], enum npy_type type, const struct shape *shape);

#endif

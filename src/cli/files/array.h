/* SPDX-License-Identifier: MIT */
/* What a file says about the array in it. */
#ifndef CLNORM_CLI_FILES_ARRAY_H
#define CLNORM_CLI_FILES_ARRAY_H

#include "clnorm/clnorm.h"

#include <stdbool.h>

enum { MAX_RANK = 64 }; /* NumPy's limit, from 2.0 on */

struct shape {
    unsigned rank;
    uint64_t dims[MAX_RANK];
};

/* Product of dims[first] .. dims[last - 1]; 1 if there is none. */
static inline uint64_t shape_count(const struct shape *shape, unsigned first, unsigned last)
{
    uint64_t count = 1;
    for (unsigned i = first; i < last; i++)
        count *= shape->dims[i];
    return count;
}

/* false if the bytes of such an array (0 in a dimension taken as 1, so that every partial product
 * is safe too) do not fit into memory addresses. */
static inline bool shape_fits(const struct shape *shape, size_t element_bytes)
{
    uint64_t bytes = element_bytes;
    for (unsigned i = 0; i < shape->rank; i++) {
        if (shape->dims[i] > 1 && bytes > PTRDIFF_MAX / shape->dims[i])
            return false;
        if (shape->dims[i] > 1)
            bytes *= shape->dims[i];
    }
    return true;
}

/* uint8 files are normalized as float32 0 .. 255. */
static inline void u8_to_f32(const unsigned char *in, void *out, size_t n)
{
    float *to = out;
    for (size_t i = 0; i < n; i++)
        to[i] = in[i];
}

enum { SHAPE_TEXT = 256 };
/* "(60000, 28, 28)", cut if it is long. */
void shape_text(const struct shape *shape, char text[SHAPE_TEXT]);

#endif

/* SPDX-License-Identifier: MIT */
/* An array in a .npy or idx file; which of them, its first bytes say. */
#ifndef CLNORM_CLI_FILES_INPUT_FILE_H
#define CLNORM_CLI_FILES_INPUT_FILE_H

#include "cli/files/array.h"
#include "cli/files/mapping.h"

struct input_file {
    const char *path; /* borrowed */
    clnorm_dtype dtype;
    struct shape shape;
    const void *data; /* in C order, aligned as its elements; a valid pointer also when empty */
    uint64_t bytes; /* of data */
    struct mapping mapping;
    uint64_t offset; /* of data in the mapping */
    bool is_mapped_file; /* false: the mapping is memory of its own */
};

/* A .npy file of a type that the library has is mapped, never read as a whole, so it may be larger
 * than memory. uint8 becomes float32 in memory; uint16 is refused unless `u16_is_bf16`. */
bool input_file_open(struct input_file *input, const char *path, bool u16_is_bf16,
                     clnorm_error *error);
/* Bytes 0 .. done - 1 of data are not needed for now: their pages leave this process. */
void input_file_drop(const struct input_file *input, uint64_t done);
void input_file_close(struct input_file *input);

#endif

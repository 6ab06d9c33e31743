/* SPDX-License-Identifier: MIT */
/* A .npy file that appears whole or not at all: written under another name in the same directory,
 * and renamed when it is complete. */
#ifndef CLNORM_CLI_FILES_OUTPUT_FILE_H
#define CLNORM_CLI_FILES_OUTPUT_FILE_H

#include "cli/files/mapping.h"
#include "cli/files/npy.h"

struct output_file {
    const char *path; /* borrowed; NULL: none */
    char *target; /* the true path, without links */
    char *temporary; /* NULL once it is in its place */
    int fd;
    struct mapping mapping;
    uint64_t offset;
    void *data; /* zeroes at first; a valid pointer also when empty */
};

/* Makes the temporary file in its full size, so that a full disk is found here. A path that is a
 * directory or that may not be written is refused. */
bool output_file_create(struct output_file *output, const char *path, enum npy_type type,
                        const struct shape *shape, clnorm_error *error);
/* Bytes 0 .. done - 1 of data are written: their pages leave this process. */
void output_file_drop(const struct output_file *output, uint64_t done);
/* Brings the data to the disk; then puts the file in its place. */
bool output_file_sync(struct output_file *output, clnorm_error *error);
bool output_file_publish(struct output_file *output, clnorm_error *error);
/* Removes the temporary file, if it is still there, and frees what the struct holds. */
void output_file_close(struct output_file *output);

/* Refuses an output that would replace the file at `input`, by whatever name. An input that is not
 * there is none. */
bool output_file_spares(const struct output_file *output, const char *input, clnorm_error *error);
/* Whether a file may be written there: one is made beside it, and removed. Refused is one of the
 * inputs, too; NULL among them is none. */
bool output_file_allowed(const char *path, const char *const *inputs, size_t n,
                         clnorm_error *error);
/* A file of any kind with these bytes; it appears whole or not at all, too. */
bool output_file_write(const char *path, const char *text, size_t bytes, clnorm_error *error);

/* Would publishing replace another output's file? */
bool output_file_same(const struct output_file *a, const struct output_file *b);

#endif

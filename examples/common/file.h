/* SPDX-License-Identifier: MIT */
/* Files that are there as a whole or not at all: results and checkpoints. */
#ifndef EXAMPLES_COMMON_FILE_H
#define EXAMPLES_COMMON_FILE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct ex_device;

/* A piece of a file; its name counts in checkpoints only. */
struct ex_part {
    const char *name; /* at most 31 bytes */
    const void *data;
    size_t bytes;
};

/* The parts one after the other in a file beside `path`, which then takes its place. */
void ex_file_write(const char *path, const struct ex_part *parts, size_t n);
/* Ends the program now if a file could not be written there later; "-" can. */
void ex_file_check(const char *path);
/* All of a file, to be freed, with a 0 behind it. */
char *ex_file_read(const char *path, size_t *bytes);

/* `root`, which is released, indented; path "-": to stdout. */
void ex_json_write(const char *path, json_t *root);
/* {"name", "vendor", "driver", "platform", "version", "clnorm"} */
json_t *ex_json_device(const struct ex_device *device);

/* CRC-32 of `bytes` bytes that follow those of which `crc` is; of none it is 0. data: not NULL. */
uint64_t ex_checksum(uint64_t crc, const void *data, size_t bytes);

/* ---- checkpoints: named arrays with a checksum ---- */

/* kind: of 1 to 31 bytes, what wrote it: "mnist 2". */
void ex_checkpoint_write(const char *path, const char *kind, const struct ex_part *parts, size_t n);

struct ex_checkpoint {
    const char *path;
    char *file;
    size_t bytes;
};
/* Of the same kind and undamaged, else the program ends. `path` is borrowed. */
void ex_checkpoint_open(struct ex_checkpoint *checkpoint, const char *path, const char *kind);
/* An array, which lives until the checkpoint is closed, aligned to 8 bytes. *bytes: those it must
 * have; 0: any number, which is put there. */
const void *ex_checkpoint_part(const struct ex_checkpoint *checkpoint, const char *name,
                               size_t *bytes);
void ex_checkpoint_close(struct ex_checkpoint *checkpoint);

#endif

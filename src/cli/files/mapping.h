/* SPDX-License-Identifier: MIT */
/* Memory in whole pages, of its own or of a file. */
#ifndef CLNORM_CLI_FILES_MAPPING_H
#define CLNORM_CLI_FILES_MAPPING_H

#include "clnorm/clnorm.h"

#include <stdbool.h>

struct mapping {
    void *base; /* NULL: none */
    size_t bytes;
};

/* Zeroes; of 0 bytes a page is mapped all the same, so that base is a valid pointer. */
bool mapping_anonymous(struct mapping *mapping, uint64_t bytes, clnorm_error *error);
/* Bytes 0 .. bytes - 1 of a file, bytes > 0. A writable mapping is shared with the file. errno says
 * why not. */
bool mapping_file(struct mapping *mapping, int fd, uint64_t bytes, bool is_writable);
/* The pages that lie wholly inside of bytes first .. last - 1 leave this process; those of a file
 * stay in the system's cache. Only for mappings of files: others would lose their contents. */
void mapping_drop(const struct mapping *mapping, uint64_t first, uint64_t last);
void mapping_release(struct mapping *mapping);

#endif

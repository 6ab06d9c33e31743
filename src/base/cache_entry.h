/* SPDX-License-Identifier: MIT */
/* Entries of the cache, read and written by any number of processes at once: a file is there whole
 * or not at all. */
#ifndef CLNORM_BASE_CACHE_ENTRY_H
#define CLNORM_BASE_CACHE_ENTRY_H

#include "base/cache_dir.h"

typedef enum clnorm_cache_found {
    CLNORM_CACHE_ABSENT,
    CLNORM_CACHE_GOOD,
    CLNORM_CACHE_BAD /* may be removed */
} clnorm_cache_found;

typedef struct clnorm_cache_blob {
    unsigned char *file; /* freed by the caller if the entry is good */
    clnorm_cache_content content; /* points into it */
    const char *problem; /* of one that is bad: what follows its name */
} clnorm_cache_blob;

/* Everything is verified. key: what the entry must be of, or NULL: any. */
clnorm_cache_found clnorm_cache_read(const clnorm_cache_dir *dir, const char *name,
                                     const clnorm_cache_key *key, clnorm_cache_blob *blob);
/* Its time becomes now. */
void clnorm_cache_touch(const clnorm_cache_dir *dir, const char *name);
bool clnorm_cache_has(const clnorm_cache_dir *dir, const char *name);

/* Puts an entry in its place, or leaves what was there. False with a text. */
bool clnorm_cache_write(const clnorm_cache_dir *dir, const clnorm_cache_key *key,
                        const clnorm_cache_content *content, clnorm_error *error);
bool clnorm_cache_remove(const clnorm_cache_dir *dir, const char *name);

/* A new, empty file that only this user may read and write: its descriptor, or -1 with errno. */
int clnorm_cache_temporary(const clnorm_cache_dir *dir, char name[CLNORM_CACHE_NAME]);

#endif

/* SPDX-License-Identifier: MIT */
/* The directory of the cache. What is in it is given to drivers, which run it: so it is this
 * user's, and nobody else may write there. */
#ifndef CLNORM_BASE_CACHE_DIR_H
#define CLNORM_BASE_CACHE_DIR_H

#include "base/cache_file.h"
#include "base/status.h"

#include <stdbool.h>
#include <time.h>

typedef struct clnorm_cache_dir {
    char *path;
    int fd; /* -1: there is no such directory */
} clnorm_cache_dir;

/* What a file is, its name says:
 *
 *   KEY                         an entry
 *   KEY.PROCESS-TIME.loading    a driver is being given it: see cache_guard.h
 *   KEY.quarantined             a process died of it
 *   PROCESS-TIME.tmp            not complete */
typedef enum clnorm_cache_kind {
    CLNORM_CACHE_ENTRY,
    CLNORM_CACHE_LOADING,
    CLNORM_CACHE_QUARANTINED,
    CLNORM_CACHE_TEMPORARY,
    CLNORM_CACHE_FOREIGN /* not the cache's */
} clnorm_cache_kind;

enum { CLNORM_CACHE_NAME = 160, CLNORM_CACHE_KEY_TEXT = 2 * CLNORM_SHA256_BYTES };

typedef struct clnorm_cache_item {
    char name[CLNORM_CACHE_NAME];
    clnorm_cache_kind kind;
    uint64_t bytes;
    time_t time; /* of its last use */
} clnorm_cache_item;

/* directory: NULL is $XDG_CACHE_HOME/clnorm, or ~/.cache/clnorm (macOS: ~/Library/Caches/clnorm),
 * never a place that users share, and none where a process has more rights than its user. A missing
 * directory is made if `make` is set, else it opens as an empty one.
 * False with a text if the directory cannot be used, or not be trusted. */
bool clnorm_cache_open(clnorm_cache_dir *dir, const char *directory, bool make,
                       clnorm_error *error);
void clnorm_cache_close(clnorm_cache_dir *dir);

/* All files but foreign ones, in no order; the caller frees *items. False without memory or right.
 */
bool clnorm_cache_list(const clnorm_cache_dir *dir, clnorm_cache_item **items, size_t *count);

/* The name of a key's entry, with `suffix` after it. */
void clnorm_cache_name(const clnorm_cache_key *key, const char *suffix,
                       char name[CLNORM_CACHE_NAME]);

#endif

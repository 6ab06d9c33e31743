/* SPDX-License-Identifier: MIT */
/* The cache as a whole: what it has, what it may keep. */
#ifndef CLNORM_BASE_CACHE_UPKEEP_H
#define CLNORM_BASE_CACHE_UPKEEP_H

#include "base/cache_entry.h"

#define CLNORM_CACHE_DEFAULT_BYTES ((uint64_t)256 << 20)

/* Entries with one label. */
typedef struct clnorm_cache_group {
    char label[CLNORM_CACHE_LABEL + 1];
    size_t entries;
    uint64_t bytes;
} clnorm_cache_group;

typedef struct clnorm_cache_stat {
    clnorm_cache_group *groups; /* in the order of their labels; freed by the caller */
    size_t n_groups;
    size_t entries, damaged, quarantined;
    uint64_t bytes; /* of all files */
} clnorm_cache_stat;

/* Reads every entry. False without memory or right. */
bool clnorm_cache_count(const clnorm_cache_dir *dir, clnorm_cache_stat *stat);

/* Removes what the cache has put there, and nothing else. False if something is left. */
bool clnorm_cache_clear(const clnorm_cache_dir *dir, size_t *entries, uint64_t *bytes);

/* Removes what dead processes left, then entries that were not used for the longest time, until at
 * most max_bytes are there. */
void clnorm_cache_trim(const clnorm_cache_dir *dir, uint64_t max_bytes);

#endif

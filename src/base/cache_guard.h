/* SPDX-License-Identifier: MIT */
/* Drivers may die of what they are given. A file marks an entry for as long as a driver is at it;
 * the process holds a lock on that file, which ends with the process. So a marker without a lock
 * was left by a process that died, and its entry is not tried again for a day. */
#ifndef CLNORM_BASE_CACHE_GUARD_H
#define CLNORM_BASE_CACHE_GUARD_H

#include "base/cache_entry.h"

enum { CLNORM_CACHE_QUARANTINE_SECONDS = 24 * 3600 };

typedef struct clnorm_cache_guard {
    int fd; /* -1: no marker, where the directory cannot be written */
    char name[CLNORM_CACHE_NAME];
} clnorm_cache_guard;

/* False if the entry must not be used; a process that died of it has cost it its place. */
bool clnorm_cache_guard_begin(const clnorm_cache_dir *dir, const clnorm_cache_key *key,
                              clnorm_cache_guard *guard);
void clnorm_cache_guard_end(const clnorm_cache_dir *dir, clnorm_cache_guard *guard);

bool clnorm_cache_is_quarantined(const clnorm_cache_dir *dir, const clnorm_cache_key *key);

#endif

/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* flock */
#define _XOPEN_SOURCE 700
#include "base/cache_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST_LOAD_SECONDS = 600 };

static const char quarantined[] = ".quarantined";

bool clnorm_cache_is_quarantined(const clnorm_cache_dir *dir, const clnorm_cache_key *key)
{
    char name[CLNORM_CACHE_NAME];
    struct stat info;
    clnorm_cache_name(key, quarantined, name);
    return fstatat(dir->fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           time(NULL) - info.st_mtime < CLNORM_CACHE_QUARANTINE_SECONDS;
}

/* A marker whose lock is to be had, and that no other process has dealt with in the meantime. Where
 * a file system has no locks, age must tell. */
static bool was_left(int fd, const clnorm_cache_item *marker)
{
    struct stat info;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno != EWOULDBLOCK && time(NULL) - marker->time > LONGEST_LOAD_SECONDS;
    return fstat(fd, &info) == 0 && info.st_nlink > 0;
}

/* The entry goes first: while others wait for the lock they may not find it. */
static bool quarantine_if_left(const clnorm_cache_dir *dir, const clnorm_cache_key *key,
                               const clnorm_cache_item *marker)
{
    char entry[CLNORM_CACHE_NAME], mark[CLNORM_CACHE_NAME];
    const int fd = openat(dir->fd, marker->name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    const bool left = was_left(fd, marker);
    if (left) {
        clnorm_cache_name(key, "", entry);
        clnorm_cache_name(key, quarantined, mark);
        clnorm_cache_remove(dir, entry);
        futimens(fd, NULL);
        renameat(dir->fd, marker->name, dir->fd, mark);
    }
    close(fd);
    return left;
}

static bool has_killed(const clnorm_cache_dir *dir, const clnorm_cache_key *key)
{
    char name[CLNORM_CACHE_NAME];
    clnorm_cache_item *items = NULL;
    size_t count = 0;
    bool killed = false;
    clnorm_cache_name(key, "", name);
    clnorm_cache_list(dir, &items, &count);
    for (size_t i = 0; i < count; i++)
        if (items[i].kind == CLNORM_CACHE_LOADING &&
            memcmp(items[i].name, name, CLNORM_CACHE_KEY_TEXT) == 0)
            killed |= quarantine_if_left(dir, key, &items[i]);
    free(items);
    return killed;
}

/* The lock is taken under another name, so that a marker never stands there without its lock. */
static void mark(const clnorm_cache_dir *dir, const clnorm_cache_key *key,
                 clnorm_cache_guard *guard)
{
    char temporary[CLNORM_CACHE_NAME], suffix[CLNORM_CACHE_NAME];
    guard->fd = clnorm_cache_temporary(dir, temporary);
    if (guard->fd < 0)
        return;
    flock(guard->fd, LOCK_EX | LOCK_NB);
    snprintf(suffix, sizeof(suffix), ".%.*s.loading", (int)strcspn(temporary, "."), temporary);
    clnorm_cache_name(key, suffix, guard->name);
    if (renameat(dir->fd, temporary, dir->fd, guard->name) == 0)
        return;
    clnorm_cache_remove(dir, temporary);
    close(guard->fd);
    guard->fd = -1;
}

bool clnorm_cache_guard_begin(const clnorm_cache_dir *dir, const clnorm_cache_key *key,
                              clnorm_cache_guard *guard)
{
    guard->fd = -1;
    if (clnorm_cache_is_quarantined(dir, key) || has_killed(dir, key))
        return false;
    mark(dir, key, guard);
    return true;
}

void clnorm_cache_guard_end(const clnorm_cache_dir *dir, clnorm_cache_guard *guard)
{
    if (guard->fd < 0)
        return;
    clnorm_cache_remove(dir, guard->name);
    close(guard->fd);
    guard->fd = -1;
}

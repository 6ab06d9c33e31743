/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700
#include "base/cache_entry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 30 }; /* of an entry: larger ones are somebody's mistake */

/* ---- reading ------------------------------------------------------------------------------- */

static const char *distrust(const struct stat *info)
{
    if (!S_ISREG(info->st_mode))
        return "is no regular file";
    if (info->st_uid != geteuid() || (info->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return "belongs to, or may be written by, another user";
    if (info->st_size > MOST_BYTES)
        return "is too large";
    return NULL;
}

/* False where the file ends before that, or cannot be read. */
static bool read_all(int fd, unsigned char *to, size_t bytes)
{
    while (bytes > 0) {
        const ssize_t n = read(fd, to, bytes);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        to += n > 0 ? n : 0;
        bytes -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static const char *read_open(int fd, const clnorm_cache_key *key, clnorm_cache_blob *blob)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return "cannot be read";
    const char *problem = distrust(&info);
    if (problem)
        return problem;
    const size_t bytes = (size_t)info.st_size;
    blob->file = malloc(bytes + 1);
    if (!blob->file || !read_all(fd, blob->file, bytes))
        return "cannot be read";
    return clnorm_cache_unpack(blob->file, bytes, key, &blob->content);
}

clnorm_cache_found clnorm_cache_read(const clnorm_cache_dir *dir, const char *name,
                                     const clnorm_cache_key *key, clnorm_cache_blob *blob)
{
    *blob = (clnorm_cache_blob){.file = NULL};
    if (dir->fd < 0)
        return CLNORM_CACHE_ABSENT;
    /* not blocking: a FIFO must not hold us up */
    const int fd = openat(dir->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return CLNORM_CACHE_ABSENT;
    blob->problem = fd < 0 ? "cannot be opened" : read_open(fd, key, blob);
    if (fd >= 0)
        close(fd);
    if (!blob->problem)
        return CLNORM_CACHE_GOOD;
    free(blob->file);
    blob->file = NULL;
    return CLNORM_CACHE_BAD;
}

void clnorm_cache_touch(const clnorm_cache_dir *dir, const char *name)
{
    utimensat(dir->fd, name, NULL, AT_SYMLINK_NOFOLLOW);
}

bool clnorm_cache_has(const clnorm_cache_dir *dir, const char *name)
{
    struct stat info;
    return dir->fd >= 0 && fstatat(dir->fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- writing ------------------------------------------------------------------------------- */

int clnorm_cache_temporary(const clnorm_cache_dir *dir, char name[CLNORM_CACHE_NAME])
{
    enum { ATTEMPTS = 100 };
    int fd = -1;
    for (int i = 0; i < ATTEMPTS && fd < 0; i++) {
        struct timespec now = {0, 0};
        clock_gettime(CLOCK_REALTIME, &now);
        snprintf(name, CLNORM_CACHE_NAME, "%ld-%lld-%09ld-%d.tmp", (long)getpid(),
                 (long long)now.tv_sec, now.tv_nsec, i);
        fd = openat(dir->fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    return fd;
}

static bool write_all(int fd, const unsigned char *from, size_t bytes)
{
    while (bytes > 0) {
        const ssize_t n = write(fd, from, bytes);
        if (n < 0 && errno != EINTR)
            return false;
        from += n > 0 ? n : 0;
        bytes -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Removes the temporary file where it does not get that far. errno says why. */
static bool publish(const clnorm_cache_dir *dir, const char *name, const unsigned char *file,
                    size_t bytes)
{
    char temporary[CLNORM_CACHE_NAME];
    const int fd = clnorm_cache_temporary(dir, temporary);
    if (fd < 0)
        return false;
    bool ok = write_all(fd, file, bytes) && fsync(fd) == 0;
    int reason = errno;
    if (close(fd) != 0 && ok) {
        reason = errno;
        ok = false;
    }
    if (ok && renameat(dir->fd, temporary, dir->fd, name) == 0)
        return true;
    reason = ok ? errno : reason;
    unlinkat(dir->fd, temporary, 0);
    errno = reason;
    return false;
}

bool clnorm_cache_write(const clnorm_cache_dir *dir, const clnorm_cache_key *key,
                        const clnorm_cache_content *content, clnorm_error *error)
{
    char name[CLNORM_CACHE_NAME];
    size_t bytes = 0;
    unsigned char *file = clnorm_cache_pack(key, content, &bytes);
    if (!file) {
        clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu bytes",
                    content->payload_bytes);
        return false;
    }
    clnorm_cache_name(key, "", name);
    const bool ok = publish(dir, name, file, bytes);
    if (!ok)
        clnorm_fail(error, CLNORM_BAD_ARGS, "%s: %zu bytes cannot be written: %s", dir->path, bytes,
                    strerror(errno));
    free(file);
    return ok;
}

bool clnorm_cache_remove(const clnorm_cache_dir *dir, const char *name)
{
    return unlinkat(dir->fd, name, 0) == 0;
}

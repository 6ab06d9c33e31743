/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/cache_dir.h"

#include "base/user_path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __APPLE__
static const char caches[] = "Library/Caches";
#else
static const char caches[] = ".cache";
#endif

/* ---- where --------------------------------------------------------------------------------- */

static char *default_path(clnorm_error *error)
{
    return clnorm_user_path("XDG_CACHE_HOME", caches, "clnorm", "directory for a cache", error);
}

/* ---- making and opening -------------------------------------------------------------------- */

/* Parents that are missing are made for the default only: a typing error makes no tree. Returns 0,
 * or an errno. */
static int make_directories(char *path, bool parents)
{
    for (char *slash = path + 1; parents && (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : errno;
}

static bool may_be_trusted(const clnorm_cache_dir *dir, clnorm_error *error)
{
    struct stat info;
    if (fstat(dir->fd, &info) != 0) {
        clnorm_fail(error, CLNORM_BAD_ARGS, "%s: %s", dir->path, strerror(errno));
        return false;
    }
    if (info.st_uid == geteuid() && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return true;
    clnorm_fail(
        error, CLNORM_BAD_ARGS,
        "%s: belongs to user %ld and has mode %04o: must belong to user %ld and be writable "
        "by nobody else",
        dir->path, (long)info.st_uid, (unsigned)info.st_mode & 07777u, (long)geteuid());
    return false;
}

bool clnorm_cache_open(clnorm_cache_dir *dir, const char *directory, bool make, clnorm_error *error)
{
    *dir = (clnorm_cache_dir){.fd = -1};
    dir->path = directory ? strdup(directory) : default_path(error);
    if (!dir->path) {
        if (directory)
            clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for a path");
        return false;
    }
    /* a slash behind a link's name would follow it */
    for (size_t end = strlen(dir->path); end > 1 && dir->path[end - 1] == '/'; end--)
        dir->path[end - 1] = '\0';
    const int failure = make ? make_directories(dir->path, !directory) : 0;
    dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const int reason = failure ? failure : errno;
    if (dir->fd < 0 && reason == ENOENT && !make)
        return true;
    if (dir->fd < 0)
        clnorm_fail(error, CLNORM_BAD_ARGS, "%s: %s", dir->path,
                    reason == ENOTDIR || reason == ELOOP ? "must be a directory, and no link to one"
                                                         : strerror(reason));
    else if (may_be_trusted(dir, error))
        return true;
    clnorm_cache_close(dir);
    return false;
}

void clnorm_cache_close(clnorm_cache_dir *dir)
{
    if (dir->fd >= 0)
        close(dir->fd);
    free(dir->path);
    *dir = (clnorm_cache_dir){.fd = -1};
}

/* ---- what is in it ------------------------------------------------------------------------- */

void clnorm_cache_name(const clnorm_cache_key *key, const char *suffix,
                       char name[CLNORM_CACHE_NAME])
{
    for (int i = 0; i < CLNORM_SHA256_BYTES; i++)
        snprintf(name + 2 * i, 3, "%02x", key->bytes[i]);
    snprintf(name + CLNORM_CACHE_KEY_TEXT, CLNORM_CACHE_NAME - CLNORM_CACHE_KEY_TEXT, "%s", suffix);
}

static bool ends_with(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static clnorm_cache_kind kind_of(const char *name)
{
    const char *rest = name + CLNORM_CACHE_KEY_TEXT;
    if (strspn(name, "0123456789abcdef") == CLNORM_CACHE_KEY_TEXT)
        return !*rest                              ? CLNORM_CACHE_ENTRY
               : strcmp(rest, ".quarantined") == 0 ? CLNORM_CACHE_QUARANTINED
               : ends_with(rest, ".loading")       ? CLNORM_CACHE_LOADING
                                                   : CLNORM_CACHE_FOREIGN;
    const size_t digits = strspn(name, "0123456789-");
    return digits > 0 && strcmp(name + digits, ".tmp") == 0 ? CLNORM_CACHE_TEMPORARY
                                                            : CLNORM_CACHE_FOREIGN;
}

static bool fill_item(const clnorm_cache_dir *dir, const char *name, clnorm_cache_item *item)
{
    struct stat info;
    item->kind = kind_of(name);
    if (item->kind == CLNORM_CACHE_FOREIGN || strlen(name) >= sizeof(item->name) ||
        fstatat(dir->fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(info.st_mode))
        return false;
    memcpy(item->name, name, strlen(name) + 1);
    item->bytes = (uint64_t)info.st_size;
    item->time = info.st_mtime;
    return true;
}

static bool list_stream(const clnorm_cache_dir *dir, DIR *stream, clnorm_cache_item **items,
                        size_t *count)
{
    size_t capacity = 0;
    for (struct dirent *found; (found = readdir(stream));) {
        if (*count == capacity) {
            capacity = capacity ? 2 * capacity : 32;
            clnorm_cache_item *larger = realloc(*items, capacity * sizeof(**items));
            if (!larger)
                return false;
            *items = larger;
        }
        *count += fill_item(dir, found->d_name, &(*items)[*count]);
    }
    return true;
}

bool clnorm_cache_list(const clnorm_cache_dir *dir, clnorm_cache_item **items, size_t *count)
{
    *items = NULL;
    *count = 0;
    if (dir->fd < 0)
        return true;
    /* a descriptor of its own: threads share the position in the directory of one that is copied */
    const int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    const bool ok = stream && list_stream(dir, stream, items, count);
    if (stream)
        closedir(stream);
    else if (fd >= 0)
        close(fd);
    if (!ok) {
        free(*items);
        *items = NULL;
        *count = 0;
    }
    return ok;
}

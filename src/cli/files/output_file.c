/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "cli/files/output_file.h"
#include "cli/cli.h"
#include "cli/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool failed(const struct output_file *output, const char *what, int reason,
                   clnorm_error *error)
{
    return refuse(error, "%s: %s: %s", output->path, what, strerror(reason));
}

/* ---- where --------------------------------------------------------------------------------- */

/* Bytes of `path` up to its last slash, that one included. */
static size_t directory_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* The target of a path where nothing is yet: its directory's true path and its name. */
static bool find_new_target(struct output_file *output, clnorm_error *error)
{
    const size_t length = directory_length(output->path);
    const char *name = output->path + length;
    if (!*name)
        return failed(output, "cannot be written", *output->path ? EISDIR : ENOENT, error);
    char *directory = length ? strndup(output->path, length) : strdup(".");
    char *real = directory ? realpath(directory, NULL) : NULL;
    const int reason = errno;
    free(directory);
    if (!real)
        return failed(output, "cannot be written", reason, error);
    const size_t room = strlen(real) + strlen(name) + 2;
    output->target = malloc(room);
    if (output->target)
        snprintf(output->target, room, "%s/%s", real, name);
    free(real);
    return output->target || out_of_memory(error, room);
}

/* A symbolic link keeps pointing where it did: the file behind it is replaced. */
static bool find_target(struct output_file *output, clnorm_error *error)
{
    struct stat info;
    if (lstat(output->path, &info) != 0 && errno == ENOENT)
        return find_new_target(output, error);
    if (stat(output->path, &info) != 0)
        return failed(output, "cannot be written", errno, error);
    if (!S_ISREG(info.st_mode))
        return refuse(error, "%s: is %s; must be the name of a file", output->path,
                      S_ISDIR(info.st_mode) ? "a directory" : "not a regular file");
    if (access(output->path, W_OK) != 0)
        return failed(output, "cannot be written", errno, error);
    output->target = realpath(output->path, NULL);
    return output->target || failed(output, "cannot be written", errno, error);
}

/* The name is short, so that a directory that takes the file takes it too. */
static bool open_temporary(struct output_file *output, clnorm_error *error)
{
    enum { ATTEMPTS = 100 };
    const size_t directory = directory_length(output->target);
    const size_t room = directory + 64;
    output->temporary = malloc(room);
    if (!output->temporary)
        return out_of_memory(error, room);
    for (int i = 0; i < ATTEMPTS && output->fd < 0; i++) {
        snprintf(output->temporary, room, "%.*s.clnorm-%ld-%d.tmp", (int)directory, output->target,
                 (long)getpid(), i);
        output->fd = open(output->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (output->fd < 0 && errno != EEXIST)
            break;
    }
    if (output->fd >= 0 && interrupt_remove_file(output->temporary))
        return true;
    const int reason = output->fd >= 0 ? EMFILE : errno;
    if (output->fd >= 0)
        unlink(output->temporary);
    free(output->temporary);
    output->temporary = NULL;
    return failed(output, "cannot be written", reason, error);
}

/* ---- what ---------------------------------------------------------------------------------- */

/* Writing into a mapped hole of a full disk is SIGBUS, so the blocks are taken before. */
static int reserve(int fd, uint64_t bytes)
{
#ifdef __APPLE__
    return ftruncate(fd, (off_t)bytes) == 0 ? 0 : errno;
#else
    int reason;
    do
        reason = posix_fallocate(fd, 0, (off_t)bytes);
    while (reason == EINTR && !interrupt_pending());
    return reason;
#endif
}

static bool fill(struct output_file *output, enum npy_type type, const struct shape *shape,
                 clnorm_error *error)
{
    char header[NPY_HEADER_MAX], text[SHAPE_TEXT];
    shape_text(shape, text);
    output->offset = npy_header(header, type, shape);
    if (!shape_fits(shape, npy_type_bytes(type)))
        return refuse(error, "%s: shape %s of '%s' is more than %td bytes", output->path, text,
                      npy_type_name(type), PTRDIFF_MAX);
    const uint64_t bytes =
        output->offset + npy_type_bytes(type) * shape_count(shape, 0, shape->rank);
    const int reason = bytes <= PTRDIFF_MAX ? reserve(output->fd, bytes) : EFBIG;
    if (reason != 0)
        return refuse(error, "%s: no room for %" PRIu64 " bytes: %s", output->path, bytes,
                      strerror(reason));
    if (!mapping_file(&output->mapping, output->fd, bytes, true))
        return failed(output, "cannot be mapped", errno, error);
    memcpy(output->mapping.base, header, (size_t)output->offset);
    output->data = (char *)output->mapping.base + output->offset;
    return true;
}

bool output_file_create(struct output_file *output, const char *path, enum npy_type type,
                        const struct shape *shape, clnorm_error *error)
{
    *output = (struct output_file){.path = path, .fd = -1};
    if (find_target(output, error) && open_temporary(output, error) &&
        fill(output, type, shape, error))
        return true;
    output_file_close(output);
    return false;
}

void output_file_drop(const struct output_file *output, uint64_t done)
{
    if (output->mapping.base)
        mapping_drop(&output->mapping, 0, output->offset + done);
}

bool output_file_sync(struct output_file *output, clnorm_error *error)
{
    mapping_release(&output->mapping);
    output->data = NULL;
    return fsync(output->fd) == 0 || failed(output, "cannot be written", errno, error);
}

bool output_file_publish(struct output_file *output, clnorm_error *error)
{
    if (rename(output->temporary, output->target) != 0)
        return failed(output, "cannot be put in its place", errno, error);
    interrupt_forget_file(output->temporary);
    free(output->temporary);
    output->temporary = NULL;
    return true;
}

void output_file_close(struct output_file *output)
{
    if (!output->path)
        return;
    mapping_release(&output->mapping);
    if (output->fd >= 0)
        close(output->fd);
    if (output->temporary) {
        unlink(output->temporary);
        interrupt_forget_file(output->temporary);
    }
    free(output->temporary);
    free(output->target);
    *output = (struct output_file){.fd = -1};
}

static int write_all(int fd, const char *text, size_t bytes)
{
    while (bytes > 0) {
        const ssize_t written = write(fd, text, bytes);
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0) {
            text += written;
            bytes -= (size_t)written;
        }
    }
    return fsync(fd) == 0 ? 0 : errno;
}

bool output_file_write(const char *path, const char *text, size_t bytes, clnorm_error *error)
{
    struct output_file output = {.path = path, .fd = -1};
    bool ok = find_target(&output, error) && open_temporary(&output, error);
    const int reason = ok ? write_all(output.fd, text, bytes) : 0;
    if (reason)
        ok = failed(&output, "cannot be written", reason, error);
    ok = ok && output_file_publish(&output, error);
    output_file_close(&output);
    return ok;
}

bool output_file_spares(const struct output_file *output, const char *input, clnorm_error *error)
{
    struct stat own, other;
    if (stat(output->target, &own) != 0 || stat(input, &other) != 0 || own.st_dev != other.st_dev ||
        own.st_ino != other.st_ino)
        return true;
    return refuse(error, "%s: is the same file as the input %s; must be another one", output->path,
                  input);
}

bool output_file_allowed(const char *path, const char *const *inputs, size_t n, clnorm_error *error)
{
    struct output_file output = {.path = path, .fd = -1};
    bool ok = find_target(&output, error);
    for (size_t i = 0; ok && i < n; i++)
        ok = !inputs[i] || output_file_spares(&output, inputs[i], error);
    ok = ok && open_temporary(&output, error);
    output_file_close(&output);
    return ok;
}

bool output_file_same(const struct output_file *a, const struct output_file *b)
{
    return strcmp(a->target, b->target) == 0;
}

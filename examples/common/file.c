/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "common/file.h"
#include "common/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static _Noreturn void die_of(const char *path, const char *what, int reason)
{
    ex_die(EX_USAGE, "%s: cannot be %s: %s", path, what, strerror(reason));
}

static int write_all(int fd, const char *data, size_t bytes)
{
    while (bytes > 0) {
        const ssize_t written = write(fd, data, bytes);
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0) {
            data += written;
            bytes -= (size_t)written;
        }
    }
    return 0;
}

/* Opens a file beside `path`; *temporary is its name, to be freed. */
static int open_beside(const char *path, char **temporary)
{
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        ex_die(EX_USAGE, "%s: is no regular file", path);
    const size_t room = strlen(path) + 32;
    *temporary = ex_alloc(room, 1);
    snprintf(*temporary, room, "%s.%ld.tmp", path, (long)getpid());
    const int fd = open(*temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        die_of(path, "written", errno);
    ex_remove_at_end(*temporary);
    return fd;
}

void ex_file_write(const char *path, const struct ex_part *parts, size_t n)
{
    char *temporary;
    const int fd = open_beside(path, &temporary);
    int reason = 0;
    for (size_t i = 0; i < n && !reason; i++)
        reason = write_all(fd, parts[i].data, parts[i].bytes);
    if (!reason && fsync(fd) != 0)
        reason = errno;
    if (close(fd) != 0 && !reason)
        reason = errno;
    if (!reason && rename(temporary, path) != 0)
        reason = errno;
    if (reason)
        die_of(path, "written", reason);
    ex_remove_at_end(NULL);
    free(temporary);
}

void ex_file_check(const char *path)
{
    char *temporary;
    if (strcmp(path, "-") == 0)
        return;
    close(open_beside(path, &temporary));
    unlink(temporary);
    ex_remove_at_end(NULL);
    free(temporary);
}

char *ex_file_read(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    if (!file || fstat(fileno(file), &info) != 0)
        die_of(path, "read", errno);
    if (!S_ISREG(info.st_mode))
        ex_die(EX_USAGE, "%s: is no regular file", path);
    *bytes = (size_t)info.st_size;
    char *text = ex_alloc(*bytes + 1, 1);
    if (fread(text, 1, *bytes, file) != *bytes)
        die_of(path, "read", ferror(file) ? errno : EIO);
    fclose(file);
    return text;
}

void ex_json_write(const char *path, json_t *root)
{
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER) : NULL;
    if (!text)
        ex_die(EX_WRONG, "%s: a result is no number that JSON has", path);
    if (strcmp(path, "-") == 0) {
        puts(text);
    } else {
        const struct ex_part parts[] = {{"", text, strlen(text)}, {"", "\n", 1}};
        ex_file_write(path, parts, 2);
    }
    free(text);
    json_decref(root);
}

json_t *ex_json_device(const struct ex_device *device)
{
    const clnorm_device *about = clnorm_context_device(device->context);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", about->name, "vendor", about->vendor,
                     "driver", about->driver, "platform", about->platform_name, "version",
                     about->version, "clnorm", clnorm_version());
}

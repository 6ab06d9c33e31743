/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "cli/tune/file.h"
#include "cli/files/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char heading[] =
    "# Kernel parameters that clnorm tune measured, a record a line: see clnorm(1).\n";

bool tune_file_prepare(const char *path, bool is_default, clnorm_error *error)
{
    char *copy = is_default ? strdup(path) : NULL;
    if (is_default && !copy)
        return out_of_memory(error, strlen(path));
    for (char *slash = copy ? strchr(copy + 1, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(copy, 0700);
        *slash = '/';
    }
    free(copy);
    if (!output_file_allowed(path, NULL, 0, error))
        return false;
    FILE *file = fopen(path, "rb");
    const int reason = errno;
    if (file)
        fclose(file);
    return file || reason == ENOENT ||
           refuse(error, "%s: cannot be read: %s", path, strerror(reason));
}

/* Lines without newline, one after the other; false at the end. */
static bool next_line(FILE *file, char **line, size_t *room)
{
    const ssize_t length = getline(line, room, file);
    if (length > 0 && (*line)[length - 1] == '\n')
        (*line)[length - 1] = '\0';
    return length >= 0;
}

static bool is_of(const char *line, const clnorm_tuning_record *wanted,
                  clnorm_tuning_record *record)
{
    clnorm_error error;
    return !clnorm_tuning_is_blank(line) &&
           clnorm_tuning_record_parse(line, record, &error) == CLNORM_OK &&
           clnorm_tuning_same_key(record, wanted);
}

bool tune_file_find(const char *path, const clnorm_tuning_record *wanted,
                    clnorm_tuning_record *found)
{
    FILE *file = fopen(path, "rb");
    char *line = NULL;
    size_t room = 0;
    bool is_there = false;
    while (file && !is_there && next_line(file, &line, &room))
        is_there = is_of(line, wanted, found) && !strcmp(found->key.driver, wanted->key.driver);
    free(line);
    if (file)
        fclose(file);
    return is_there;
}

static bool is_still(const char *path, int fd)
{
    struct stat now, ours;
    return stat(path, &now) == 0 && fstat(fd, &ours) == 0 && now.st_dev == ours.st_dev &&
           now.st_ino == ours.st_ino;
}

/* The table, an empty one if there is none, locked until it is closed: what another search puts
 * into it meanwhile would be lost. Who waited for that may hold what was replaced by then. Where
 * there are no locks, on some network drives, it is not locked. */
static FILE *open_locked(const char *path, clnorm_error *error)
{
    int fd = -1;
    do {
        if (fd >= 0)
            close(fd);
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        while (fd >= 0 && flock(fd, LOCK_EX) != 0 && errno == EINTR)
            ;
    } while (fd >= 0 && !is_still(path, fd));
    FILE *file = fd >= 0 ? fdopen(fd, "rb") : NULL;
    if (!file)
        refuse(error, "%s: cannot be opened: %s", path, strerror(errno));
    if (!file && fd >= 0)
        close(fd);
    return file;
}

/* All other lines, then the record. */
static void compose(FILE *from, FILE *to, const clnorm_tuning_record *record)
{
    clnorm_tuning_record other;
    char text[CLNORM_TUNING_LINE];
    char *line = NULL;
    size_t room = 0;
    bool is_empty = true;
    for (; next_line(from, &line, &room); is_empty = false)
        if (!is_of(line, record, &other))
            fprintf(to, "%s\n", line);
    free(line);
    clnorm_tuning_record_text(record, text);
    fprintf(to, "%s%s\n", is_empty ? heading : "", text);
}

bool tune_file_put(const char *path, const clnorm_tuning_record *record, clnorm_error *error)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *from = open_locked(path, error);
    if (!from)
        return false;
    FILE *to = open_memstream(&text, &bytes);
    if (to)
        compose(from, to, record);
    const bool is_composed = to && fclose(to) == 0;
    const bool ok = (!ferror(from) || refuse(error, "%s: cannot be read", path)) &&
                    (is_composed || out_of_memory(error, bytes)) &&
                    output_file_write(path, text, bytes, error);
    fclose(from);
    free(text);
    return ok;
}

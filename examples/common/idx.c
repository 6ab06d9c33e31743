/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "common/idx.h"
#include "common/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static gzFile open_file(const char *directory, const char *name, char *path, size_t room)
{
    static const char *const endings[] = {"", ".gz"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        snprintf(path, room, "%s/%s%s", directory, name, endings[i]);
        if (access(path, F_OK) == 0) {
            gzFile file = gzopen(path, "rb");
            if (!file)
                ex_die(EX_USAGE, "%s: cannot be read: %s", path, strerror(errno));
            return file;
        }
    }
    ex_die(EX_USAGE, "%s/%s: neither this file nor %s.gz is there", directory, name, name);
}

static void take(gzFile file, const char *path, void *to, size_t bytes)
{
    enum { MOST = 1 << 24 };
    for (size_t done = 0; done < bytes;) {
        const size_t left = bytes - done;
        const int n = gzread(file, (char *)to + done, left < MOST ? (unsigned)left : MOST);
        if (n <= 0) {
            int code;
            const char *text = gzerror(file, &code);
            if (n == 0 || code == Z_BUF_ERROR)
                text = "it is cut off";
            else if (code == Z_ERRNO)
                text = strerror(errno);
            ex_die(EX_USAGE, "%s: cannot be read: %s", path, text);
        }
        done += (size_t)n;
    }
}

static size_t number(const unsigned char bytes[4])
{
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

static size_t read_header(gzFile file, const char *path, struct ex_idx *idx, unsigned rank)
{
    enum { UINT8 = 8 };
    unsigned char header[4], dim[4];
    size_t count = 1;
    take(file, path, header, sizeof(header));
    if (header[0] || header[1])
        ex_die(EX_USAGE, "%s: is no idx file: it does not begin with two zero bytes", path);
    if (header[2] != UINT8 || header[3] != rank)
        ex_die(EX_USAGE, "%s: idx of type 0x%02x with %u dimensions; must be 0x08 (uint8) with %u",
               path, header[2], header[3], rank);
    idx->rank = rank;
    for (unsigned i = 0; i < rank; i++) {
        take(file, path, dim, sizeof(dim));
        idx->dims[i] = number(dim);
        if (idx->dims[i] == 0 || idx->dims[i] > UINT32_MAX / count)
            ex_die(EX_USAGE,
                   "%s: dimension %u is %zu; must be 1 or more, with less than 2^32 "
                   "elements in all",
                   path, i, idx->dims[i]);
        count *= idx->dims[i];
    }
    return count;
}

void ex_idx_read(struct ex_idx *idx, const char *directory, const char *name, unsigned rank)
{
    char path[4096], extra;
    gzFile file = open_file(directory, name, path, sizeof(path));
    *idx = (struct ex_idx){0};
    const size_t count = read_header(file, path, idx, rank);
    idx->data = ex_alloc(count, 1);
    take(file, path, idx->data, count);
    if (gzread(file, &extra, 1) != 0 || gzclose(file) != Z_OK) /* compares the check sum, too */
        ex_die(EX_USAGE, "%s: is damaged, or has more than its %zu elements", path, count);
}

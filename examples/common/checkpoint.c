/* SPDX-License-Identifier: MIT */
/* A checkpoint: a header, then for each part an entry and its data, padded to 8 bytes. Numbers are
 * of the machine that wrote it, which the header tells. */
#include "common/error.h"
#include "common/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { NAME_ROOM = 32, ALIGNMENT = 8 };

struct header {
    char magic[8], kind[NAME_ROOM];
    uint64_t bytes; /* of what follows */
    uint64_t checksum; /* CRC-32 of it */
};
struct entry {
    char name[NAME_ROOM];
    uint64_t bytes;
};

static const char magic[8] = "clnormC";

static size_t padding(size_t bytes) { return (ALIGNMENT - bytes % ALIGNMENT) % ALIGNMENT; }

uint64_t ex_checksum(uint64_t crc, const void *data, size_t bytes)
{
    return crc32_z((uLong)crc, data, bytes);
}

void ex_checkpoint_write(const char *path, const char *kind, const struct ex_part *parts, size_t n)
{
    static const char zeros[ALIGNMENT];
    struct header header = {.bytes = 0};
    struct entry *entries = ex_alloc(n, sizeof(*entries));
    struct ex_part *pieces = ex_alloc(3 * n + 1, sizeof(*pieces)), *piece = pieces;
    memcpy(header.magic, magic, sizeof(magic));
    snprintf(header.kind, sizeof(header.kind), "%s", kind);
    *piece++ = (struct ex_part){"", &header, sizeof(header)};
    for (size_t i = 0; i < n; i++) {
        snprintf(entries[i].name, sizeof(entries[i].name), "%s", parts[i].name);
        entries[i].bytes = parts[i].bytes;
        *piece++ = (struct ex_part){"", &entries[i], sizeof(entries[i])};
        *piece++ = parts[i];
        *piece++ = (struct ex_part){"", zeros, padding(parts[i].bytes)};
    }
    for (size_t i = 1; i < 3 * n + 1; i++) {
        header.bytes += pieces[i].bytes;
        if (pieces[i].bytes) /* crc32 of NULL begins anew */
            header.checksum = ex_checksum(header.checksum, pieces[i].data, pieces[i].bytes);
    }
    ex_file_write(path, pieces, 3 * n + 1);
    free(pieces);
    free(entries);
}

void ex_checkpoint_open(struct ex_checkpoint *checkpoint, const char *path, const char *kind)
{
    struct header header;
    *checkpoint = (struct ex_checkpoint){.path = path};
    checkpoint->file = ex_file_read(path, &checkpoint->bytes);
    if (checkpoint->bytes < sizeof(header))
        ex_die(EX_USAGE, "%s: is no checkpoint: it has %zu bytes", path, checkpoint->bytes);
    memcpy(&header, checkpoint->file, sizeof(header));
    header.kind[NAME_ROOM - 1] = 0;
    if (memcmp(header.magic, magic, sizeof(magic)) != 0)
        ex_die(EX_USAGE, "%s: is no checkpoint", path);
    if (strcmp(header.kind, kind) != 0)
        ex_die(EX_USAGE, "%s: is a checkpoint of '%s'; must be of '%s'", path, header.kind, kind);
    const size_t rest = checkpoint->bytes - sizeof(header);
    if (header.bytes != rest)
        ex_die(EX_USAGE, "%s: is damaged: %zu bytes follow the header, %" PRIu64 " are needed",
               path, rest, header.bytes);
    if (ex_checksum(0, checkpoint->file + sizeof(header), rest) != header.checksum)
        ex_die(EX_USAGE, "%s: is damaged: its checksum is wrong", path);
}

const void *ex_checkpoint_part(const struct ex_checkpoint *checkpoint, const char *name,
                               size_t *bytes)
{
    size_t at = sizeof(struct header);
    while (checkpoint->bytes - at >= sizeof(struct entry)) {
        struct entry entry;
        memcpy(&entry, checkpoint->file + at, sizeof(entry));
        at += sizeof(entry);
        if (entry.bytes > checkpoint->bytes - at)
            break;
        if (strncmp(entry.name, name, NAME_ROOM) == 0) {
            if (*bytes && *bytes != entry.bytes)
                ex_die(EX_USAGE, "%s: '%s' has %" PRIu64 " bytes; must be %zu", checkpoint->path,
                       name, entry.bytes, *bytes);
            *bytes = (size_t)entry.bytes;
            return checkpoint->file + at;
        }
        at += (size_t)entry.bytes + padding((size_t)entry.bytes);
        if (at > checkpoint->bytes)
            break;
    }
    ex_die(EX_USAGE, "%s: has no '%s'", checkpoint->path, name);
}

void ex_checkpoint_close(struct ex_checkpoint *checkpoint)
{
    free(checkpoint->file);
    checkpoint->file = NULL;
}

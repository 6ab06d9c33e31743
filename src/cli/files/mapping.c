/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "cli/files/mapping.h"
#include "cli/cli.h"

#include <sys/mman.h>
#include <unistd.h>

static bool map(struct mapping *mapping, int fd, uint64_t bytes, int protection, int flags)
{
    *mapping = (struct mapping){0};
    if (bytes > PTRDIFF_MAX)
        return false;
    void *base = mmap(NULL, (size_t)bytes, protection, flags, fd, 0);
    if (base == MAP_FAILED)
        return false;
    *mapping = (struct mapping){base, (size_t)bytes};
    return true;
}

bool mapping_anonymous(struct mapping *mapping, uint64_t bytes, clnorm_error *error)
{
    return map(mapping, -1, bytes ? bytes : 1, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS) ||
           out_of_memory(error, bytes);
}

bool mapping_file(struct mapping *mapping, int fd, uint64_t bytes, bool is_writable)
{
    const int protection = is_writable ? PROT_READ | PROT_WRITE : PROT_READ;
    if (!map(mapping, fd, bytes, protection, is_writable ? MAP_SHARED : MAP_PRIVATE))
        return false;
    madvise(mapping->base, mapping->bytes, MADV_SEQUENTIAL);
    return true;
}

void mapping_drop(const struct mapping *mapping, uint64_t first, uint64_t last)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    const uint64_t begin = (first + page - 1) / page * page;
    const uint64_t end = last / page * page;
    if (begin < end)
        madvise((char *)mapping->base + begin, (size_t)(end - begin), MADV_DONTNEED);
}

void mapping_release(struct mapping *mapping)
{
    if (mapping->base)
        munmap(mapping->base, mapping->bytes);
    *mapping = (struct mapping){0};
}

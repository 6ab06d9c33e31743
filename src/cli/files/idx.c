/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "cli/files/idx.h"
#include "cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static void swap_4(const unsigned char *in, void *out, size_t n)
{
    uint32_t *to = out;
    for (size_t i = 0; i < n; i++, in += 4)
        to[i] = (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static void swap_8(const unsigned char *in, void *out, size_t n)
{
    uint64_t *to = out;
    for (size_t i = 0; i < n; i++, in += 8) {
        to[i] = 0;
        for (unsigned k = 0; k < 8; k++)
            to[i] = to[i] << 8 | in[k];
    }
}

/* idx stores numbers with their first byte first. */
static const struct idx_type {
    unsigned char code;
    size_t bytes;
    clnorm_dtype dtype;
    void (*convert)(const unsigned char *in, void *out, size_t n);
} types[] = {
    {0x08, 1, CLNORM_F32, u8_to_f32},
    {0x0d, 4, CLNORM_F32, swap_4},
    {0x0e, 8, CLNORM_F64, swap_8},
};

bool idx_is(const void *file, uint64_t bytes)
{
    const unsigned char *f = file;
    return bytes >= 4 && ((f[0] == 0x1f && f[1] == 0x8b) || (f[0] == 0 && f[1] == 0));
}

struct source {
    const char *name;
    gzFile file;
    clnorm_error *error;
};

static bool unreadable(const struct source *source)
{
    int code;
    const char *text = gzerror(source->file, &code);
    if (code == Z_BUF_ERROR)
        text = "the gzip data is cut off";
    return refuse(source->error, "%s: %s", source->name, code == Z_ERRNO ? strerror(errno) : text);
}

/* Fewer than `bytes` only at the end of the file. */
static bool take(const struct source *source, void *to, unsigned bytes, unsigned *taken)
{
    const int n = gzread(source->file, to, bytes);
    int code;
    gzerror(source->file, &code);
    if (n < 0 || code < 0)
        return unreadable(source);
    *taken = (unsigned)n;
    return true;
}

static bool read_header(const struct source *source, struct idx_array *array,
                        const struct idx_type **type)
{
    unsigned char magic[4], dims[4 * MAX_RANK];
    unsigned taken = 0;
    if (!take(source, magic, sizeof(magic), &taken))
        return false;
    if (taken < sizeof(magic) || magic[0] != 0 || magic[1] != 0)
        return refuse(source->error,
                      "%s: the gzip data is no idx file: it does not begin with two zero bytes",
                      source->name);
    *type = NULL;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].code == magic[2])
            *type = &types[i];
    if (!*type)
        return refuse(source->error,
                      "%s: idx type 0x%02x; must be 0x08 (uint8), 0x0d (float) or 0x0e (double)",
                      source->name, magic[2]);
    if (magic[3] > MAX_RANK)
        return refuse(source->error, "%s: idx with %u dimensions; must be at most %d", source->name,
                      magic[3], MAX_RANK);
    if (!take(source, dims, 4u * magic[3], &taken))
        return false;
    if (taken < 4u * magic[3])
        return refuse(source->error,
                      "%s: the idx header is cut off: it needs %u bytes, the file has %u",
                      source->name, 4 + 4u * magic[3], 4 + taken);
    array->dtype = (*type)->dtype;
    array->shape.rank = magic[3];
    for (unsigned i = 0; i < magic[3]; i++) {
        uint32_t dim;
        swap_4(dims + 4 * i, &dim, 1);
        array->shape.dims[i] = dim;
    }
    return true;
}

static bool read_data(const struct source *source, const struct idx_type *type, uint64_t count,
                      struct idx_array *array)
{
    unsigned char buffer[1 << 16];
    char *to = array->data.base;
    const size_t out_bytes = clnorm_dtype_bytes(type->dtype);
    for (uint64_t done = 0; done < count;) {
        const uint64_t left = (count - done) * type->bytes;
        const unsigned asked = left < sizeof(buffer) ? (unsigned)left : (unsigned)sizeof(buffer);
        unsigned taken = 0;
        if (!take(source, buffer, asked, &taken))
            return false;
        if (taken < asked)
            return refuse(source->error,
                          "%s: the idx data is cut off: %" PRIu64 " bytes are needed, there are "
                          "%" PRIu64,
                          source->name, count * type->bytes, done * type->bytes + taken);
        type->convert(buffer, to + done * out_bytes, asked / type->bytes);
        done += asked / type->bytes;
    }
    unsigned extra = 0;
    if (!take(source, buffer, 1, &extra)) /* compares the check sum, too */
        return false;
    return extra == 0 || refuse(source->error,
                                "%s: too much data: idx data of this shape takes %" PRIu64 " bytes",
                                source->name, count * type->bytes);
}

static bool read_array(const struct source *source, uint64_t most_bytes, struct idx_array *array)
{
    const struct idx_type *type = NULL;
    char shape[SHAPE_TEXT];
    if (!read_header(source, array, &type))
        return false;
    shape_text(&array->shape, shape);
    const size_t out_bytes = clnorm_dtype_bytes(type->dtype);
    const uint64_t count = shape_count(&array->shape, 0, array->shape.rank);
    if (!shape_fits(&array->shape, out_bytes) || count * type->bytes > most_bytes)
        return refuse(source->error,
                      "%s: the idx data is cut off: shape %s is more than it can hold",
                      source->name, shape);
    return mapping_anonymous(&array->data, count * out_bytes, source->error) &&
           read_data(source, type, count, array);
}

bool idx_read(const char *name, int fd, struct idx_array *array, clnorm_error *error)
{
    /* deflate makes data at most 1032 times smaller: a small file that claims a huge shape is
     * refused before memory is taken for it */
    enum { MOST_RATIO = 1032 };
    struct source source = {.name = name, .error = error};
    *array = (struct idx_array){0};
    const off_t file_bytes = lseek(fd, 0, SEEK_END);
    if (file_bytes < 0 || lseek(fd, 0, SEEK_SET) != 0)
        return refuse(error, "%s: %s", name, strerror(errno));
    const int own_fd = dup(fd); /* gzclose closes it */
    source.file = own_fd >= 0 ? gzdopen(own_fd, "rb") : NULL;
    if (!source.file) {
        if (own_fd >= 0)
            close(own_fd);
        return refuse(error, "%s: cannot be read: %s", name, strerror(errno));
    }
    const bool is_read = read_array(&source, MOST_RATIO * (uint64_t)file_bytes, array);
    if (!is_read)
        mapping_release(&array->data);
    gzclose(source.file);
    return is_read;
}

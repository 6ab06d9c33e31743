/* SPDX-License-Identifier: MIT */
#include "cli/files/npy.h"
#include "cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char magic[] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};
static const char allowed_types[] =
    "'<f4', '<f2', '<f8', '|u1', '|i1' for --qzero, and '<u2' with --dtype bf16 or --bf16";

static const struct {
    const char *name;
    size_t bytes;
} types[] = {
    [NPY_F32] = {"<f4", 4}, [NPY_F16] = {"<f2", 2}, [NPY_F64] = {"<f8", 8}, [NPY_U16] = {"<u2", 2},
    [NPY_U8] = {"|u1", 1},  [NPY_I8] = {"|i1", 1},  [NPY_I32] = {"<i4", 4},
};
enum { N_READ_TYPES = NPY_I8 + 1 };

const char *npy_type_name(enum npy_type type) { return types[type].name; }
size_t npy_type_bytes(enum npy_type type) { return types[type].bytes; }

bool npy_is(const void *file, uint64_t bytes)
{
    return bytes >= sizeof(magic) && memcmp(file, magic, sizeof(magic)) == 0;
}

void shape_text(const struct shape *shape, char text[SHAPE_TEXT])
{
    int used = snprintf(text, SHAPE_TEXT, "(");
    for (unsigned i = 0; i < shape->rank && used < SHAPE_TEXT - 48; i++)
        used += snprintf(text + used, (size_t)(SHAPE_TEXT - used), "%s%" PRIu64, i ? ", " : "",
                         shape->dims[i]);
    const char *end = used >= SHAPE_TEXT - 48 ? ", ...)" : shape->rank == 1 ? ",)" : ")";
    snprintf(text + used, (size_t)(SHAPE_TEXT - used), "%s", end);
}

/* ---- the header's text: a Python dict of three known keys ---------------------------------- */

struct reader {
    const char *name; /* of the file */
    const char *file, *at, *end;
    clnorm_error *error;
};

enum { TEXT_BYTES = 64 };

static bool expected(const struct reader *r, const char *what)
{
    return refuse(r->error, "%s: .npy header: expected %s at byte %zu of the file", r->name, what,
                  (size_t)(r->at - r->file));
}

static void skip_space(struct reader *r)
{
    while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at)
        r->at++;
}

static bool try_char(struct reader *r, char c)
{
    skip_space(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool take_char(struct reader *r, char c)
{
    const char what[] = {'\'', c, '\'', '\0'};
    return try_char(r, c) || expected(r, what);
}

static bool take_string(struct reader *r, char text[TEXT_BYTES])
{
    const char *begin;
    size_t length = 0;
    skip_space(r);
    if (r->at == r->end || (*r->at != '\'' && *r->at != '"'))
        return expected(r, "a string");
    const char quote = *r->at;
    begin = r->at + 1;
    while (begin + length < r->end && begin[length] != quote)
        length++;
    if (begin + length == r->end || length >= TEXT_BYTES || memchr(begin, '\\', length))
        return expected(r, "a string of at most 63 plain characters");
    memcpy(text, begin, length);
    text[length] = '\0';
    r->at = begin + length + 1;
    return true;
}

static bool take_number(struct reader *r, uint64_t *value)
{
    skip_space(r);
    const char *begin = r->at;
    uint64_t number = 0;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        const uint64_t digit = (uint64_t)(*r->at - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return refuse(r->error, "%s: .npy header: a dimension in 'shape' is above 2^64 - 1",
                          r->name);
        number = 10 * number + digit;
    }
    *value = number;
    return r->at > begin || expected(r, "a dimension, which is a whole number of at least 0");
}

static bool take_descr(struct reader *r, struct npy_array *array)
{
    char text[TEXT_BYTES];
    skip_space(r);
    if (r->at < r->end && *r->at == '[')
        return refuse(r->error, "%s: dtype is structured; allowed are %s", r->name, allowed_types);
    if (!take_string(r, text))
        return false;
    for (unsigned i = 0; i < N_READ_TYPES; i++)
        if (strcmp(text, types[i].name) == 0) {
            array->type = (enum npy_type)i;
            return true;
        }
    const char *kind = text[0] == '>' ? "big-endian" : strchr(text, 'O') ? "object" : "unsupported";
    return refuse(r->error, "%s: dtype '%s' is %s; allowed are %s", r->name, text, kind,
                  allowed_types);
}

static bool take_order(struct reader *r, struct npy_array *array)
{
    (void)array;
    static const char no[] = "False", yes[] = "True";
    skip_space(r);
    const size_t left = (size_t)(r->end - r->at);
    if (left >= sizeof(yes) - 1 && memcmp(r->at, yes, sizeof(yes) - 1) == 0)
        return refuse(
            r->error,
            "%s: fortran_order is True; must be False, as numpy.ascontiguousarray makes it",
            r->name);
    if (left < sizeof(no) - 1 || memcmp(r->at, no, sizeof(no) - 1) != 0)
        return expected(r, "True or False");
    r->at += sizeof(no) - 1;
    return true;
}

static bool take_shape(struct reader *r, struct npy_array *array)
{
    struct shape *shape = &array->shape;
    bool has_comma = true;
    if (!take_char(r, '('))
        return false;
    while (!try_char(r, ')')) {
        if (shape->rank > 0 && !has_comma)
            return expected(r, "',' or ')'");
        if (shape->rank == MAX_RANK)
            return refuse(r->error, "%s: 'shape' has more than %d dimensions", r->name, MAX_RANK);
        if (!take_number(r, &shape->dims[shape->rank++]))
            return false;
        has_comma = try_char(r, ',');
    }
    /* in Python, (5) is a number and (5,) a tuple */
    return shape->rank != 1 || has_comma || expected(r, "',' before ')' in 'shape'");
}

static bool take_dict(struct reader *r, struct npy_array *array)
{
    static const struct {
        const char *name;
        bool (*take)(struct reader *, struct npy_array *);
    } keys[] = {{"descr", take_descr}, {"fortran_order", take_order}, {"shape", take_shape}};
    enum { N_KEYS = sizeof(keys) / sizeof(keys[0]) };
    bool is_seen[N_KEYS] = {false};
    if (!take_char(r, '{'))
        return false;
    while (!try_char(r, '}')) {
        char key[TEXT_BYTES];
        size_t i = 0;
        if (!take_string(r, key))
            return false;
        while (i < N_KEYS && strcmp(key, keys[i].name) != 0)
            i++;
        if (i == N_KEYS || is_seen[i])
            return refuse(r->error, "%s: .npy header: key '%s' %s", r->name, key,
                          i == N_KEYS ? "is unknown; must be descr, fortran_order or shape"
                                      : "is there twice");
        is_seen[i] = true;
        if (!take_char(r, ':') || !keys[i].take(r, array))
            return false;
        if (!try_char(r, ',')) {
            if (!take_char(r, '}'))
                return false;
            break;
        }
    }
    for (size_t i = 0; i < N_KEYS; i++)
        if (!is_seen[i])
            return refuse(r->error, "%s: .npy header: key '%s' is missing", r->name, keys[i].name);
    skip_space(r);
    return r->at == r->end || expected(r, "the end of the header");
}

/* ---- the file ------------------------------------------------------------------------------ */

/* Magic, version, length: finds where the header's text begins and ends. */
static bool find_text(struct reader *r, uint64_t bytes)
{
    const unsigned char *file = (const unsigned char *)r->file;
    if (!npy_is(file, bytes))
        return refuse(r->error, "%s: not a .npy file: it does not begin with \\x93NUMPY", r->name);
    const unsigned major = bytes > 6 ? file[6] : 0;
    const unsigned length_bytes = major == 1 ? 2 : 4;
    const uint64_t begin = 8 + length_bytes;
    if (bytes > 6 && (major < 1 || major > 3))
        return refuse(r->error, "%s: .npy version %u; must be 1, 2 or 3", r->name, major);
    uint64_t length = 0;
    for (unsigned i = 0; bytes >= begin && i < length_bytes; i++)
        length |= (uint64_t)file[8 + i] << (8 * i);
    if (bytes < begin || length > bytes - begin)
        return refuse(r->error,
                      "%s: the .npy header is cut off: it needs %" PRIu64
                      " bytes and the file has %" PRIu64,
                      r->name, begin + length, bytes);
    r->at = r->file + begin;
    r->end = r->at + length;
    return true;
}

bool npy_parse(const char *name, const void *file, uint64_t bytes, struct npy_array *array,
               clnorm_error *error)
{
    struct reader r = {.name = name, .file = file, .error = error};
    *array = (struct npy_array){0};
    if (!find_text(&r, bytes) || !take_dict(&r, array))
        return false;
    char shape[SHAPE_TEXT];
    shape_text(&array->shape, shape);
    const size_t element_bytes = types[array->type].bytes;
    if (!shape_fits(&array->shape, element_bytes))
        return refuse(error, "%s: shape %s is more than %td bytes", name, shape, PTRDIFF_MAX);
    array->offset = (uint64_t)(r.end - r.file);
    array->bytes = element_bytes * shape_count(&array->shape, 0, array->shape.rank);
    const uint64_t found = bytes - array->offset;
    if (found != array->bytes)
        return refuse(error,
                      "%s: %s: shape %s of '%s' takes %" PRIu64 " bytes of data, the file has "
                      "%" PRIu64,
                      name, found < array->bytes ? "the data is cut off" : "too much data", shape,
                      types[array->type].name, array->bytes, found);
    return true;
}

size_t npy_header(char header[NPY_HEADER_MAX], enum npy_type type, const struct shape *shape)
{
    enum { TEXT = 10, ALIGNMENT = 64 };
    char *text = header + TEXT;
    const size_t room = NPY_HEADER_MAX - TEXT;
    size_t used = (size_t)snprintf(text, room, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                                   types[type].name);
    for (unsigned i = 0; i < shape->rank; i++)
        used +=
            (size_t)snprintf(text + used, room - used, "%s%" PRIu64, i ? ", " : "", shape->dims[i]);
    used += (size_t)snprintf(text + used, room - used, "%s), }", shape->rank == 1 ? "," : "");
    while ((TEXT + used + 1) % ALIGNMENT != 0)
        text[used++] = ' ';
    text[used++] = '\n';
    memcpy(header, magic, sizeof(magic));
    header[6] = 1;
    header[7] = 0;
    header[8] = (char)(used & 0xff);
    header[9] = (char)(used >> 8);
    return TEXT + used;
}

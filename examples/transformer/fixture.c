/* SPDX-License-Identifier: MIT */
#include "fixture.h"
#include "common/error.h"

#include <inttypes.h>
#include <stdlib.h>

static json_t *member(const struct tf_fixture *f, const json_t *of, const char *key)
{
    json_t *value = json_object_get(of, key);
    if (!value)
        ex_die(EX_USAGE, "'%s' has no '%s'", f->path, key);
    return value;
}

static uint64_t size(const struct tf_fixture *f, const char *key, json_int_t most)
{
    const json_t *value = member(f, f->root, key);
    const json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < 1 || n > most)
        ex_die(EX_USAGE, "'%s': '%s' must be a whole number from 1 to %lld", f->path, key,
               (long long)most);
    return (uint64_t)n;
}

/* The array `key`, of n numbers. */
static const json_t *numbers(const struct tf_fixture *f, const json_t *of, const char *key,
                             size_t n)
{
    const json_t *array = member(f, of, key);
    if (json_array_size(array) != n)
        ex_die(EX_USAGE, "'%s': '%s' must be an array of %zu numbers", f->path, key, n);
    for (size_t i = 0; i < n; i++)
        if (!json_is_number(json_array_get(array, i)))
            ex_die(EX_USAGE, "'%s': '%s' has something else than a number at %zu", f->path, key, i);
    return array;
}

static void take(const struct tf_fixture *f, const json_t *of, const char *key, size_t n, float *to)
{
    const json_t *array = numbers(f, of, key, n);
    for (size_t i = 0; i < n; i++)
        to[i] = (float)json_number_value(json_array_get(array, i));
}

static void take_parameters(struct tf_fixture *f)
{
    const json_t *all = member(f, f->root, "parameters");
    for (uint64_t block = 0; block <= f->shape.depth; block++)
        for (int p = 0; p < tf_count(&f->shape, block); p++) {
            const struct tf_place place = tf_place(&f->shape, block, p);
            char name[TF_NAME_BYTES];
            tf_name(&f->shape, block, p, name);
            take(f, all, name, place.rows * place.cols, f->parameters + place.offset);
        }
}

static void take_shape(struct tf_fixture *f)
{
    f->shape = (struct tf_shape){true, size(f, "tokens", 4096), size(f, "width", 4096),
                                 size(f, "heads", 4096), size(f, "depth", 64)};
    if (f->shape.width % f->shape.heads)
        ex_die(EX_USAGE, "'%s': %" PRIu64 " heads do not divide a width of %" PRIu64, f->path,
               f->shape.heads, f->shape.width);
}

void tf_fixture_open(struct tf_fixture *f, const char *path)
{
    json_error_t error;
    *f = (struct tf_fixture){.path = path, .root = json_load_file(path, 0, &error)};
    if (!f->root)
        ex_die(EX_USAGE, "'%s', line %d: %s", path, error.line, error.text);
    take_shape(f);
    const size_t rows = f->shape.tokens * f->shape.width;
    f->x = ex_alloc(rows, sizeof(float));
    f->dy = ex_alloc(rows, sizeof(float));
    f->parameters = ex_alloc(tf_parameters(&f->shape), sizeof(float));
    take(f, f->root, "x", rows, f->x);
    take(f, f->root, "dy", rows, f->dy);
    take_parameters(f);
}

void tf_fixture_close(struct tf_fixture *f)
{
    json_decref(f->root);
    free(f->x);
    free(f->dy);
    free(f->parameters);
}

struct tf_expected tf_expected(const struct tf_fixture *f, bool pre, const char *name, size_t n)
{
    const json_t *result = member(f, member(f, f->root, pre ? "pre" : "post"), name);
    return (struct tf_expected){numbers(f, result, "value", n), numbers(f, result, "bound", n)};
}

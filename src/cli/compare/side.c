/* SPDX-License-Identifier: MIT */
#include "cli/compare/compare.h"
#include "cli/result/about.h"

#include <stdlib.h>
#include <string.h>

static const json_t *list_of(const struct result_file *file, const char *key)
{
    return json_object_get(file->document, key);
}

static bool collect_cases(struct compare_side *side)
{
    const json_t *results = list_of(side->file, "results");
    bool ok = (side->cases = json_object()) != NULL;
    for (size_t i = 0; ok && i < json_array_size(results); i++) {
        json_t *result = json_array_get(results, i);
        if ((size_t)json_integer_value(json_object_get(result, "device")) == side->device_place)
            ok = json_object_set(side->cases, json_text_at(result, "case"), result) == 0;
    }
    return ok;
}

static bool add_side(struct compare_sides *sides, const struct result_file *file, size_t file_place,
                     size_t device_place)
{
    const json_t *devices = list_of(file, "devices");
    struct compare_side *side = &sides->list[sides->n++];
    *side = (struct compare_side){.file = file,
                                  .device = json_array_get(devices, device_place),
                                  .file_place = file_place,
                                  .device_place = device_place};
    const int letter = 'A' + (int)file_place;
    if (json_array_size(devices) == 1)
        snprintf(side->label, sizeof(side->label), "%c", letter);
    else
        snprintf(side->label, sizeof(side->label), "%c:%u", letter, (unsigned)device_place);
    return collect_cases(side);
}

bool compare_sides_make(struct compare_sides *sides, const struct result_files *files,
                        clnorm_error *error)
{
    size_t n = 0;
    for (size_t i = 0; i < files->n; i++)
        n += json_array_size(list_of(&files->list[i], "devices"));
    if (files->n > COMPARE_MOST_FILES || n > COMPARE_MOST_SIDES)
        return refuse(error, "%zu files with %zu devices are given; at most %d can be compared",
                      files->n, n, COMPARE_MOST_SIDES);
    if (n < 2)
        return refuse(error, "%zu devices are there to compare; must be at least two", n);
    const size_t bytes = n * sizeof(sides->list[0]);
    sides->list = malloc(bytes);
    bool ok = sides->list != NULL;
    for (size_t i = 0; ok && i < files->n; i++)
        for (size_t k = 0; ok && k < json_array_size(list_of(&files->list[i], "devices")); k++)
            ok = add_side(sides, &files->list[i], i, k);
    return ok || out_of_memory(error, bytes);
}

void compare_sides_release(struct compare_sides *sides)
{
    for (size_t i = 0; i < sides->n; i++)
        json_decref(sides->list[i].cases);
    free(sides->list);
    *sides = (struct compare_sides){0};
}

const struct compare_side *compare_side_named(const struct compare_sides *sides, const char *label)
{
    for (size_t i = 0; i < sides->n; i++) {
        const char *own = sides->list[i].label;
        const bool is_whole = !strcmp(own, label);
        /* "A:0" is right, too, where A has one device */
        if (is_whole || (!own[1] && own[0] == label[0] && !strcmp(label + 1, ":0")))
            return &sides->list[i];
    }
    return NULL;
}

static const struct compare_side *find_like(const struct compare_sides *sides,
                                            const struct compare_side *side, size_t file_place,
                                            bool with_host)
{
    char key[RESULT_DEVICE_KEY], other[RESULT_DEVICE_KEY];
    if (!result_device_key(side->file->document, side->device_place, with_host, key))
        return NULL;
    for (size_t i = 0; i < sides->n; i++) {
        const struct compare_side *s = &sides->list[i];
        if (s->file_place == file_place &&
            result_device_key(s->file->document, s->device_place, with_host, other) &&
            !strcmp(key, other))
            return s;
    }
    return NULL;
}

/* That of another machine is taken where neither has a counterpart of its own machine. */
const struct compare_side *compare_side_like(const struct compare_sides *sides,
                                             const struct compare_side *side, size_t file_place)
{
    const struct compare_side *same = find_like(sides, side, file_place, true);
    if (same)
        return same;
    const struct compare_side *other = find_like(sides, side, file_place, false);
    return other && !find_like(sides, other, side->file_place, true) ? other : NULL;
}

/* ---- differences --------------------------------------------------------------------------- */

typedef void fact_fn(const struct compare_side *side, char *text, size_t room);

/* `key` of what is in `group`, or of the device. */
struct fact {
    const char *what, *group, *key;
    fact_fn *text; /* writes it, where that is not NULL */
};

static void value_text(const json_t *value, char *text, size_t room)
{
    *text = '\0';
    if (json_is_string(value))
        snprintf(text, room, "%s", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(text, room, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
}

static void machine_text(const struct compare_side *side, char *text, size_t room)
{
    char host[RESULT_HOST_TEXT];
    result_host_text(side->file->document, side->device, host);
    snprintf(text, room, "%s", host);
}

/* "cold", "warm" or "cold and warm" */
static void cache_text(const struct compare_side *side, char *text, size_t room)
{
    const char *name;
    json_t *result;
    bool cold = false, warm = false;
    json_object_foreach(side->cases, name, result)
    {
        const bool is_warm = !strcmp(json_text_at(result, "cache"), "warm");
        warm = warm || is_warm;
        cold = cold || !is_warm;
    }
    snprintf(text, room, "%s%s%s", cold ? "cold" : "", cold && warm ? " and " : "",
             warm ? "warm" : "");
}

static const struct fact driver = {"driver", NULL, "driver_version", NULL};
static const struct fact created = {"time", NULL, "created", NULL};

static const struct fact facts[] = {
    {"device", NULL, "name", NULL},
    {"platform", NULL, "platform", NULL},
    {"platform version", NULL, "platform_version", NULL},
    {"driver", NULL, "driver_version", NULL},
    {"version", "tool", "version", NULL},
    {"commit", "tool", "commit", NULL},
    {"build", "tool", "build", NULL},
    {"compiler", "tool", "compiler", NULL},
    {"machine", NULL, NULL, machine_text},
    {"system", "host", "os", NULL},
    {"kernel", "host", "kernel", NULL},
    {"rounds", "settings", "rounds", NULL},
    {"traffic model", "settings", "traffic_model", NULL},
    {"clock", "timer", "chosen", NULL},
    {"cache", NULL, NULL, cache_text},
};
enum { N_FACTS = sizeof(facts) / sizeof(facts[0]) };
_Static_assert((size_t)N_FACTS <= (size_t)COMPARE_MOST_DIFFERENCES, "all may differ");

/* number: 0 is what the device itself says, others are its "runs". */
static const json_t *value_of_run(const struct compare_side *side, size_t number,
                                  const struct fact *fact)
{
    const json_t *runs = json_object_get(side->device, "runs");
    const json_t *run = number > 0 ? json_array_get(runs, number - 1) : NULL;
    const json_t *value = result_about(side->file->document, side->device, run,
                                       fact->group ? fact->group : fact->key);
    return fact->group ? json_object_get(value, fact->key) : value;
}

static bool is_new(const struct compare_side *side, size_t number, const struct fact *fact)
{
    const json_t *value = value_of_run(side, number, fact);
    for (size_t i = 0; i < number; i++)
        if (json_equal(value_of_run(side, i, fact), value))
            return false;
    return true;
}

/* "3.0.1", or "3.0.1 and 9.0" of several runs. */
static void fact_text(const struct compare_side *side, const struct fact *fact, char *text,
                      size_t room)
{
    const size_t n = json_array_size(json_object_get(side->device, "runs"));
    char value[128];
    size_t used = 0;
    *text = '\0';
    if (fact->text) {
        fact->text(side, text, room);
        return;
    }
    for (size_t i = 0; i <= n && used < room; i++) {
        value_text(value_of_run(side, i, fact), value, sizeof(value));
        if (*value && is_new(side, i, fact))
            used += (size_t)snprintf(text + used, room - used, "%s%s", used ? " and " : "", value);
    }
}

void compare_side_text(const struct compare_side *side, char *text, size_t room)
{
    char versions[128];
    fact_text(side, &driver, versions, sizeof(versions));
    snprintf(text, room, "%s (%s, driver %s)", json_text_at(side->device, "name"),
             json_text_at(side->device, "platform"), versions);
}

void compare_side_created(const struct compare_side *side, char *text, size_t room)
{
    fact_text(side, &created, text, room);
}

size_t compare_differences(const struct compare_side *a, const struct compare_side *b,
                           struct compare_difference *list)
{
    size_t n = 0;
    for (size_t i = 0; i < N_FACTS; i++) {
        struct compare_difference *d = &list[n];
        d->what = facts[i].what;
        fact_text(a, &facts[i], d->a, sizeof(d->a));
        fact_text(b, &facts[i], d->b, sizeof(d->b));
        n += *d->a && *d->b && strcmp(d->a, d->b) != 0;
    }
    return n;
}

/* That of the first of its results that is not `usual`; else this. */
static json_int_t other_model(const struct compare_side *side, json_int_t usual)
{
    const char *name;
    json_t *result;
    json_object_foreach(side->cases, name, result)
    {
        const json_int_t model =
            result_traffic_model(result_fact(side->file->document, result, "settings"));
        if (model != usual)
            return model;
    }
    return usual;
}

bool compare_models_agree(const struct compare_side *a, const struct compare_side *b,
                          clnorm_error *error)
{
    const json_int_t usual =
        result_traffic_model(result_about(a->file->document, a->device, NULL, "settings"));
    const struct compare_side *odd = other_model(a, usual) != usual ? a : b;
    return other_model(odd, usual) == usual ||
           refuse(error,
                  "%s counts bytes by traffic model %" JSON_INTEGER_FORMAT
                  ", and %s by %" JSON_INTEGER_FORMAT
                  ": rates and shares of the copy mean other things; measure again, or give "
                  "--force",
                  a->label, usual, odd->label, other_model(odd, usual));
}

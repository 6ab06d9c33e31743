/* SPDX-License-Identifier: MIT */
#include "cli/result/merge.h"
#include "cli/result/about.h"

#include <string.h>

enum { KEY_ROOM = 1024 };

static bool merge_begin(struct result_merge *merge, const json_t *document)
{
    merge->document = json_copy((json_t *)document);
    merge->devices = json_object();
    merge->results = json_object();
    merge->runs = json_array();
    return merge->document && merge->devices && merge->results && merge->runs &&
           json_object_set_new(merge->document, "devices", json_array()) == 0 &&
           json_object_set_new(merge->document, "results", json_array()) == 0;
}

/* Puts it behind the others, as `key` of `places`. */
static bool append(json_t *array, json_t *places, const char *key, json_t *element)
{
    const json_int_t place = (json_int_t)json_array_size(array);
    return json_array_append_new(array, element) == 0 &&
           json_object_set_new(places, key, json_integer(place)) == 0;
}

/* ---- devices ------------------------------------------------------------------------------- */

static void warn_of_driver(const json_t *runs, const json_t *device, const char *name)
{
    const json_t *last = json_array_get(runs, json_array_size(runs) - 1);
    const char *before = json_text_at(last, "driver_version"),
               *now = json_text_at(device, "driver_version");
    if (last && strcmp(before, now) != 0)
        complain("%s: device '%s' has driver '%s', and '%s' in a file before it: each result keeps "
                 "its own",
                 name, json_text_at(device, "name"), now, before);
}

/* The runs of the device of the whole that the one at `index` of `document` is; NULL: no memory. */
static json_t *find_runs(struct result_merge *merge, const json_t *document, size_t index,
                         json_int_t *place)
{
    char key[RESULT_DEVICE_KEY];
    if (!result_device_key(document, index, true, key))
        return NULL;
    const json_t *known = json_object_get(merge->devices, key);
    *place = known ? json_integer_value(known) : (json_int_t)json_array_size(merge->runs);
    if (!known && !append(merge->runs, merge->devices, key, json_array()))
        return NULL;
    return json_array_get(merge->runs, (size_t)*place);
}

/* Adds the number of this run among the others to `numbers`; it becomes one of them if it is none
 * yet. */
static bool merge_run(json_t *runs, json_t *run, json_t *numbers)
{
    size_t i = 0;
    if (!run)
        return false;
    json_object_del(run, "runs");
    while (i < json_array_size(runs) && !json_equal(json_array_get(runs, i), run))
        i++;
    const bool is_known = i < json_array_size(runs);
    const bool ok = is_known || json_array_append(runs, run) == 0;
    json_decref(run);
    return ok && json_array_append_new(numbers, json_integer((json_int_t)i)) == 0;
}

/* Adds [place of the device, number of its own run, numbers of its "runs"...] to `places`. */
static bool merge_device(struct result_merge *merge, const json_t *document, size_t index,
                         const char *name, json_t *places)
{
    const json_t *device = json_array_get(json_object_get(document, "devices"), index);
    const json_t *others = json_object_get(device, "runs");
    json_int_t place = 0;
    json_t *runs = find_runs(merge, document, index, &place);
    json_t *numbers = json_pack("[I]", place);
    bool ok = json_array_append_new(places, numbers) == 0 && runs;
    if (ok)
        warn_of_driver(runs, device, name);
    for (size_t i = 0; ok && i <= json_array_size(others); i++) {
        const json_t *run = i > 0 ? json_array_get(others, i - 1) : NULL;
        ok = merge_run(runs, result_run_whole(document, device, run), numbers);
    }
    return ok;
}

/* ---- results ------------------------------------------------------------------------------- */

/* A copy of it with its device and its run in the whole. NULL: out of memory. */
static json_t *result_in_whole(const json_t *result, const json_t *numbers)
{
    const json_t *run = json_object_get(result, "run");
    const size_t place = json_is_integer(run) ? 2 + (size_t)json_integer_value(run) : 1;
    json_t *copy = json_copy((json_t *)result);
    if (copy && json_object_set(copy, "device", json_array_get(numbers, 0)) == 0 &&
        json_object_set(copy, "run", json_array_get(numbers, place)) == 0)
        return copy;
    json_decref(copy);
    return NULL;
}

static bool merge_result(struct result_merge *merge, const json_t *result, const json_t *numbers,
                         const char *name)
{
    json_t *all = json_object_get(merge->document, "results");
    json_t *copy = result_in_whole(result, numbers);
    char key[KEY_ROOM];
    const char *text = json_text_at(result, "case");
    const json_int_t device = json_integer_value(json_array_get(numbers, 0));
    const int length = snprintf(key, sizeof(key), "%" JSON_INTEGER_FORMAT " %s", device, text);
    if (!copy || (size_t)length >= sizeof(key)) {
        json_decref(copy);
        return false;
    }
    const json_t *known = json_object_get(merge->results, key);
    if (!known)
        return append(all, merge->results, key, copy);
    complain("%s: '%s' of device %" JSON_INTEGER_FORMAT " takes the place of an earlier result",
             name, text, device);
    return json_array_set_new(all, (size_t)json_integer_value(known), copy) == 0;
}

static bool merge_all(struct result_merge *merge, const json_t *document, const char *name)
{
    const json_t *results = json_object_get(document, "results");
    const size_t n = json_array_size(json_object_get(document, "devices"));
    json_t *places = json_array();
    bool ok = places != NULL;
    for (size_t i = 0; ok && i < n; i++)
        ok = merge_device(merge, document, i, name, places);
    for (size_t i = 0; ok && i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        const json_int_t device = json_integer_value(json_object_get(result, "device"));
        ok = merge_result(merge, result, json_array_get(places, (size_t)device), name);
    }
    json_decref(places);
    return ok;
}

static bool refuse_merge(const char *name, clnorm_error *error)
{
    return refuse(error,
                  "%s: cannot be merged: out of memory, or a name of more than %d characters", name,
                  KEY_ROOM - 32);
}

bool result_merge_add(struct result_merge *merge, const json_t *document, const char *name,
                      clnorm_error *error)
{
    const bool ok =
        (merge->document || merge_begin(merge, document)) && merge_all(merge, document, name);
    if (ok && json_is_false(json_object_get(document, "complete")))
        json_object_set_new(merge->document, "complete", json_false());
    return ok || refuse_merge(name, error);
}

/* ---- the whole ----------------------------------------------------------------------------- */

static json_int_t run_of(const json_t *result)
{
    return json_integer_value(json_object_get(result, "run"));
}

static bool is_of_device(const json_t *result, size_t place)
{
    return (size_t)json_integer_value(json_object_get(result, "device")) == place;
}

static bool has_results(const json_t *results, size_t place, size_t run)
{
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        if (is_of_device(result, place) && (size_t)run_of(result) == run)
            return true;
    }
    return false;
}

/* Those of the device that are behind it have a lower number then. */
static void drop_run(const json_t *results, size_t place, json_t *runs, size_t run)
{
    json_array_remove(runs, run);
    for (size_t i = 0; i < json_array_size(results); i++) {
        json_t *result = json_array_get(results, i);
        if (is_of_device(result, place) && (size_t)run_of(result) > run)
            json_object_set_new(result, "run", json_integer(run_of(result) - 1));
    }
}

/* All of whose results were replaced; one run stays in any case. */
static void drop_empty_runs(const json_t *results, size_t place, json_t *runs)
{
    for (size_t i = 0; i < json_array_size(runs) && json_array_size(runs) > 1;)
        if (has_results(results, place, i))
            i++;
        else
            drop_run(results, place, runs, i);
}

/* What of the run is not the same in the first one. NULL: out of memory. */
static json_t *run_beside(const json_t *first, const json_t *run)
{
    json_t *difference = json_object(), *value;
    const char *key;
    json_object_foreach((json_t *)run, key, value)
    {
        const json_t *before = json_object_get(first, key);
        if (!before || !json_equal(before, value))
            json_object_set(difference, key, value);
    }
    json_object_foreach((json_t *)first, key, value)
    {
        if (!json_object_get(run, key))
            json_object_set_new(difference, key, json_null());
    }
    return difference;
}

/* NULL: out of memory. */
static json_t *device_of_runs(const json_t *document, const json_t *runs)
{
    const json_t *first = json_array_get(runs, 0);
    json_t *device = json_copy((json_t *)first), *others = json_array();
    for (const char *const *key = result_run_keys; device && *key; key++)
        if (!json_object_get(device, *key) && json_object_get(document, *key))
            json_object_set_new(device, *key, json_null());
    for (size_t i = 1; i < json_array_size(runs); i++)
        json_array_append_new(others, run_beside(first, json_array_get(runs, i)));
    if (device && json_array_size(others) > 0)
        json_object_set(device, "runs", others);
    json_decref(others);
    return device ? result_device_in(document, device) : NULL;
}

/* The document says what is true of its first device. */
static void set_document(json_t *document, const json_t *first)
{
    for (const char *const *key = result_run_keys; first && *key; key++) {
        json_t *value = json_object_get(first, *key);
        if (value)
            json_object_set(document, *key, value);
        else
            json_object_del(document, *key);
    }
}

/* From the number of a run to its place behind the first. */
static void set_places(const json_t *results)
{
    for (size_t i = 0; i < json_array_size(results); i++) {
        json_t *result = json_array_get(results, i);
        if (run_of(result) > 0)
            json_object_set_new(result, "run", json_integer(run_of(result) - 1));
        else
            json_object_del(result, "run");
    }
}

bool result_merge_finish(struct result_merge *merge, clnorm_error *error)
{
    json_t *devices = json_object_get(merge->document, "devices");
    const json_t *results = json_object_get(merge->document, "results");
    bool ok = true;
    for (size_t i = 0; i < json_array_size(merge->runs); i++)
        drop_empty_runs(results, i, json_array_get(merge->runs, i));
    set_document(merge->document, json_array_get(json_array_get(merge->runs, 0), 0));
    for (size_t i = 0; ok && i < json_array_size(merge->runs); i++)
        ok = json_array_append_new(
                 devices, device_of_runs(merge->document, json_array_get(merge->runs, i))) == 0;
    set_places(results);
    return ok || refuse(error, "the files cannot be merged: out of memory");
}

void result_merge_release(struct result_merge *merge)
{
    json_decref(merge->document);
    json_decref(merge->devices);
    json_decref(merge->results);
    json_decref(merge->runs);
    *merge = (struct result_merge){0};
}

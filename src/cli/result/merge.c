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
    return merge->document && merge->devices && merge->results &&
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

static void warn_of_driver(const json_t *kept, const json_t *device, const char *name)
{
    const char *before = json_text_at(kept, "driver_version"),
               *now = json_text_at(device, "driver_version");
    if (strcmp(before, now) != 0)
        complain("%s: device '%s' has driver '%s', and '%s' in a file before it: its results are "
                 "kept under that",
                 name, json_text_at(device, "name"), now, before);
}

/* The device of the whole that the one at `index` of `document` is; added if it is new. */
static bool merge_device(struct result_merge *merge, const json_t *document, size_t index,
                         const char *name, json_int_t *place)
{
    const json_t *device = json_array_get(json_object_get(document, "devices"), index);
    json_t *all = json_object_get(merge->document, "devices");
    char key[RESULT_DEVICE_KEY];
    if (!result_device_key(document, index, true, key))
        return false;
    const json_t *known = json_object_get(merge->devices, key);
    *place = known ? json_integer_value(known) : (json_int_t)json_array_size(all);
    if (!known)
        return append(all, merge->devices, key,
                      result_device_in(merge->document, document, device));
    warn_of_driver(json_array_get(all, (size_t)*place), device, name);
    return true;
}

/* ---- results ------------------------------------------------------------------------------- */

static bool merge_result(struct result_merge *merge, const json_t *result, json_int_t device,
                         const char *name)
{
    json_t *all = json_object_get(merge->document, "results");
    json_t *copy = json_copy((json_t *)result);
    char key[KEY_ROOM];
    const char *text = json_text_at(result, "case");
    const int length = snprintf(key, sizeof(key), "%" JSON_INTEGER_FORMAT " %s", device, text);
    if (!copy || (size_t)length >= sizeof(key) ||
        json_object_set_new(copy, "device", json_integer(device)) != 0) {
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
    json_int_t place;
    bool ok = places != NULL;
    for (size_t i = 0; ok && i < n; i++)
        ok = merge_device(merge, document, i, name, &place) &&
             json_array_append_new(places, json_integer(place)) == 0;
    for (size_t i = 0; ok && i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        const json_int_t device = json_integer_value(json_object_get(result, "device"));
        place = json_integer_value(json_array_get(places, (size_t)device));
        ok = merge_result(merge, result, place, name);
    }
    json_decref(places);
    return ok;
}

bool result_merge_add(struct result_merge *merge, const json_t *document, const char *name,
                      clnorm_error *error)
{
    const bool ok =
        (merge->document || merge_begin(merge, document)) && merge_all(merge, document, name);
    if (ok && json_is_false(json_object_get(document, "complete")))
        json_object_set_new(merge->document, "complete", json_false());
    return ok || refuse(error,
                        "%s: cannot be merged: out of memory, or a name of more than %d "
                        "characters",
                        name, KEY_ROOM - 32);
}

void result_merge_release(struct result_merge *merge)
{
    json_decref(merge->document);
    json_decref(merge->devices);
    json_decref(merge->results);
    *merge = (struct result_merge){0};
}

/* SPDX-License-Identifier: MIT */
#include "cli/result/about.h"

#include <math.h>
#include <string.h>

const char *const result_run_keys[] = {"host", "tool", "settings", "created", "command", NULL};

static const json_t *device_of(const json_t *document, const json_t *result)
{
    const json_int_t place = json_integer_value(json_object_get(result, "device"));
    return json_array_get(json_object_get(document, "devices"), (size_t)place);
}

/* NULL: the device itself says all of it. */
static const json_t *run_of(const json_t *document, const json_t *result)
{
    const json_t *run = json_object_get(result, "run");
    const json_t *runs = json_object_get(device_of(document, result), "runs");
    return json_is_integer(run) ? json_array_get(runs, (size_t)json_integer_value(run)) : NULL;
}

const json_t *result_about(const json_t *document, const json_t *device, const json_t *run,
                           const char *key)
{
    const json_t *of_run = json_object_get(run, key), *own = json_object_get(device, key);
    return of_run ? of_run : own ? own : json_object_get(document, key);
}

const json_t *result_fact(const json_t *document, const json_t *result, const char *key)
{
    return result_about(document, device_of(document, result), run_of(document, result), key);
}

json_t *result_run_whole(const json_t *document, const json_t *device, const json_t *run)
{
    json_t *whole = json_copy((json_t *)device);
    bool ok = whole && (!run || json_object_update(whole, (json_t *)run) == 0);
    for (const char *const *key = result_run_keys; ok && *key; key++) {
        const json_t *value = result_about(document, device, run, *key);
        ok = !value || json_object_set(whole, *key, (json_t *)value) == 0;
    }
    if (ok)
        return whole;
    json_decref(whole);
    return NULL;
}

json_t *result_device_in(const json_t *document, json_t *whole)
{
    for (const char *const *key = result_run_keys; *key; key++) {
        const json_t *own = json_object_get(whole, *key);
        if (own && json_equal(own, json_object_get(document, *key)))
            json_object_del(whole, *key);
    }
    return whole;
}

json_int_t result_traffic_model(const json_t *settings)
{
    const json_t *model = json_object_get(settings, "traffic_model");
    return model ? json_integer_value(model) : 1;
}

/* ---- which device it is -------------------------------------------------------------------- */

/* Kernels keep some of the memory for themselves, one more than another. */
static json_int_t gibibytes(const json_t *host)
{
    return llround(json_number_at(host, "mem_bytes") / ((json_int_t)1 << 30));
}

static const char *known(const char *text) { return *text ? text : "?"; }

void result_host_text(const json_t *document, const json_t *device, char text[RESULT_HOST_TEXT])
{
    const json_t *host = result_about(document, device, NULL, "host");
    snprintf(text, RESULT_HOST_TEXT,
             "%.200s, %" JSON_INTEGER_FORMAT " processors, %.60s, %" JSON_INTEGER_FORMAT " GiB",
             known(json_text_at(host, "cpu")), json_integer_value(json_object_get(host, "cpus")),
             known(json_text_at(host, "arch")), gibibytes(host));
}

static bool write_identity(const json_t *document, size_t place, bool with_host,
                           char key[RESULT_DEVICE_KEY])
{
    const json_t *device = json_array_get(json_object_get(document, "devices"), place);
    char host[RESULT_HOST_TEXT] = "";
    if (with_host)
        result_host_text(document, device, host);
    return (size_t)snprintf(key, RESULT_DEVICE_KEY, "%s on %s", json_text_at(device, "id"), host) <
           RESULT_DEVICE_KEY;
}

bool result_device_key(const json_t *document, size_t place, bool with_host,
                       char key[RESULT_DEVICE_KEY])
{
    char own[RESULT_DEVICE_KEY], other[RESULT_DEVICE_KEY];
    size_t before = 0;
    bool ok = write_identity(document, place, with_host, own);
    for (size_t i = 0; ok && i < place; i++) {
        ok = write_identity(document, i, with_host, other);
        before += !strcmp(own, other);
    }
    return ok &&
           (size_t)snprintf(key, RESULT_DEVICE_KEY, "%s, %zu", own, before) < RESULT_DEVICE_KEY;
}

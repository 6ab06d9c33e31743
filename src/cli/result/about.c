/* SPDX-License-Identifier: MIT */
#include "cli/result/about.h"

#include <math.h>
#include <string.h>

/* What may differ from device to device once documents are merged. */
static const char *const of_device[] = {"host", "tool", "settings", "created"};
enum { N_OF_DEVICE = sizeof(of_device) / sizeof(of_device[0]) };

const json_t *result_about(const json_t *document, const json_t *device, const char *key)
{
    const json_t *own = json_object_get(device, key);
    return own ? own : json_object_get(document, key);
}

json_t *result_device_in(const json_t *whole, const json_t *document, const json_t *device)
{
    json_t *copy = json_copy((json_t *)device);
    for (size_t i = 0; copy && i < N_OF_DEVICE; i++) {
        const json_t *value = result_about(document, device, of_device[i]);
        if (value && !json_equal(value, json_object_get(whole, of_device[i])) &&
            json_object_set(copy, of_device[i], (json_t *)value) != 0) {
            json_decref(copy);
            return NULL;
        }
    }
    return copy;
}

json_int_t result_traffic_model(const json_t *document, const json_t *device)
{
    const json_t *settings = result_about(document, device, "settings");
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
    const json_t *host = result_about(document, device, "host");
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

/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "cli/check/page.h"
#include "cli/interrupt.h"
#include "cli/html/page.h"

#include <time.h>

static json_t *device_json(const clnorm_device *device)
{
    return json_pack("{s:i, s:o, s:o, s:o, s:i, s:I}", "index", (int)device->index, "name",
                     json_text(device->name), "platform", json_text(device->platform_name),
                     "driver", json_text(device->driver), "compute_units",
                     (int)device->compute_units, "mem_bytes", (json_int_t)device->global_bytes);
}

/* The lines of a device follow each other. */
static json_t *devices_json(const struct check_report *report)
{
    json_t *devices = json_array();
    for (size_t i = 0; i < report->n_lines; i++)
        if (i == 0 || report->lines[i].device != report->lines[i - 1].device)
            json_array_append_new(devices, device_json(report->lines[i].device));
    return devices;
}

static json_t *now_json(void)
{
    char text[32];
    const time_t now = time(NULL);
    struct tm utc;
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    return json_string(text);
}

/* What --json prints, and what a page is asked for beside it. */
static json_t *page_data(const struct check_report *report, const char *title, uint64_t seed)
{
    json_t *data = check_report_data(report);
    json_t *results = json_object_get(data, "results");
    for (size_t i = 0; i < report->n_lines; i++)
        json_object_set_new(json_array_get(results, i), "compared",
                            json_integer((json_int_t)report->lines[i].compared));
    json_t *more = json_pack("{s:o, s:o, s:b, s:I, s:o}", "title", json_text(title), "created",
                             now_json(), "complete", !interrupt_pending(), "seed", (json_int_t)seed,
                             "devices", devices_json(report));
    const bool ok = more && json_object_update(data, more) == 0;
    json_decref(more);
    if (ok)
        return data;
    json_decref(data);
    return NULL;
}

static size_t count_devices(const struct check_report *report)
{
    size_t count = 0;
    for (size_t i = 0; i < report->n_lines; i++)
        count += i == 0 || report->lines[i].device != report->lines[i - 1].device;
    return count;
}

bool check_page_write(const struct check_report *report, const char *path, uint64_t seed,
                      clnorm_error *error)
{
    char title[sizeof(report->lines[0].device->name) + 32];
    const size_t n = count_devices(report);
    if (n == 1)
        snprintf(title, sizeof(title), "Check of %s", report->lines[0].device->name);
    else
        snprintf(title, sizeof(title), "Check of %zu devices", n);
    return page_write(path, PAGE_CHECK, title, page_data(report, title, seed), error);
}

/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/devices/doctor.h"
#include "cli/findings.h"
#include "cli/table.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *name;
    cl_device_type bit;
} types[] = {
    {"gpu", CL_DEVICE_TYPE_GPU},
    {"acc", CL_DEVICE_TYPE_ACCELERATOR},
    {"cpu", CL_DEVICE_TYPE_CPU},
};

/* What is shown: some or all of a list. */
struct view {
    clnorm_device *devices;
    size_t count;
    size_t *shown, n_shown;
};

static size_t n_usable(const struct view *view)
{
    size_t n = 0;
    for (size_t i = 0; i < view->n_shown; i++)
        n += view->devices[view->shown[i]].usable != 0;
    return n;
}

static clnorm_status view_fill(struct view *view, const char *selector, clnorm_error *error)
{
    clnorm_status status = clnorm_devices_list(&view->devices, &view->count, error);
    if (status != CLNORM_OK)
        return status;
    view->shown = calloc(view->count + 1, sizeof(*view->shown));
    if (!view->shown) {
        out_of_memory(error, (view->count + 1) * sizeof(*view->shown));
        return error->status;
    }
    if (selector)
        return clnorm_devices_select(view->devices, view->count, selector, view->shown,
                                     &view->n_shown, error);
    for (; view->n_shown < view->count; view->n_shown++)
        view->shown[view->n_shown] = view->n_shown;
    return CLNORM_OK;
}

static void view_release(struct view *view)
{
    clnorm_devices_free(view->devices);
    free(view->shown);
}

/* ---- text ---- */

/* "gpu", or "gpu+acc+cpu": a simulator may claim to be everything. */
static const char *type_text(cl_device_type type, char *text, size_t capacity)
{
    size_t used = 0;
    snprintf(text, capacity, "-");
    for (size_t i = 0; i < COUNT(types); i++)
        if (type & types[i].bit)
            used += (size_t)snprintf(text + used, capacity - used, "%s%s", used ? "+" : "",
                                     types[i].name);
    return text;
}

static void add_row(struct table *table, const clnorm_device *device)
{
    static const char *const precisions[] = {"32", "32 64", "16 32", "16 32 64"};
    char type[32];
    const bool is_alias = device->alias_of >= 0;
    const enum table_tone tone = !device->usable ? TONE_BAD : is_alias ? TONE_FAINT : TONE_PLAIN;
    table_add(table, tone, "%u", device->index);
    table_add(table, tone, "%u:%u", device->platform, device->ordinal);
    table_add(table, tone, "%s", type_text(device->type, type, sizeof(type)));
    table_add(table, tone, "%s", device->name[0] ? device->name : "-");
    table_add(table, tone, "%s", device->platform_name);
    table_add(table, tone, "%u", device->compute_units);
    table_add(table, tone, "%.1f GiB", (double)device->global_bytes / (1u << 30));
    table_add(table, tone, "%s", precisions[2 * (device->has_fp16 != 0) + (device->has_fp64 != 0)]);
    if (!device->usable)
        table_add(table, tone, "not usable");
    else if (is_alias)
        table_add(table, tone, "alias of %d", device->alias_of);
    else
        table_add(table, TONE_GOOD, "ok");
}

static int print_table(const struct view *view, bool color)
{
    static const struct table_column columns[] = {
        {.title = "#", .right = true},
        {.title = "P:D"},
        {.title = "type"},
        {.title = "name", .shrinks = 1},
        {.title = "platform", .shrinks = 1},
        {.title = "units", .right = true},
        {.title = "memory", .right = true},
        {.title = "float"},
        {.title = ""},
    };
    struct table table = {.columns = columns, .n_columns = COUNT(columns)};
    for (size_t i = 0; i < view->n_shown; i++)
        add_row(&table, &view->devices[view->shown[i]]);
    const int code =
        view->n_shown ? table_print(&table, stdout, terminal_width(stdout), color) : CLI_OK;
    table_release(&table);
    for (size_t i = 0; i < view->n_shown; i++) {
        const clnorm_device *device = &view->devices[view->shown[i]];
        if (!device->usable)
            printf("%u is not usable: %s\n", device->index, device->problem);
    }
    return code;
}

/* ---- JSON ---- */

static json_t *type_json(cl_device_type type)
{
    json_t *array = json_array();
    for (size_t i = 0; i < COUNT(types); i++)
        if (type & types[i].bit)
            json_array_append_new(array, json_string(types[i].name));
    return array;
}

static json_t *text_or_null(const char *text) { return text[0] ? json_string(text) : json_null(); }

static json_t *device_json(const clnorm_device *device)
{
    json_t *alias = device->alias_of < 0 ? json_null() : json_integer(device->alias_of);
    return json_pack(
        "{s:i, s:i, s:i, s:o, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:i, s:I, s:I, s:I, s:I, s:I,"
        " s:b, s:b, s:b, s:b, s:o, s:b, s:o}",
        "index", device->index, "platform", device->platform, "ordinal", device->ordinal, "type",
        type_json(device->type), "name", device->name, "vendor", device->vendor, "version",
        device->version, "driver", device->driver, "platform_name", device->platform_name, "uuid",
        text_or_null(device->uuid), "pci", text_or_null(device->pci), "compute_units",
        device->compute_units, "global_bytes", (json_int_t)device->global_bytes, "max_alloc_bytes",
        (json_int_t)device->max_alloc_bytes, "local_bytes", (json_int_t)device->local_bytes,
        "cache_bytes", (json_int_t)device->cache_bytes, "max_work_group",
        (json_int_t)device->max_work_group, "shares_host_memory", device->shares_host_memory,
        "has_fp64", device->has_fp64, "has_fp16", device->has_fp16, "local_is_global",
        device->local_is_global, "alias_of", alias, "usable", device->usable, "problem",
        text_or_null(device->problem));
}

/* Takes `findings`, which may be NULL: not wanted. */
static int print_as_json(const struct view *view, json_t *findings)
{
    json_t *devices = json_array();
    for (size_t i = 0; i < view->n_shown; i++)
        json_array_append_new(devices, device_json(&view->devices[view->shown[i]]));
    json_t *root = json_pack("{s:s, s:o}", "version", clnorm_version(), "devices", devices);
    if (findings)
        json_object_set_new(root, "doctor", findings);
    return print_json(root);
}

/* ---- the command ---- */

struct wishes {
    char *selector;
    bool json, doctor, no_color;
};

static int show(const struct view *view, json_t *findings, const struct wishes *wishes)
{
    if (wishes->json)
        return print_as_json(view, findings);
    const bool color = use_color(stdout, wishes->no_color);
    const int code = print_table(view, color);
    doctor_print(findings, color);
    json_decref(findings);
    return code;
}

/* What is known of the devices that are shown. */
static void add_quirks(json_t *findings, const struct view *view)
{
    for (size_t i = 0; i < view->n_shown; i++) {
        const clnorm_device *device = &view->devices[view->shown[i]];
        const char *reason;
        for (size_t k = 0; (reason = clnorm_device_quirk(device, k)); k++)
            findings_add(findings, "quirks", true, device->name, "%s", reason);
    }
}

static const char *no_device(const struct wishes *wishes, bool is_safe)
{
    if (!is_safe)
        return "a driver ends the process that lists the devices: see its line above";
    return wishes->doctor ? "no usable OpenCL device"
                          : "no usable OpenCL device: clnorm devices --doctor says why";
}

static int list(const struct wishes *wishes)
{
    struct view view = {0};
    clnorm_error error = {0};
    bool is_safe = true;
    json_t *findings = wishes->doctor ? doctor_examine(&is_safe) : NULL;
    if (wishes->doctor && !findings) {
        complain("out of memory");
        return CLI_DEVICE;
    }
    const clnorm_status status = is_safe ? view_fill(&view, wishes->selector, &error) : CLNORM_OK;
    const size_t usable = status == CLNORM_OK ? n_usable(&view) : 0;
    if (findings)
        add_quirks(findings, &view);
    if (findings && is_safe && !usable)
        doctor_advise(findings);
    int code = show(&view, findings, wishes);
    fflush(stdout);
    if (code == CLI_OK && status != CLNORM_OK)
        code = complain_error(&error);
    if (code == CLI_OK && !usable) {
        complain("%s", no_device(wishes, is_safe));
        code = CLI_DEVICE;
    }
    view_release(&view);
    return code;
}

int cmd_devices(int argc, const char **argv)
{
    struct wishes wishes = {0};
    const struct cli_option options[] = {
        {"device", 0, OPTION_TEXT, &wishes.selector, "SELECTOR",
         "only these: auto, all, gpu, acc, cpu, N, P:D, name=TEXT, platform=TEXT, uuid=HEX"},
        {"doctor", 0, OPTION_FLAG, &wishes.doctor, NULL,
         "look at the OpenCL installation: drivers, permissions, environment"},
        {"json", 0, OPTION_FLAG, &wishes.json, NULL, "print JSON"},
        {"no-color", 0, OPTION_FLAG, &wishes.no_color, NULL, "no colours"},
        {.type = OPTION_END},
    };
    static const struct cli_usage usage = {
        .summary = "[OPTION...]",
        .examples =
            "List the OpenCL devices, best first, and why one is not usable. N and P:D of a\n"
            "line are its names in --device and CLNORM_DEVICE.\n"
            "\n"
            "Examples:\n"
            "  clnorm devices\n"
            "  clnorm devices --doctor\n"
            "  clnorm devices --device gpu --json\n",
    };
    int code = options_parse(argc, argv, options, &usage, NULL);
    if (code == CLI_GO_ON)
        code = list(&wishes);
    options_release(options);
    return code;
}

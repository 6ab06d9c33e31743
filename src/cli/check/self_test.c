/* SPDX-License-Identifier: MIT */
#include "cli/check/self_test.h"
#include "base/tuning.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/table.h"

#include <stdlib.h>

static const struct table_column columns[] = {
    {.title = "device", .shrinks = 1},
    {.title = "form"},
    {.title = "kernel"},
    {.title = "vec", .right = true},
    {.title = "group", .right = true},
    {.title = "team", .right = true},
    {.title = "subgroups", .right = true},
    {.title = "verdict"},
};

struct view {
    const clnorm_device *device; /* under test */
    struct progress progress;
    uint64_t done; /* kernels of the device */
    struct table table;
    json_t *results;
    clnorm_status worst; /* the first that is not CLNORM_OK, but CLNORM_UNSUPPORTED before others */
};

static const char *verdict_name(clnorm_status status)
{
    return status == CLNORM_OK ? "right" : status == CLNORM_UNSUPPORTED ? "WRONG" : "FAILED";
}

static void count(struct view *view, clnorm_status status)
{
    if (view->worst == CLNORM_OK || status == CLNORM_UNSUPPORTED)
        view->worst = status;
}

static void add_subgroups(struct table *table, unsigned subgroups)
{
    if (subgroups > 1)
        table_add(table, TONE_PLAIN, "%u", subgroups);
    else
        table_add(table, TONE_PLAIN, "%s", subgroups ? "khr" : "-");
}

static void add_row(struct view *view, const clnorm_self_test_result *r)
{
    const enum table_tone tone = r->status == CLNORM_OK ? TONE_GOOD : TONE_BAD;
    table_add(&view->table, TONE_PLAIN, "%s", view->device->name);
    table_add(&view->table, TONE_PLAIN, "%s", clnorm_form_name(r->form));
    table_add(&view->table, TONE_PLAIN, "%s", r->kernel);
    table_add(&view->table, TONE_PLAIN, "%u", r->vec);
    table_add(&view->table, TONE_PLAIN, "%u", r->group);
    table_add(&view->table, TONE_PLAIN, "%u", r->team);
    add_subgroups(&view->table, r->subgroups);
    table_add(&view->table, tone, "%s", verdict_name(r->status));
}

static void add_json(struct view *view, const clnorm_self_test_result *r)
{
    json_array_append_new(view->results,
                          json_pack("{s:i, s:o, s:s, s:s, s:i, s:i, s:i, s:i, s:b, s:o}", "device",
                                    (int)view->device->index, "name", json_text(view->device->name),
                                    "form", clnorm_form_name(r->form), "kernel", r->kernel, "vec",
                                    (int)r->vec, "group", (int)r->group, "team", (int)r->team,
                                    "subgroups", (int)r->subgroups, "right", r->status == CLNORM_OK,
                                    "text", json_text(r->text)));
}

/* A signal makes compilers fail, too: that says nothing of a kernel. */
static int add_result(void *user, const clnorm_self_test_result *r)
{
    struct view *view = user;
    if (interrupt_pending() && r->status != CLNORM_OK)
        return 1;
    add_row(view, r);
    add_json(view, r);
    if (r->status != CLNORM_OK) {
        progress_hide(&view->progress);
        complain("%s, %s, %s: %s", view->device->name, clnorm_form_name(r->form), r->kernel,
                 r->text);
        count(view, r->status);
    }
    progress_update(&view->progress, ++view->done);
    return interrupt_pending();
}

/* A device that cannot be opened does not keep the others from their test. */
static void test_device(struct view *view, const clnorm_device *device)
{
    clnorm_context *context = NULL;
    clnorm_error error;
    char selector[16];
    view->device = device;
    view->done = 0;
    snprintf(selector, sizeof(selector), "%u", device->index);
    clnorm_status status = clnorm_context_create(selector, log_warnings, NULL, &context, &error);
    if (status == CLNORM_OK) {
        progress_begin(&view->progress, device->name, "self-test", "kernels", 0);
        status = clnorm_self_test(context, add_result, view, &error);
        progress_end(&view->progress);
    }
    if (status != CLNORM_OK && status != CLNORM_CANCELLED && view->done == 0) {
        complain("%s: %s", device->name, error.text);
        count(view, status == CLNORM_UNSUPPORTED ? CLNORM_OPENCL : status);
    }
    clnorm_context_destroy(context);
}

static int print(struct view *view, bool json, bool no_color)
{
    if (json)
        return print_json(
            json_pack("{s:s, s:O}", "version", clnorm_version(), "self_test", view->results));
    return table_print(&view->table, stdout, terminal_width(stdout), use_color(stdout, no_color));
}

static int code_of(const struct view *view)
{
    return interrupt_pending()                 ? CLI_INTERRUPTED
           : view->worst == CLNORM_UNSUPPORTED ? CLI_WRONG
                                               : exit_code_of(view->worst);
}

int self_test_devices(const char *selector, bool json, bool no_color)
{
    struct view view = {
        .table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(columns[0])},
        .results = json_array()};
    clnorm_device *devices = NULL;
    clnorm_error error = {.status = CLNORM_OK};
    size_t *chosen = NULL, n = 0, n_chosen = 0;
    int code = CLI_OK;
    bool ok = !clnorm_devices_list(&devices, &n, &error);
    if (ok) {
        chosen = calloc(n + 1, sizeof(*chosen));
        ok = chosen ? !clnorm_devices_select(devices, n, selector, chosen, &n_chosen, &error)
                    : out_of_memory(&error, (n + 1) * sizeof(*chosen));
    }
    for (size_t i = 0; ok && i < n_chosen && !interrupt_pending(); i++)
        test_device(&view, &devices[chosen[i]]);
    code = ok ? print(&view, json, no_color) : complain_error(&error);
    if (ok && code == CLI_OK)
        code = code_of(&view);
    table_release(&view.table);
    json_decref(view.results);
    free(chosen);
    clnorm_devices_free(devices);
    return code;
}

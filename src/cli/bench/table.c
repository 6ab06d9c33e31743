/* SPDX-License-Identifier: MIT */
/* A document for people: a table for each device, in the terminal and as Markdown. */
#include "cli/bench/report.h"
#include "cli/table.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* Where lines and tables go. */
struct target {
    const struct bench_view *view;
    bool markdown;
};

static void say(const struct target *target, const char *format, ...) CLI_PRINTF(2, 3);

/* A part of a line: names and reasons are the drivers', who may write what they like. */
static void say(const struct target *target, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    make_printable(text);
    if (target->markdown)
        markdown_text(target->view->stream, text);
    else
        fputs(text, target->view->stream);
}

static void end_line(const struct target *target) { putc('\n', target->view->stream); }

/* ---- rows ---------------------------------------------------------------------------------- */

static const struct table_column columns[] = {
    {"case", false, 1}, {"time", true, 0},    {"spread", true, 0},
    {"GB/s", true, 0},  {"of copy", true, 0}, {"check", false, 2},
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

/* Three digits. */
static void add_rate(struct table *table, double rate)
{
    const double value = rate / 1e9;
    table_add(table, TONE_PLAIN, "%.*f", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value);
}

static void add_measured(struct table *table, const json_t *result)
{
    const json_t *seconds = json_object_get(result, "seconds");
    table_add_seconds(table, json_number_at(seconds, "median"));
    if (json_is_number(json_object_get(seconds, "noise")))
        table_add(table, TONE_PLAIN, "%.1f %%", 100 * json_number_at(seconds, "noise"));
    else
        table_add(table, TONE_FAINT, "-");
    add_rate(table, json_number_at(result, "bytes_per_second"));
    if (json_is_true(json_object_get(result, "launch_bound")))
        table_add(table, TONE_FAINT, "launch");
    else
        table_add(table, TONE_PLAIN, "%.0f %%", 100 * json_number_at(result, "of_copy"));
    table_add(table, TONE_GOOD, "ok, %.2g ULP",
              json_number_at(json_object_get(result, "check"), "max_ulp"));
}

static void add_row(struct table *table, const json_t *result)
{
    const char *const status = json_text_at(result, "status");
    table_add(table, TONE_PLAIN, "%s", json_text_at(result, "case"));
    if (!strcmp(status, "ok")) {
        add_measured(table, result);
        return;
    }
    for (size_t i = 2; i < COLUMNS; i++)
        table_add(table, TONE_FAINT, "-");
    table_add(table, strcmp(status, "unsupported") ? TONE_BAD : TONE_FAINT, "%s: %s", status,
              json_text_at(result, "reason"));
}

/* ---- what stands around the table ---------------------------------------------------------- */

static bool is_of(const json_t *result, size_t device)
{
    return json_integer_value(json_object_get(result, "device")) == (json_int_t)device;
}

static void print_device(const struct target *target, const json_t *d)
{
    const json_t *timer = json_object_get(d, "timer");
    say(target, "%s (%s, driver %s), %.0f compute units, %.1f GiB", json_text_at(d, "name"),
        json_text_at(d, "platform"), json_text_at(d, "driver_version"),
        json_number_at(d, "compute_units"), json_number_at(d, "mem_bytes") / (1 << 30));
    end_line(target);
    if (json_object_get(d, "problem")) {
        say(target, "not measured: %s", json_text_at(d, "problem"));
        end_line(target);
    }
    if (timer) {
        say(target, "copy %.3g GB/s, empty kernel %.3g us, launch and wait %.3g us, clock: %s (%s)",
            json_number_at(d, "copy_bytes_per_second") / 1e9,
            json_number_at(d, "empty_seconds") * 1e6, json_number_at(d, "launch_seconds") * 1e6,
            json_text_at(timer, "chosen"), json_text_at(timer, "why"));
        end_line(target);
    }
    end_line(target);
}

/* Geometric means of what operators reach of the copy; cases that are bound by the launch say
 * nothing about it. */
static void print_means(const struct target *target, const json_t *results, size_t device)
{
    const json_t *result, *other;
    const char *between = "geometric mean of the copy: ";
    size_t i, k;
    json_array_foreach(results, i, result)
    {
        double sum = 0;
        size_t n = 0, first = i;
        json_array_foreach(results, k, other)
        {
            const bool same =
                !strcmp(json_text_at(other, "op"), json_text_at(result, "op")) &&
                !strcmp(json_text_at(other, "direction"), json_text_at(result, "direction"));
            if (!is_of(other, device) || !same || !(json_number_at(other, "of_copy") > 0) ||
                json_is_true(json_object_get(other, "launch_bound")))
                continue;
            first = k < first || n == 0 ? k : first;
            sum += log(json_number_at(other, "of_copy"));
            n++;
        }
        if (n == 0 || first != i || !is_of(result, device))
            continue;
        say(target, "%s%s %s %.0f %% (%zu)", between, json_text_at(result, "op"),
            json_text_at(result, "direction"), 100 * exp(sum / (double)n), n);
        between = ", ";
    }
    if (between[0] == ',')
        end_line(target);
}

struct warning {
    const char *code, *name, *text; /* of the first case that has it */
    size_t cases;
};

static void count_warnings(const json_t *result, struct warning *list, size_t most)
{
    const json_t *warning;
    size_t i;
    json_array_foreach(json_object_get(result, "warnings"), i, warning)
    {
        const char *const code = json_text_at(warning, "code");
        struct warning *w = list;
        while (w < list + most - 1 && w->code && strcmp(w->code, code))
            w++;
        if (!w->code)
            *w = (struct warning){code, json_text_at(result, "case"), json_text_at(warning, "text"),
                                  0};
        w->cases++;
    }
}

/* A line for each kind: what is wrong with one case is mostly wrong with others. */
static void print_warnings(const struct target *target, const json_t *results, size_t device)
{
    enum { MOST = 16 };
    struct warning list[MOST] = {{NULL, NULL, NULL, 0}};
    const json_t *result;
    size_t i;
    json_array_foreach(results, i, result) if (is_of(result, device))
        count_warnings(result, list, MOST);
    for (const struct warning *w = list; w < list + MOST && w->code; w++) {
        fputs(target->markdown ? "- " : "! ", target->view->stream);
        if (w->cases > 1)
            say(target, "%s %zu cases, first %s: %s", w->code, w->cases, w->name, w->text);
        else
            say(target, "%s %s: %s", w->code, w->name, w->text);
        end_line(target);
    }
}

static void print_settings(const struct target *target, const json_t *document)
{
    const json_t *settings = json_object_get(document, "settings");
    const json_t *host = json_object_get(document, "host");
    say(target, "%.0f rounds, GB = 10^9 bytes, clnorm %s, %s, %s%s",
        json_number_at(settings, "rounds"),
        json_text_at(json_object_get(document, "tool"), "version"), json_text_at(host, "os"),
        json_text_at(document, "created"),
        json_is_true(json_object_get(document, "complete")) ? "" : ", interrupted");
    end_line(target);
}

/* ---- the views ----------------------------------------------------------------------------- */

static int print_results(const struct target *target, const json_t *results, size_t device)
{
    const struct bench_view *const view = target->view;
    struct table table = {.columns = columns, .n_columns = COLUMNS};
    const json_t *result;
    size_t i;
    int code = CLI_OK;
    json_array_foreach(results, i, result) if (is_of(result, device)) add_row(&table, result);
    if (target->markdown)
        code = table_print_markdown(&table, view->stream);
    else if (table.n_cells)
        code = table_print(&table, view->stream, view->width, view->color);
    table_release(&table);
    return code;
}

static int print_devices(const struct target *target, const json_t *document)
{
    const json_t *results = json_object_get(document, "results"), *device;
    size_t i;
    json_array_foreach(json_object_get(document, "devices"), i, device)
    {
        print_device(target, device);
        const int code = print_results(target, results, i);
        if (code != CLI_OK)
            return code;
        if (target->markdown)
            end_line(target);
        print_means(target, results, i);
        print_warnings(target, results, i);
        end_line(target);
    }
    print_settings(target, document);
    return CLI_OK;
}

int bench_print_table(const json_t *document, const struct bench_view *view)
{
    return print_devices(&(struct target){view, false}, document);
}

int bench_print_markdown(const json_t *document, const struct bench_view *view)
{
    return print_devices(&(struct target){view, true}, document);
}

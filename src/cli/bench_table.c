/* SPDX-License-Identifier: MIT */
/* A document for people: a table for each device, in the terminal and as Markdown. */
#include "cli/bench_report.h"
#include "cli/table.h"

#include <math.h>
#include <string.h>

/* ---- numbers ------------------------------------------------------------------------------- */

static double real_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "-";
}

/* Three digits and a unit: "731 us". */
static void format_seconds(char *text, size_t bytes, double seconds)
{
    static const struct {
        double unit;
        const char *name;
    } units[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}};
    size_t i = 0;
    while (i < 3 && seconds < units[i].unit * 0.9995)
        i++;
    const double value = seconds / units[i].unit;
    snprintf(text, bytes, "%.*f %s",
             value < 9.995   ? 2
             : value < 99.95 ? 1
                             : 0,
             value, units[i].name);
}

static void format_rate(char *text, size_t bytes, double rate)
{
    const double value = rate / 1e9;
    snprintf(text, bytes, "%.*f", value < 9.995 ? 2 : value < 999.5 ? 1 : 0, value);
}

/* ---- cells --------------------------------------------------------------------------------- */

enum { CASE, TIME, SPREAD, RATE, OF_COPY, CHECK, COLUMNS };

struct cells {
    char text[COLUMNS][160];
    enum table_tone tone;
};

static void fill_check(const json_t *result, char *text, size_t bytes)
{
    const json_t *check = json_object_get(result, "check");
    const char *const status = text_at(result, "status");
    if (strcmp(status, "ok") && strcmp(status, "wrong"))
        snprintf(text, bytes, "%s: %.100s", status, text_at(result, "reason"));
    else
        snprintf(text, bytes, "%s, %.2g ULP", status, real_at(check, "max_ulp"));
}

static struct cells cells_of(const json_t *result)
{
    const json_t *seconds = json_object_get(result, "seconds");
    struct cells c = {.tone = TONE_PLAIN};
    for (int i = TIME; i <= OF_COPY; i++)
        snprintf(c.text[i], sizeof(c.text[i]), "-");
    snprintf(c.text[CASE], sizeof(c.text[CASE]), "%s", text_at(result, "case"));
    fill_check(result, c.text[CHECK], sizeof(c.text[CHECK]));
    if (strcmp(text_at(result, "status"), "ok")) {
        c.tone = strcmp(text_at(result, "status"), "unsupported") ? TONE_BAD : TONE_FAINT;
        return c;
    }
    format_seconds(c.text[TIME], sizeof(c.text[TIME]), real_at(seconds, "median"));
    snprintf(c.text[SPREAD], sizeof(c.text[SPREAD]), "%.1f %%", 100 * real_at(seconds, "noise"));
    format_rate(c.text[RATE], sizeof(c.text[RATE]), real_at(result, "bytes_per_second"));
    if (json_is_true(json_object_get(result, "launch_bound")))
        snprintf(c.text[OF_COPY], sizeof(c.text[OF_COPY]), "launch");
    else
        snprintf(c.text[OF_COPY], sizeof(c.text[OF_COPY]), "%.0f %%",
                 100 * real_at(result, "of_copy"));
    return c;
}

/* ---- what stands around the table ---------------------------------------------------------- */

static bool is_of(const json_t *result, size_t device)
{
    return json_integer_value(json_object_get(result, "device")) == (json_int_t)device;
}

static void print_device(FILE *out, const json_t *d)
{
    const json_t *timer = json_object_get(d, "timer");
    char launch[32], rate[32];
    fprintf(out, "%s (%s, driver %s), %.0f compute units, %.1f GiB\n", text_at(d, "name"),
            text_at(d, "platform"), text_at(d, "driver_version"), real_at(d, "compute_units"),
            real_at(d, "mem_bytes") / (1 << 30));
    if (!timer)
        return;
    format_seconds(launch, sizeof(launch), real_at(d, "launch_seconds"));
    format_rate(rate, sizeof(rate), real_at(d, "copy_bytes_per_second"));
    fprintf(out, "copy %s GB/s, empty kernel %s, clock: %s (%s)\n", rate, launch,
            text_at(timer, "chosen"), text_at(timer, "why"));
}

/* Geometric means of what operators reach of the copy; cases that are bound by the launch say
 * nothing about it. */
static void print_means(FILE *out, const json_t *results, size_t device)
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
            const bool same = !strcmp(text_at(other, "op"), text_at(result, "op")) &&
                              !strcmp(text_at(other, "direction"), text_at(result, "direction"));
            if (!is_of(other, device) || !same || isnan(real_at(other, "of_copy")) ||
                json_is_true(json_object_get(other, "launch_bound")))
                continue;
            first = k < first || n == 0 ? k : first;
            sum += log(real_at(other, "of_copy"));
            n++;
        }
        if (n == 0 || first != i || !is_of(result, device))
            continue;
        fprintf(out, "%s%s %s %.0f %% (%zu)", between, text_at(result, "op"),
                text_at(result, "direction"), 100 * exp(sum / (double)n), n);
        between = ", ";
    }
    if (between[0] == ',')
        putc('\n', out);
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
        const char *const code = text_at(warning, "code");
        struct warning *w = list;
        while (w < list + most - 1 && w->code && strcmp(w->code, code))
            w++;
        if (!w->code)
            *w = (struct warning){code, text_at(result, "case"), text_at(warning, "text"), 0};
        w->cases++;
    }
}

/* A line for each kind: what is wrong with one case is mostly wrong with others. */
static void print_warnings(FILE *out, const json_t *results, size_t device, const char *mark)
{
    enum { MOST = 16 };
    struct warning list[MOST] = {{NULL, NULL, NULL, 0}};
    const json_t *result;
    size_t i;
    json_array_foreach(results, i, result) if (is_of(result, device))
        count_warnings(result, list, MOST);
    for (const struct warning *w = list; w < list + MOST && w->code; w++)
        if (w->cases > 1)
            fprintf(out, "%s%s %zu cases, first %s: %s\n", mark, w->code, w->cases, w->name,
                    w->text);
        else
            fprintf(out, "%s%s %s: %s\n", mark, w->code, w->name, w->text);
}

static void print_settings(FILE *out, const json_t *document)
{
    const json_t *settings = json_object_get(document, "settings");
    const json_t *host = json_object_get(document, "host");
    fprintf(out, "%.0f rounds, GB = 10^9 bytes, clnorm %s, %s, %s%s\n", real_at(settings, "rounds"),
            text_at(json_object_get(document, "tool"), "version"), text_at(host, "os"),
            text_at(document, "created"),
            json_is_true(json_object_get(document, "complete")) ? "" : ", interrupted");
}

/* ---- the views ----------------------------------------------------------------------------- */

static const struct table_column columns[COLUMNS] = {
    {"case", false, 1}, {"time", true, 0},    {"spread", true, 0},
    {"GB/s", true, 0},  {"of copy", true, 0}, {"check", false, 2},
};

static int print_results(const json_t *results, size_t device, const struct bench_view *view)
{
    struct table table = {.columns = columns, .n_columns = COLUMNS};
    const json_t *result;
    size_t i;
    json_array_foreach(results, i, result)
    {
        if (!is_of(result, device))
            continue;
        const struct cells c = cells_of(result);
        for (int k = 0; k < COLUMNS; k++)
            table_add(&table, c.tone, "%s", c.text[k]);
    }
    const int code =
        table.n_cells ? table_print(&table, view->stream, view->width, view->color) : CLI_OK;
    table_release(&table);
    return code;
}

int bench_print_table(const json_t *document, const struct bench_view *view)
{
    const json_t *results = json_object_get(document, "results"), *device;
    size_t i;
    json_array_foreach(json_object_get(document, "devices"), i, device)
    {
        print_device(view->stream, device);
        if (json_object_get(device, "problem"))
            fprintf(view->stream, "not measured: %s\n", text_at(device, "problem"));
        putc('\n', view->stream);
        const int code = print_results(results, i, view);
        if (code != CLI_OK)
            return code;
        print_means(view->stream, results, i);
        print_warnings(view->stream, results, i, "! ");
        putc('\n', view->stream);
    }
    print_settings(view->stream, document);
    return CLI_OK;
}

static void print_markdown_row(FILE *out, const struct cells *c)
{
    for (int k = 0; k < COLUMNS; k++) {
        fputs(k ? " " : "| ", out);
        for (const char *t = c->text[k]; *t; t++)
            fprintf(out, "%s%c", *t == '|' ? "\\" : "", *t);
        fputs(" |", out);
    }
    putc('\n', out);
}

int bench_print_markdown(const json_t *document, const struct bench_view *view)
{
    const json_t *results = json_object_get(document, "results"), *device, *result;
    FILE *const out = view->stream;
    size_t i, k;
    json_array_foreach(json_object_get(document, "devices"), i, device)
    {
        print_device(out, device);
        putc('\n', out);
        for (int c = 0; c < COLUMNS; c++)
            fprintf(out, "%s%s |", c ? " " : "| ", columns[c].title);
        fputs("\n|", out);
        for (int c = 0; c < COLUMNS; c++)
            fputs(columns[c].right ? "--:|" : "---|", out);
        putc('\n', out);
        json_array_foreach(results, k, result) if (is_of(result, i))
        {
            const struct cells c = cells_of(result);
            print_markdown_row(out, &c);
        }
        putc('\n', out);
        print_means(out, results, i);
        print_warnings(out, results, i, "- ");
        putc('\n', out);
    }
    print_settings(out, document);
    return CLI_OK;
}

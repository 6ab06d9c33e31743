/* SPDX-License-Identifier: MIT */
/* A document as rows: for spreadsheets and databases. */
#include "cli/bench/report.h"
#include "cli/files/csv.h"
#include "cli/result/file.h"

#include <stdlib.h>
#include <string.h>

enum column_type { TEXT, INTEGER, REAL };

/* path: of a result, or of its device after "device.". */
static const struct {
    const char *name, *path;
    enum column_type type;
} columns[] = {
    {"case_name", "case", TEXT},
    {"device", "device.name", TEXT},
    {"platform", "device.platform", TEXT},
    {"driver_version", "device.driver_version", TEXT},
    {"device_id", "device.id", TEXT},
    {"op", "op", TEXT},
    {"dtype", "dtype", TEXT},
    {"direction", "direction", TEXT},
    {"rows", "rows", INTEGER},
    {"cols", "cols", INTEGER},
    {"cache", "cache", TEXT},
    {"status", "status", TEXT},
    {"reason", "reason", TEXT},
    {"form", "form", TEXT},
    {"bytes", "bytes", INTEGER},
    {"copy_bytes", "copy_bytes", INTEGER},
    {"seconds", "seconds.median", REAL},
    {"seconds_min", "seconds.min", REAL},
    {"seconds_q1", "seconds.q1", REAL},
    {"seconds_q3", "seconds.q3", REAL},
    {"seconds_p99", "seconds.p99", REAL},
    {"noise", "seconds.noise", REAL},
    {"samples", "seconds.samples", INTEGER},
    {"bytes_per_second", "bytes_per_second", REAL},
    {"copy_seconds", "copy_seconds", REAL},
    {"of_copy", "of_copy", REAL},
    {"event_seconds", "event_seconds", REAL},
    {"host_seconds", "host_seconds", REAL},
    {"first_seconds", "first_seconds", REAL},
    {"build_seconds", "build_seconds", REAL},
    {"verdict", "check.verdict", TEXT},
    {"max_ulp", "check.max_ulp", REAL},
    {"bound_share", "check.bound_share", REAL},
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static const json_t *device_of(const json_t *document, const json_t *result)
{
    const json_t *place = json_object_get(result, "device");
    return json_array_get(json_object_get(document, "devices"), (size_t)json_integer_value(place));
}

static const json_t *value_at(const json_t *object, const char *path)
{
    const char *const dot = strchr(path, '.');
    char key[32];
    if (!dot)
        return json_object_get(object, path);
    snprintf(key, sizeof(key), "%.*s", (int)(dot - path), path);
    return value_at(json_object_get(object, key), dot + 1);
}

static const json_t *cell_of(const json_t *document, const json_t *result, size_t column)
{
    static const char device[] = "device.";
    const char *const path = columns[column].path;
    if (strncmp(path, device, strlen(device)) == 0)
        return value_at(device_of(document, result), path + strlen(device));
    return value_at(result, path);
}

/* Quotes around, and two where one is part of the text. */
static void print_quoted(FILE *stream, const char *text)
{
    putc('\'', stream);
    for (; *text; text++) {
        if (*text == '\'')
            putc('\'', stream);
        putc(*text, stream);
    }
    putc('\'', stream);
}

/* As many digits as bring the number back. */
static void print_number(FILE *stream, const json_t *value)
{
    if (json_is_integer(value))
        fprintf(stream, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        fprintf(stream, "%.17g", json_number_value(value));
}

static void add_field(struct csv *csv, const json_t *value)
{
    if (json_is_number(value))
        csv_number(csv, json_number_value(value));
    else
        csv_text(csv, json_string_value(value));
}

static int print_csv(const json_t *document, const struct bench_view *view)
{
    struct csv csv = {.stream = view->stream};
    const json_t *result;
    size_t i;
    for (size_t c = 0; c < COLUMNS; c++)
        csv_text(&csv, columns[c].name);
    csv_end_line(&csv);
    json_array_foreach(json_object_get(document, "results"), i, result)
    {
        for (size_t c = 0; c < COLUMNS; c++)
            add_field(&csv, cell_of(document, result, c));
        csv_end_line(&csv);
    }
    return CLI_OK;
}

static void print_sql_cell(FILE *stream, const json_t *value)
{
    if (json_is_string(value))
        print_quoted(stream, json_string_value(value));
    else if (json_is_number(value))
        print_number(stream, value);
    else
        fputs("NULL", stream);
}

static int print_sql(const json_t *document, const struct bench_view *view)
{
    static const char *const types[] = {"TEXT", "INTEGER", "REAL"};
    const char *const created = json_string_value(json_object_get(document, "created"));
    const json_t *result;
    size_t i;
    fputs("CREATE TABLE IF NOT EXISTS clnorm_bench (created TEXT", view->stream);
    for (size_t c = 0; c < COLUMNS; c++)
        fprintf(view->stream, ", %s %s", columns[c].name, types[columns[c].type]);
    fputs(");\n", view->stream);
    json_array_foreach(json_object_get(document, "results"), i, result)
    {
        fprintf(view->stream, "INSERT INTO clnorm_bench VALUES ('%s'", created ? created : "");
        for (size_t c = 0; c < COLUMNS; c++) {
            fputs(", ", view->stream);
            print_sql_cell(view->stream, cell_of(document, result, c));
        }
        fputs(");\n", view->stream);
    }
    return CLI_OK;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static int print_text(char *text, FILE *stream)
{
    const bool ok = text && fputs(text, stream) >= 0;
    free(text);
    if (!ok)
        complain("out of memory, or the output cannot be written");
    return ok ? CLI_OK : CLI_DEVICE;
}

static int print_whole(const json_t *document, const struct bench_view *view)
{
    return print_text(result_file_text(document), view->stream);
}

/* A result that says by itself what it was measured on. */
static int print_lines(const json_t *document, const struct bench_view *view)
{
    static const char *const common[] = {"schema", "complete", "created", "command",
                                         "title",  "tool",     "host",    "settings"};
    const json_t *result;
    size_t i;
    json_array_foreach(json_object_get(document, "results"), i, result)
    {
        json_t *line = json_copy((json_t *)result);
        for (size_t k = 0; k < sizeof(common) / sizeof(common[0]); k++)
            json_object_set(line, common[k], json_object_get(document, common[k]));
        json_object_set(line, "device", (json_t *)device_of(document, result));
        char *text = line ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
        json_decref(line);
        const int code = print_text(text, view->stream);
        putc('\n', view->stream);
        if (code != CLI_OK)
            return code;
    }
    return CLI_OK;
}

int bench_print(const json_t *document, enum bench_format format, const struct bench_view *view)
{
    static int (*const printers[])(const json_t *, const struct bench_view *) = {
        [BENCH_TABLE] = bench_print_table, [BENCH_MARKDOWN] = bench_print_markdown,
        [BENCH_CSV] = print_csv,           [BENCH_JSON] = print_whole,
        [BENCH_JSONL] = print_lines,       [BENCH_SQL] = print_sql,
    };
    return printers[format](document, view);
}

/* SPDX-License-Identifier: MIT */
#include "cli/compare/compare.h"
#include "cli/files/csv.h"
#include "cli/result/about.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A row for each case of any side, in the order in which they come up; a column for each side. */
struct matrix {
    const struct compare_sides *sides;
    json_t *cases; /* an object, for its keys */
    bool by_share;
};

static bool is_ok(const json_t *result) { return !strcmp(json_text_at(result, "status"), "ok"); }

static const json_t *result_at(const struct matrix *matrix, size_t side, const char *name)
{
    return json_object_get(matrix->sides->list[side].cases, name);
}

static double speed_of(const struct matrix *matrix, const json_t *result)
{
    return json_number_at(result, matrix->by_share ? "of_copy" : "bytes_per_second");
}

/* The side that is best at this case; the number of sides where none has measured it. */
static size_t best_of(const struct matrix *matrix, const char *name)
{
    size_t best = matrix->sides->n;
    for (size_t i = 0; i < matrix->sides->n; i++) {
        const json_t *result = result_at(matrix, i, name);
        if (is_ok(result) &&
            (best == matrix->sides->n ||
             speed_of(matrix, result) > speed_of(matrix, result_at(matrix, best, name))))
            best = i;
    }
    return best;
}

static bool is_on_all(const struct matrix *matrix, const char *name)
{
    bool all = true;
    for (size_t i = 0; i < matrix->sides->n; i++)
        all = all && is_ok(result_at(matrix, i, name));
    return all;
}

/* Over the cases that all sides have measured: a side that leaves out what it is bad at gains
 * nothing. */
struct means {
    size_t n; /* of these cases */
    double of_copy, speed; /* geometric means; that of the speed is relative to the first side's */
};

static struct means means_of(const struct matrix *matrix, size_t side)
{
    struct means means = {0, 0, 0};
    const char *name;
    json_t *value;
    json_object_foreach(matrix->cases, name, value)
    {
        if (!is_on_all(matrix, name))
            continue;
        const json_t *result = result_at(matrix, side, name);
        const json_t *first = result_at(matrix, 0, name);
        means.n++;
        means.of_copy += log(json_number_at(result, "of_copy"));
        means.speed += log(json_number_at(result, "bytes_per_second") /
                           json_number_at(first, "bytes_per_second"));
    }
    means.of_copy = means.n ? exp(means.of_copy / (double)means.n) : NAN;
    means.speed = means.n ? exp(means.speed / (double)means.n) : NAN;
    return means;
}

/* ---- for people ---------------------------------------------------------------------------- */

/* Whether another side is the same but for its machine, so that this must be told. */
static bool has_twin(const struct matrix *matrix, const struct compare_side *side)
{
    char own[RESULT_HOST_TEXT], other[RESULT_HOST_TEXT];
    result_host_text(side->file->document, side->device, own);
    for (size_t i = 0; i < matrix->sides->n; i++) {
        const struct compare_side *s = &matrix->sides->list[i];
        result_host_text(s->file->document, s->device, other);
        if (!strcmp(json_text_at(s->device, "id"), json_text_at(side->device, "id")) &&
            strcmp(own, other) != 0)
            return true;
    }
    return false;
}

static void print_side(const struct matrix *matrix, const struct compare_side *side,
                       const struct compare_output *output)
{
    char device[320], host[RESULT_HOST_TEXT] = "", text[960];
    const bool is_told = has_twin(matrix, side);
    compare_side_text(side, device, sizeof(device));
    if (is_told)
        result_host_text(side->file->document, side->device, host);
    snprintf(text, sizeof(text), "%s: %s: %s%s%s", side->label, side->file->name, device,
             is_told ? " on " : "", host);
    compare_print_line(output, true, text);
}

static void print_sides(const struct matrix *matrix, const struct compare_output *output)
{
    char text[160];
    for (size_t i = 0; i < matrix->sides->n; i++)
        print_side(matrix, &matrix->sides->list[i], output);
    snprintf(text, sizeof(text),
             "GB/s (1e9 bytes), and share of what a copy beside it reached; %s marks the best %s "
             "of a case.",
             output->color ? "bold" : "*", matrix->by_share ? "share" : "speed");
    compare_print_line(output, false, text);
}

static void add_cell(struct table *table, const json_t *result, bool is_best, bool color)
{
    if (!is_ok(result)) {
        table_add(table, strcmp(json_text_at(result, "status"), "wrong") ? TONE_FAINT : TONE_BAD,
                  "%s", result ? json_text_at(result, "status") : "-");
        return;
    }
    table_add(table, is_best ? TONE_BEST : TONE_PLAIN, "%s%.3g %3.0f %%",
              is_best && !color ? "*" : "", 1e-9 * json_number_at(result, "bytes_per_second"),
              100 * json_number_at(result, "of_copy"));
}

static void add_means(struct table *table, const struct matrix *matrix)
{
    const size_t n = means_of(matrix, 0).n;
    table_add(table, TONE_PLAIN, "geometric mean of copy, %zu case%s", n, n == 1 ? "" : "s");
    for (size_t i = 0; i < matrix->sides->n; i++) {
        const struct means means = means_of(matrix, i);
        if (means.n)
            table_add(table, TONE_PLAIN, "%.0f %%", 100 * means.of_copy);
        else
            table_add(table, TONE_FAINT, "-");
    }
    table_add(table, TONE_PLAIN, "speed beside %s", matrix->sides->list[0].label);
    for (size_t i = 0; i < matrix->sides->n; i++) {
        const struct means means = means_of(matrix, i);
        char factor[COMPARE_FACTOR_TEXT] = "-";
        if (means.n)
            compare_factor_text(means.speed, factor);
        table_add(table, means.n ? TONE_PLAIN : TONE_FAINT, "%s%s", factor, means.n ? "x" : "");
    }
}

static int print_matrix(const struct matrix *matrix, const struct compare_output *output)
{
    struct table_column columns[TABLE_MOST_COLUMNS] = {{"case", false, 1}};
    struct table table = {.columns = columns, .n_columns = 1 + matrix->sides->n};
    const char *name;
    json_t *value;
    for (size_t i = 0; i < matrix->sides->n; i++)
        columns[i + 1] = (struct table_column){matrix->sides->list[i].label, true, 0};
    json_object_foreach(matrix->cases, name, value)
    {
        const size_t best = best_of(matrix, name);
        table_add(&table, TONE_PLAIN, "%s", name);
        for (size_t i = 0; i < matrix->sides->n; i++)
            add_cell(&table, result_at(matrix, i, name), i == best, output->color);
    }
    add_means(&table, matrix);
    print_sides(matrix, output);
    const int code = compare_print(&table, output);
    table_release(&table);
    return code;
}

/* ---- for programs -------------------------------------------------------------------------- */

static void print_csv_cell(struct csv *csv, const struct matrix *matrix, const char *name,
                           size_t side, bool is_best)
{
    const json_t *result = result_at(matrix, side, name);
    const struct compare_side *s = &matrix->sides->list[side];
    char host[RESULT_HOST_TEXT];
    result_host_text(s->file->document, s->device, host);
    csv_text(csv, name);
    csv_text(csv, s->label);
    csv_text(csv, s->file->name);
    csv_text(csv, json_text_at(s->device, "name"));
    csv_text(csv, json_text_at(s->device, "platform"));
    csv_text(csv, json_text_at(s->device, "driver_version"));
    csv_text(csv, host);
    csv_text(csv, json_text_at(result, "status"));
    csv_number(csv,
               is_ok(result) ? json_number_at(json_object_get(result, "seconds"), "median") : NAN);
    csv_number(csv, is_ok(result) ? json_number_at(result, "bytes_per_second") : NAN);
    csv_number(csv, is_ok(result) ? json_number_at(result, "of_copy") : NAN);
    csv_text(csv, is_best ? "1" : "0");
    csv_end_line(csv);
}

static int print_csv(const struct matrix *matrix, const struct compare_output *output)
{
    struct csv csv = {output->stream, 0};
    const char *name;
    json_t *value;
    fputs("case,device,file,name,platform,driver_version,host,status,seconds,bytes_per_second,"
          "of_copy,best\r\n",
          output->stream);
    json_object_foreach(matrix->cases, name, value)
    {
        const size_t best = best_of(matrix, name);
        for (size_t i = 0; i < matrix->sides->n; i++)
            if (result_at(matrix, i, name))
                print_csv_cell(&csv, matrix, name, i, i == best);
    }
    return CLI_OK;
}

static json_t *json_cell(const json_t *result, bool is_best)
{
    if (!result)
        return json_null();
    if (!is_ok(result))
        return json_pack("{s:s, s:O?}", "status", json_text_at(result, "status"), "reason",
                         json_object_get(result, "reason"));
    return json_pack("{s:s, s:f, s:f, s:f, s:b}", "status", "ok", "seconds",
                     json_number_at(json_object_get(result, "seconds"), "median"),
                     "bytes_per_second", json_number_at(result, "bytes_per_second"), "of_copy",
                     json_number_at(result, "of_copy"), "best", (int)is_best);
}

static json_t *json_column(const struct matrix *matrix, size_t i)
{
    const struct compare_side *side = &matrix->sides->list[i];
    const struct means means = means_of(matrix, i);
    char host[RESULT_HOST_TEXT];
    result_host_text(side->file->document, side->device, host);
    return json_pack("{s:s, s:o, s:i, s:O, s:O, s:O, s:o, s:i, s:o, s:o}", "label", side->label,
                     "file", json_text(side->file->name), "device", (int)side->device_place, "id",
                     json_object_get(side->device, "id"), "name",
                     json_object_get(side->device, "name"), "driver_version",
                     json_object_get(side->device, "driver_version"), "host", json_text(host),
                     "common_cases", (int)means.n, "mean_of_copy", json_finite(means.of_copy),
                     "mean_speed", json_finite(means.speed));
}

static int print_json_matrix(const struct matrix *matrix, const struct compare_output *output)
{
    json_t *columns = json_array(), *rows = json_array();
    const char *name;
    json_t *value;
    for (size_t i = 0; i < matrix->sides->n; i++)
        json_array_append_new(columns, json_column(matrix, i));
    json_object_foreach(matrix->cases, name, value)
    {
        json_t *cells = json_array();
        const size_t best = best_of(matrix, name);
        for (size_t i = 0; i < matrix->sides->n; i++)
            json_array_append_new(cells, json_cell(result_at(matrix, i, name), i == best));
        json_array_append_new(rows, json_pack("{s:s, s:o}", "case", name, "cells", cells));
    }
    return compare_print_json(json_pack("{s:s, s:s, s:s, s:o, s:o}", "schema", "clnorm.compare/1",
                                        "version", clnorm_version(), "by",
                                        matrix->by_share ? "of_copy" : "time", "devices", columns,
                                        "cases", rows),
                              output);
}

int compare_report_matrix(const struct compare_sides *sides, bool by_share,
                          const struct compare_output *output)
{
    static int (*const writers[])(const struct matrix *, const struct compare_output *) = {
        [COMPARE_TABLE] = print_matrix,
        [COMPARE_MARKDOWN] = print_matrix,
        [COMPARE_CSV] = print_csv,
        [COMPARE_JSON] = print_json_matrix,
    };
    struct matrix matrix = {sides, json_object(), by_share};
    bool ok = matrix.cases != NULL;
    for (size_t i = 0; ok && i < sides->n; i++)
        ok = json_object_update_missing(matrix.cases, sides->list[i].cases) == 0;
    if (!ok)
        complain("out of memory for a table");
    const int code = ok ? writers[output->format](&matrix, output) : CLI_DEVICE;
    json_decref(matrix.cases);
    return code;
}

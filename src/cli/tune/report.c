/* SPDX-License-Identifier: MIT */
#include "cli/tune/report.h"
#include "base/kind.h"
#include "cli/table.h"

static const char *const states[] = {"to measure", "in the table", "measured"};

size_t tune_report_count(const struct tune_report *report, enum tune_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < report->n_lines; i++)
        count += report->lines[i].state == state;
    return count;
}

static bool is_timed(const struct tune_line *line)
{
    return line->state == TUNE_MEASURED && line->result.timing.seconds > 0;
}

/* ---- for people ---------------------------------------------------------------------------- */

static void add_line(struct table *table, const struct tune_line *line)
{
    const clnorm_tune_result *r = &line->result;
    const enum table_tone tone = line->state == TUNE_MEASURED ? TONE_PLAIN : TONE_FAINT;
    char text[CLNORM_TUNING_TEXT] = "";
    if (line->state != TUNE_OPEN)
        clnorm_tuning_text(&r->record.tuning, text);
    table_add(table, tone, "%s", line->device->name);
    table_add(table, tone, "%s", line->c.stream ? "store" : clnorm_kind_name(line->c.kind));
    table_add(table, tone, "%s", line->c.stream ? "-" : clnorm_dtype_name(line->c.dtype));
    if (line->c.stream)
        table_add(table, tone, "-");
    else
        table_add(table, tone, "%llu", (unsigned long long)line->c.cols);
    table_add(table, tone, "%s", text);
    if (is_timed(line)) {
        table_add(table, tone, "%+.1f %%", 100 * (r->gain - 1));
        table_add(table, tone, "%.0f %%", 100 * r->timing.copy_seconds / r->timing.seconds);
    } else {
        table_add(table, tone, "-");
        table_add(table, tone, "-");
    }
    if (line->state == TUNE_MEASURED)
        table_add(table, tone, "%u tried", r->tried);
    else
        table_add(table, tone, "%s", states[line->state]);
}

int tune_report_table(const struct tune_report *report, bool no_color)
{
    static const struct table_column columns[] = {
        {.title = "device", .shrinks = 1},
        {.title = "op"},
        {.title = "dtype"},
        {.title = "cols", .right = true},
        {.title = "parameters"},
        {.title = "gain", .right = true},
        {.title = "of copy", .right = true},
        {.title = ""},
    };
    struct table table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(columns[0])};
    for (size_t i = 0; i < report->n_lines; i++)
        add_line(&table, &report->lines[i]);
    const int code =
        table_print(&table, stdout, terminal_width(stdout), use_color(stdout, no_color));
    table_release(&table);
    printf("%s: %zu measured, %zu were there, %zu to measure\n", report->path,
           tune_report_count(report, TUNE_MEASURED), tune_report_count(report, TUNE_KEPT),
           tune_report_count(report, TUNE_OPEN));
    return code;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static json_t *line_json(const struct tune_line *line)
{
    const clnorm_tune_result *r = &line->result;
    char text[CLNORM_TUNING_TEXT];
    json_t *object =
        json_pack("{s:o, s:o, s:s}", "device", json_text(line->device->name), "platform",
                  json_text(line->device->platform_name), "state", states[line->state]);
    if (!line->c.stream) {
        json_object_set_new(object, "op", json_string(clnorm_kind_name(line->c.kind)));
        json_object_set_new(object, "dtype", json_string(clnorm_dtype_name(line->c.dtype)));
        json_object_set_new(object, "cols", json_integer((json_int_t)line->c.cols));
    }
    if (line->state != TUNE_OPEN) {
        clnorm_tuning_text(&r->record.tuning, text);
        json_object_set_new(object, "tuning", json_string(text));
    }
    if (line->state == TUNE_MEASURED) {
        json_object_set_new(object, "tried", json_integer(r->tried));
        json_object_set_new(object, "wrong", json_integer(r->wrong));
    }
    if (is_timed(line)) {
        json_object_set_new(object, "rows", json_integer((json_int_t)r->timing.rows));
        json_object_set_new(object, "bytes", json_integer((json_int_t)r->timing.bytes));
        json_object_set_new(object, "seconds", json_finite(r->timing.seconds));
        json_object_set_new(object, "gain", json_finite(r->gain));
        json_object_set_new(object, "copy_seconds", json_finite(r->timing.copy_seconds));
    }
    return object;
}

int tune_report_json(const struct tune_report *report)
{
    json_t *cases = json_array();
    for (size_t i = 0; i < report->n_lines; i++)
        json_array_append_new(cases, line_json(&report->lines[i]));
    return print_json(json_pack("{s:s, s:o, s:I, s:I, s:I, s:o}", "version", clnorm_version(),
                                "file", json_text(report->path), "measured",
                                (json_int_t)tune_report_count(report, TUNE_MEASURED), "were_there",
                                (json_int_t)tune_report_count(report, TUNE_KEPT), "to_measure",
                                (json_int_t)tune_report_count(report, TUNE_OPEN), "cases", cases));
}

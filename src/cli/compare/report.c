/* SPDX-License-Identifier: MIT */
#include "cli/compare/compare.h"
#include "cli/files/csv.h"
#include "cli/result/about.h"

#include <math.h>
#include <string.h>

/* Below this width, the names of the cases need the place of the times. */
enum { LINE = 640, LEAST_WIDTH_FOR_TIMES = 100 };

void compare_print_line(const struct compare_output *output, bool is_item, char *text)
{
    make_printable(text);
    if (output->format != COMPARE_MARKDOWN) {
        fprintf(output->stream, "%s\n", text);
        return;
    }
    fputs(is_item ? "- " : "\n", output->stream);
    markdown_text(output->stream, text);
    fputs(is_item ? "\n" : "\n\n", output->stream);
}

int compare_print(const struct table *table, const struct compare_output *output)
{
    return output->format == COMPARE_MARKDOWN
               ? table_print_markdown(table, output->stream)
               : table_print(table, output->stream, output->width, output->color);
}

int compare_print_json(json_t *root, const struct compare_output *output)
{
    const bool ok =
        root && json_dumpf(root, output->stream, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0;
    json_decref(root);
    putc('\n', output->stream);
    if (!ok)
        complain("cannot write the JSON output: out of memory, or a text that is not UTF-8");
    return ok ? CLI_OK : CLI_DEVICE;
}

/* Why one side has no time; "" where it has. */
static const char *reason_of(const struct compare_row *row)
{
    const struct compare_value *const sides[] = {&row->b, &row->a};
    for (int i = 0; i < 2; i++)
        if (sides[i]->result && !sides[i]->is_ok) {
            const char *reason = json_text_at(sides[i]->result, "reason");
            return *reason ? reason : json_text_at(sides[i]->result, "status");
        }
    return "";
}

/* ---- for people ---------------------------------------------------------------------------- */

static void print_side(const struct compare_side *side, const struct compare_output *output)
{
    char text[LINE], device[LINE / 2];
    const char *created =
        json_string_value(result_about(side->file->document, side->device, "created"));
    compare_side_text(side, device, sizeof(device));
    snprintf(text, sizeof(text), "%s: %s: %s, %s%s", side->label, side->file->name, device,
             created ? created : "",
             json_is_false(json_object_get(side->file->document, "complete")) ? ", not complete"
                                                                              : "");
    compare_print_line(output, true, text);
}

static void print_head(const struct comparison *c, const struct compare_rules *rules,
                       const struct compare_output *output)
{
    struct compare_difference list[COMPARE_MOST_DIFFERENCES];
    char text[LINE];
    const size_t n = compare_differences(c->a, c->b, list);
    print_side(c->a, output);
    print_side(c->b, output);
    for (size_t i = 0; i < n; i++) {
        snprintf(text, sizeof(text), "%s differs: '%s' and '%s'", list[i].what, list[i].a,
                 list[i].b);
        compare_print_line(output, true, text);
    }
    snprintf(text, sizeof(text), "%s/%s is how many times as fast %s is, %s.", c->b->label,
             c->a->label, c->b->label,
             rules->by_time ? "by time: raw times of two processes are not comparable, so do not "
                              "take this for a difference of kernels"
                            : "by the share of what a copy beside it reached");
    compare_print_line(output, false, text);
}

static enum table_tone tone_of(enum compare_verdict verdict)
{
    switch (verdict) {
    case COMPARE_FAST:
        return TONE_GOOD;
    case COMPARE_SLOW:
    case COMPARE_WRONG:
        return TONE_BAD;
    case COMPARE_SAME:
        return TONE_PLAIN;
    default:
        return TONE_FAINT;
    }
}

static void add_value(struct table *table, const struct compare_value *value)
{
    if (value->is_ok)
        table_add_seconds(table, value->seconds);
    else
        table_add(table, TONE_FAINT, "%s",
                  value->result ? json_text_at(value->result, "status") : "-");
}

static void add_verdict(struct table *table, const struct compare_row *row)
{
    const char *name = compare_verdict_names[row->verdict];
    if (row->verdict == COMPARE_UNSURE)
        table_add(table, TONE_FAINT, "%s (%.0f)", name, row->rounds_needed);
    else
        table_add(table, tone_of(row->verdict), "%s", name);
}

static void share_text(const struct compare_value *value, char text[16])
{
    snprintf(text, 16, value->is_ok ? "%.0f %%" : "-", 100 * value->of_copy);
}

static void add_row(struct table *table, const struct compare_row *row, bool has_times)
{
    char factor[COMPARE_INTERVAL_TEXT] = "-", of_a[16], of_b[16];
    const bool is_both = row->a.is_ok && row->b.is_ok;
    if (is_both)
        compare_interval_text(row->factor, row->interval, factor);
    share_text(&row->a, of_a);
    share_text(&row->b, of_b);
    table_add(table, TONE_PLAIN, "%s", row->name);
    if (has_times) {
        add_value(table, &row->a);
        add_value(table, &row->b);
    }
    table_add(table, is_both ? TONE_PLAIN : TONE_FAINT, "%s", factor);
    add_verdict(table, row);
    table_add(table, TONE_PLAIN, "%s -> %s", of_a, of_b);
}

static void print_foot(const struct comparison *c, const struct compare_output *output)
{
    char text[LINE];
    if (c->count[COMPARE_UNSURE] > 0) {
        snprintf(text, sizeof(text), "UNSURE (N): N rounds a side would find an effect.");
        compare_print_line(output, false, text);
    }
    if (c->copy_moved) {
        snprintf(text, sizeof(text),
                 "copy moved %+.0f %%: the driver or the machine changed, not only kernels",
                 100 * (c->copy_factor - 1));
        compare_print_line(output, false, text);
    }
    comparison_summary(c, text, sizeof(text));
    compare_print_line(output, false, text);
}

static int print_pair(const struct comparison *c, const struct compare_rules *rules,
                      const struct compare_output *output)
{
    char ratio[48];
    snprintf(ratio, sizeof(ratio), "%s/%s (95 %%)", c->b->label, c->a->label);
    const struct table_column columns[] = {
        {"case", false, 1}, {c->a->label, true, 0}, {c->b->label, true, 0},
        {ratio, true, 0},   {"verdict", false, 0},  {"of copy", true, 0},
    };
    const struct table_column narrow[] = {columns[0], columns[3], columns[4], columns[5]};
    const bool has_times = output->width == 0 || output->width >= LEAST_WIDTH_FOR_TIMES;
    struct table table = {
        .columns = has_times ? columns : narrow,
        .n_columns = (has_times ? sizeof(columns) : sizeof(narrow)) / sizeof(columns[0]),
    };
    print_head(c, rules, output);
    for (size_t i = 0; i < c->n; i++)
        add_row(&table, &c->rows[i], has_times);
    const int code = compare_print(&table, output);
    table_release(&table);
    print_foot(c, output);
    return code;
}

/* ---- for programs -------------------------------------------------------------------------- */

static const char *status_of(const struct compare_value *value)
{
    return value->result ? json_text_at(value->result, "status") : NULL;
}

static void print_csv_row(struct csv *csv, const struct comparison *c,
                          const struct compare_row *row)
{
    const struct compare_value *const sides[] = {&row->a, &row->b};
    const bool is_both = row->a.is_ok && row->b.is_ok;
    csv_text(csv, c->a->label);
    csv_text(csv, c->b->label);
    csv_text(csv, row->name);
    for (int i = 0; i < 2; i++) {
        const bool is_ok = sides[i]->is_ok;
        csv_text(csv, status_of(sides[i]));
        csv_number(csv, is_ok ? sides[i]->seconds : NAN);
        csv_number(csv, is_ok ? sides[i]->bytes_per_second : NAN);
        csv_number(csv, is_ok ? sides[i]->of_copy : NAN);
    }
    csv_number(csv, is_both ? row->factor : NAN);
    csv_number(csv, is_both ? row->interval[0] : NAN);
    csv_number(csv, is_both ? row->interval[1] : NAN);
    csv_number(csv, row->is_tested ? row->p : NAN);
    csv_text(csv, compare_verdict_names[row->verdict]);
    csv_number(csv, row->rounds_needed > 0 ? row->rounds_needed : NAN);
    csv_text(csv, reason_of(row));
    csv_end_line(csv);
}

static int print_csv(const struct comparison *list, size_t n, const struct compare_output *output)
{
    struct csv csv = {output->stream, 0};
    fputs("a,b,case,a_status,a_seconds,a_bytes_per_second,a_of_copy,b_status,b_seconds,"
          "b_bytes_per_second,b_of_copy,ratio,ratio_low,ratio_high,p,verdict,rounds_needed,"
          "reason\r\n",
          output->stream);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < list[i].n; k++)
            print_csv_row(&csv, &list[i], &list[i].rows[k]);
    return CLI_OK;
}

static json_t *json_interval(const double interval[2])
{
    return isfinite(interval[0]) && isfinite(interval[1])
               ? json_pack("[f, f]", interval[0], interval[1])
               : json_null();
}

static json_t *json_value(const struct compare_value *value)
{
    if (!value->result)
        return json_null();
    if (!value->is_ok)
        return json_pack("{s:s, s:O?}", "status", status_of(value), "reason",
                         json_object_get(value->result, "reason"));
    return json_pack("{s:s, s:f, s:f, s:f}", "status", "ok", "seconds", value->seconds,
                     "bytes_per_second", value->bytes_per_second, "of_copy", value->of_copy);
}

static json_t *json_row(const struct compare_row *row)
{
    const bool is_both = row->a.is_ok && row->b.is_ok;
    json_t *object =
        json_pack("{s:s, s:o, s:o, s:s}", "case", row->name, "a", json_value(&row->a), "b",
                  json_value(&row->b), "verdict", compare_verdict_names[row->verdict]);
    if (is_both) {
        json_object_set_new(object, "ratio", json_finite(row->factor));
        json_object_set_new(object, "ratio_interval", json_interval(row->interval));
        json_object_set_new(object, "margin", json_real(row->margin));
    }
    if (row->is_tested) {
        json_object_set_new(object, "p", json_finite(row->p));
        json_object_set_new(object, "gate",
                            json_string(row->gate_fast   ? "FAST"
                                        : row->gate_slow ? "SLOW"
                                                         : "none"));
    }
    if (row->rounds_needed > 0)
        json_object_set_new(object, "rounds_needed", json_integer((json_int_t)row->rounds_needed));
    return object;
}

static json_t *json_side(const struct compare_side *side)
{
    return json_pack("{s:s, s:o, s:i, s:O, s:O, s:O}", "label", side->label, "file",
                     json_text(side->file->name), "device", (int)side->device_place, "id",
                     json_object_get(side->device, "id"), "name",
                     json_object_get(side->device, "name"), "driver_version",
                     json_object_get(side->device, "driver_version"));
}

static json_t *json_differences(const struct comparison *c)
{
    struct compare_difference list[COMPARE_MOST_DIFFERENCES];
    const size_t n = compare_differences(c->a, c->b, list);
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, json_pack("{s:s, s:o, s:o}", "what", list[i].what, "a",
                                               json_text(list[i].a), "b", json_text(list[i].b)));
    return array;
}

static json_t *json_summary(const struct comparison *c)
{
    json_t *counts = json_object();
    for (int i = 0; i < COMPARE_NEITHER; i++)
        json_object_set_new(counts, compare_verdict_names[i],
                            json_integer((json_int_t)c->count[i]));
    return json_pack("{s:i, s:o, s:o, s:o, s:o}", "cases", (int)c->n_both, "ratio",
                     c->n_both ? json_finite(c->factor) : json_null(), "ratio_interval",
                     json_interval(c->interval), "copy_ratio", json_finite(c->copy_factor),
                     "verdicts", counts);
}

static int print_json_pairs(const struct comparison *list, size_t n,
                            const struct compare_rules *rules, const struct compare_output *output)
{
    json_t *pairs = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *rows = json_array();
        for (size_t k = 0; k < list[i].n; k++)
            json_array_append_new(rows, json_row(&list[i].rows[k]));
        json_array_append_new(pairs, json_pack("{s:o, s:o, s:o, s:o, s:o}", "a",
                                               json_side(list[i].a), "b", json_side(list[i].b),
                                               "differences", json_differences(&list[i]), "cases",
                                               rows, "summary", json_summary(&list[i])));
    }
    return compare_print_json(json_pack("{s:s, s:s, s:s, s:f, s:o}", "schema", "clnorm.compare/1",
                                        "version", clnorm_version(), "by",
                                        rules->by_time ? "time" : "of_copy", "threshold",
                                        rules->threshold, "pairs", pairs),
                              output);
}

int compare_report_pairs(const struct comparison *list, size_t n, const struct compare_rules *rules,
                         const struct compare_output *output)
{
    int code = CLI_OK;
    if (output->format == COMPARE_CSV)
        return print_csv(list, n, output);
    if (output->format == COMPARE_JSON)
        return print_json_pairs(list, n, rules, output);
    for (size_t i = 0; i < n && code == CLI_OK; i++) {
        if (i > 0)
            putc('\n', output->stream);
        code = print_pair(&list[i], rules, output);
    }
    return code;
}

/* SPDX-License-Identifier: MIT */
/* Two sides for programs to read. */
#include "cli/compare/compare.h"
#include "cli/files/csv.h"

#include <math.h>
#include <string.h>

/* ---- CSV ----------------------------------------------------------------------------------- */

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

static const char *status_of(const struct compare_value *value)
{
    return value->result ? json_text_at(value->result, "status") : NULL;
}

/* "launch_bound copy_variant" */
static void csv_rough(struct csv *csv, const struct compare_row *row)
{
    char text[64] = "";
    for (int i = 0; i < COMPARE_ROUGH; i++) {
        const size_t used = strlen(text);
        if (row->rough[i])
            snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "",
                     compare_rough_names[i]);
    }
    csv_text(csv, text);
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
    csv_number(csv, is_both ? row->margin : NAN);
    csv_rough(csv, row);
    csv_text(csv, row->a.copy);
    csv_text(csv, row->b.copy);
    csv_end_line(csv);
}

int compare_csv_pairs(const struct comparison *list, size_t n, const struct compare_output *output)
{
    struct csv csv = {output->stream, 0};
    fputs("a,b,case,a_status,a_seconds,a_bytes_per_second,a_of_copy,b_status,b_seconds,"
          "b_bytes_per_second,b_of_copy,ratio,ratio_low,ratio_high,p,verdict,rounds_needed,"
          "reason,margin,rough,a_copy_variant,b_copy_variant\r\n",
          output->stream);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < list[i].n; k++)
            print_csv_row(&csv, &list[i], &list[i].rows[k]);
    return CLI_OK;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

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
    return json_pack("{s:s, s:f, s:f, s:f, s:b, s:o}", "status", "ok", "seconds", value->seconds,
                     "bytes_per_second", value->bytes_per_second, "of_copy", value->of_copy,
                     "launch_bound", value->is_launch_bound, "copy_variant",
                     *value->copy ? json_text(value->copy) : json_null());
}

static json_t *json_rough(const struct compare_row *row)
{
    json_t *names = json_array();
    for (int i = 0; i < COMPARE_ROUGH; i++)
        if (row->rough[i])
            json_array_append_new(names, json_string(compare_rough_names[i]));
    return names;
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
        json_object_set_new(object, "rough", json_rough(row));
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
    return json_pack("{s:i, s:i, s:o, s:o, s:o, s:o}", "cases", (int)c->n_both, "tested",
                     (int)c->n_tested, "ratio", c->n_both ? json_finite(c->factor) : json_null(),
                     "ratio_interval", json_interval(c->interval), "copy_ratio",
                     json_finite(c->copy_factor), "verdicts", counts);
}

int compare_json_pairs(const struct comparison *list, size_t n, const struct compare_rules *rules,
                       const struct compare_output *output)
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

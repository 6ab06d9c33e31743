/* SPDX-License-Identifier: MIT */
#include "cli/check_report.h"
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

static const char *const outcome_names[] = {"passed", "failed", "skipped"};

/* ---- collecting ---- */

static bool same_line(const struct check_line *line, const clnorm_device *device,
                      const clnorm_desc *desc)
{
    return line->device == device && line->desc.kind == desc->kind &&
           line->desc.x_dtype == desc->x_dtype && line->desc.y_dtype == desc->y_dtype &&
           line->desc.param_dtype == desc->param_dtype && line->desc.form == desc->form;
}

static struct check_line *line_for(struct check_report *report, const clnorm_device *device,
                                   const clnorm_desc *desc)
{
    if (report->n_lines && same_line(&report->lines[report->n_lines - 1], device, desc))
        return &report->lines[report->n_lines - 1];
    struct check_line *lines = realloc(report->lines, (report->n_lines + 1) * sizeof(*lines));
    if (!lines)
        return NULL;
    report->lines = lines;
    lines[report->n_lines] =
        (struct check_line){.device = device, .desc = *desc, .error_at_1e6 = -1};
    return &lines[report->n_lines++];
}

static void keep_largest(double *most, double value)
{
    if (value > *most)
        *most = value;
}

static void keep_reason(struct check_line *line, const clnorm_check_case *c,
                        const clnorm_check_result *r)
{
    const bool first_failure = r->outcome == CLNORM_FAILED && line->count[CLNORM_FAILED] == 1;
    char text[ERROR_LINE];
    if (!first_failure && (r->outcome != CLNORM_SKIPPED || line->reason[0]))
        return;
    error_line(&r->error, text);
    snprintf(line->reason, sizeof(line->reason), "%llux%llu: %.400s", (unsigned long long)c->rows,
             (unsigned long long)c->desc.cols, r->error.status ? text : r->reason);
}

bool check_report_case(struct check_report *report, const clnorm_device *device,
                       const clnorm_check_case *c, const clnorm_check_result *r)
{
    struct check_line *line = line_for(report, device, &c->desc);
    if (!line)
        return false;
    line->count[r->outcome]++;
    report->count[r->outcome]++;
    line->compared += r->verdict.compared;
    keep_largest(&line->max_ulp, r->verdict.max_ulp);
    keep_largest(&line->bound_share, r->verdict.max_bound_share);
    if (!strcmp(c->input->name, "mean_1e6"))
        keep_largest(&line->error_at_1e6, r->verdict.max_scaled_error);
    keep_reason(line, c, r);
    report->wrong += r->outcome == CLNORM_FAILED && r->error.status == CLNORM_OK;
    if (r->outcome == CLNORM_FAILED && !report->broken)
        report->broken = r->error.status;
    return true;
}

bool check_report_broken(struct check_report *report, const clnorm_device *device,
                         const clnorm_error *error)
{
    const clnorm_desc none = {.cols = 0};
    char text[ERROR_LINE];
    struct check_line *line = line_for(report, device, &none);
    if (!line)
        return false;
    line->count[CLNORM_FAILED]++;
    report->count[CLNORM_FAILED]++;
    error_line(error, text);
    snprintf(line->reason, sizeof(line->reason), "%.500s", text);
    if (!report->broken)
        report->broken = error->status;
    return true;
}

int check_report_code(const struct check_report *report)
{
    if (report->wrong)
        return CLI_WRONG;
    if (report->broken)
        return exit_code_of(report->broken);
    return report->count[CLNORM_PASSED] ? CLI_OK : CLI_DEVICE;
}

/* ---- printing ---- */

static void format_dtypes(const clnorm_desc *d, char *text, size_t bytes)
{
    if (d->x_dtype == d->y_dtype && d->x_dtype == d->param_dtype)
        snprintf(text, bytes, "%s", clnorm_dtype_name(d->x_dtype));
    else
        snprintf(text, bytes, "%s>%s/%s", clnorm_dtype_name(d->x_dtype),
                 clnorm_dtype_name(d->y_dtype), clnorm_dtype_name(d->param_dtype));
}

static clnorm_outcome outcome_of(const struct check_line *line)
{
    return line->count[CLNORM_FAILED]   ? CLNORM_FAILED
           : line->count[CLNORM_PASSED] ? CLNORM_PASSED
                                        : CLNORM_SKIPPED;
}

static const char *kind_of(const struct check_line *line)
{
    return line->desc.cols ? clnorm_kind_name(line->desc.kind) : "-";
}

/* Nothing is told of what was not compared. */
static void add_number(struct table *table, bool known, const char *format, double value)
{
    char text[32];
    snprintf(text, sizeof(text), format, value);
    table_add(table, known ? TONE_PLAIN : TONE_FAINT, "%s", known ? text : "-");
}

static void add_line(struct table *table, const struct check_line *line)
{
    static const char *const words[] = {"PASS", "FAIL", "SKIP"};
    static const enum table_tone tones[] = {TONE_GOOD, TONE_BAD, TONE_FAINT};
    const clnorm_outcome outcome = outcome_of(line);
    char dtypes[32];
    format_dtypes(&line->desc, dtypes, sizeof(dtypes));
    table_add(table, TONE_PLAIN, "%u", line->device->index);
    table_add(table, TONE_PLAIN, "%s", kind_of(line));
    table_add(table, TONE_PLAIN, "%s", dtypes);
    table_add(table, TONE_PLAIN, "%s", clnorm_form_name(line->desc.form));
    table_add(table, TONE_PLAIN, "%zu",
              line->count[CLNORM_PASSED] + line->count[CLNORM_FAILED] +
                  line->count[CLNORM_SKIPPED]);
    add_number(table, line->compared > 0, "%.2f", line->max_ulp);
    add_number(table, line->compared > 0, "%.0f %%", 100 * line->bound_share);
    add_number(table, line->compared > 0 && line->error_at_1e6 >= 0, "%.1e", line->error_at_1e6);
    table_add(table, tones[outcome], "%s", words[outcome]);
}

/* The devices behind the numbers of the first column. */
static void print_devices(const struct check_report *report)
{
    for (size_t i = 0; i < report->n_lines; i++) {
        const clnorm_device *device = report->lines[i].device;
        if (i == 0 || device != report->lines[i - 1].device)
            printf("device %u: %s (%s)\n", device->index, device->name, device->platform_name);
    }
}

static void print_reasons(const struct check_report *report)
{
    for (size_t i = 0; i < report->n_lines; i++) {
        const struct check_line *line = &report->lines[i];
        const size_t failed = line->count[CLNORM_FAILED], skipped = line->count[CLNORM_SKIPPED];
        char dtypes[32];
        format_dtypes(&line->desc, dtypes, sizeof(dtypes));
        if (failed || skipped)
            printf("device %u, %s %s %s: %zu %s, first %s\n", line->device->index, kind_of(line),
                   dtypes, clnorm_form_name(line->desc.form), failed ? failed : skipped,
                   outcome_names[failed ? CLNORM_FAILED : CLNORM_SKIPPED], line->reason);
    }
}

int check_report_table(const struct check_report *report, bool no_color)
{
    static const struct table_column columns[] = {
        {"#", true, false},        {"op", false, false},         {"dtype", false, false},
        {"form", false, false},    {"cases", true, false},       {"max ULP", true, false},
        {"of bound", true, false}, {"at mean 1e6", true, false}, {"verdict", false, false},
    };
    struct table table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(columns[0])};
    for (size_t i = 0; i < report->n_lines; i++)
        add_line(&table, &report->lines[i]);
    print_devices(report);
    const int code =
        table_print(&table, stdout, terminal_width(stdout), use_color(stdout, no_color));
    table_release(&table);
    print_reasons(report);
    if (report->left_out)
        printf("%zu shapes are too large for the limit of elements and were left out\n",
               report->left_out);
    printf("%zu passed, %zu failed, %zu skipped\n", report->count[CLNORM_PASSED],
           report->count[CLNORM_FAILED], report->count[CLNORM_SKIPPED]);
    return code;
}

static json_t *json_counts(const size_t count[3])
{
    json_t *object = json_object();
    for (int i = 0; i < 3; i++)
        json_object_set_new(object, outcome_names[i], json_integer((json_int_t)count[i]));
    return object;
}

static json_t *json_line(const struct check_line *line)
{
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s}", "device",
                     (int)line->device->index, "name", line->device->name, "platform",
                     line->device->platform_name, "op", kind_of(line), "x_dtype",
                     clnorm_dtype_name(line->desc.x_dtype), "y_dtype",
                     clnorm_dtype_name(line->desc.y_dtype), "param_dtype",
                     clnorm_dtype_name(line->desc.param_dtype), "form",
                     clnorm_form_name(line->desc.form), "cases", json_counts(line->count),
                     "max_ulp", json_finite(line->max_ulp), "bound_share",
                     json_finite(line->bound_share), "scaled_error_at_mean_1e6",
                     line->error_at_1e6 < 0 ? json_null() : json_finite(line->error_at_1e6),
                     "reason", line->reason);
}

int check_report_json(const struct check_report *report)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < report->n_lines; i++)
        json_array_append_new(lines, json_line(&report->lines[i]));
    return print_json(json_pack("{s:s, s:i, s:o, s:o}", "version", clnorm_version(), "left_out",
                                (int)report->left_out, "results", lines, "summary",
                                json_counts(report->count)));
}

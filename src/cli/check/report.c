/* SPDX-License-Identifier: MIT */
#include "cli/check/report.h"
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

static const char *const outcome_names[] = {"passed", "failed", "skipped"};

/* ---- collecting ---- */

static bool same_line(const struct check_line *a, const struct check_line *b)
{
    return a->device == b->device && !strcmp(a->subject.variant, b->subject.variant) &&
           !strcmp(a->subject.direction, b->subject.direction) &&
           !strcmp(a->subject.dtype, b->subject.dtype);
}

static struct check_line *line_for(struct check_report *report, const struct check_line *key)
{
    for (size_t i = report->n_lines; i-- > 0;)
        if (same_line(&report->lines[i], key))
            return &report->lines[i];
    struct check_line *lines = realloc(report->lines, (report->n_lines + 1) * sizeof(*lines));
    if (!lines)
        return NULL;
    report->lines = lines;
    lines[report->n_lines] = *key;
    return &lines[report->n_lines++];
}

static void keep_largest(double *most, double value)
{
    if (value > *most)
        *most = value;
}

static void keep_reason(struct check_line *line, const char *name, const clnorm_check_result *r)
{
    const bool first_failure = r->outcome == CLNORM_FAILED && line->count[CLNORM_FAILED] == 1;
    char text[ERROR_LINE];
    if (!first_failure && (r->outcome != CLNORM_SKIPPED || line->reason[0]))
        return;
    error_line(&r->error, text);
    snprintf(line->reason, sizeof(line->reason), "%.200s: %.430s", name,
             r->error.status ? text : r->reason);
}

static void count_case(struct check_report *report, struct check_line *line, const char *name,
                       bool at_1e6, const clnorm_check_result *r)
{
    line->count[r->outcome]++;
    report->count[r->outcome]++;
    line->compared += r->verdict.compared;
    keep_largest(&line->max_ulp, r->verdict.max_ulp);
    keep_largest(&line->bound_share, r->verdict.max_bound_share);
    if (at_1e6)
        keep_largest(&line->error_at_1e6, r->verdict.max_scaled_error);
    keep_reason(line, name, r);
    report->wrong += r->outcome == CLNORM_FAILED && r->error.status == CLNORM_OK;
    if (r->outcome == CLNORM_FAILED && !report->broken)
        report->broken = r->error.status;
}

bool check_report_case(struct check_report *report, const clnorm_device *device,
                       const struct check_subject *subject, const char *name, bool at_1e6,
                       const clnorm_check_result *r)
{
    const struct check_line key = {.device = device, .subject = *subject, .error_at_1e6 = -1};
    struct check_line *line = line_for(report, &key);
    if (!line)
        return false;
    count_case(report, line, name, at_1e6, r);
    return true;
}

bool check_report_broken(struct check_report *report, const clnorm_device *device,
                         const clnorm_error *error)
{
    const struct check_line key = {
        .device = device, .subject = {"-", "-", "-", "-"}, .error_at_1e6 = -1};
    char text[ERROR_LINE];
    struct check_line *line = line_for(report, &key);
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

static clnorm_outcome outcome_of(const struct check_line *line)
{
    return line->count[CLNORM_FAILED]   ? CLNORM_FAILED
           : line->count[CLNORM_PASSED] ? CLNORM_PASSED
                                        : CLNORM_SKIPPED;
}

static const char *verdict_of(const struct check_line *line)
{
    static const char *const words[] = {"PASS", "FAIL", "SKIP"};
    return words[outcome_of(line)];
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
    static const enum table_tone tones[] = {TONE_GOOD, TONE_BAD, TONE_FAINT};
    const bool known = line->compared > 0;
    table_add(table, TONE_PLAIN, "%u", line->device->index);
    table_add(table, TONE_PLAIN, "%s", line->subject.variant);
    table_add(table, TONE_PLAIN, "%s", line->subject.dtype);
    table_add(table, TONE_PLAIN, "%s", line->subject.direction);
    table_add(table, TONE_PLAIN, "%zu", line->count[CLNORM_PASSED]);
    table_add(table, line->count[CLNORM_FAILED] ? TONE_BAD : TONE_FAINT, "%zu",
              line->count[CLNORM_FAILED]);
    add_number(table, known, "%.2f", line->max_ulp);
    add_number(table, known, "%.0f %%", 100 * line->bound_share);
    add_number(table, known && line->error_at_1e6 >= 0, "%.1e", line->error_at_1e6);
    table_add(table, tones[outcome_of(line)], "%s", verdict_of(line));
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
        if (failed || skipped)
            printf("device %u, %s %s %s: %zu %s, first %s\n", line->device->index,
                   line->subject.variant, line->subject.dtype, line->subject.direction,
                   failed ? failed : skipped,
                   outcome_names[failed ? CLNORM_FAILED : CLNORM_SKIPPED], line->reason);
    }
}

static void print_counts(const struct check_report *report)
{
    if (report->left_out)
        printf("%zu shapes are too large for the limit of elements, or none for their operator, "
               "and were left out\n",
               report->left_out);
    printf("%zu passed, %zu failed, %zu skipped\n", report->count[CLNORM_PASSED],
           report->count[CLNORM_FAILED], report->count[CLNORM_SKIPPED]);
}

int check_report_table(const struct check_report *report, bool no_color)
{
    static const struct table_column columns[] = {
        {"#", true, 0},          {"op", false, 1},      {"dtype", false, 0},
        {"direction", false, 0}, {"passed", true, 0},   {"failed", true, 0},
        {"max ULP", true, 0},    {"of bound", true, 0}, {"at mean 1e6", true, 0},
        {"verdict", false, 0},
    };
    struct table table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(columns[0])};
    for (size_t i = 0; i < report->n_lines; i++)
        add_line(&table, &report->lines[i]);
    print_devices(report);
    const int code =
        table_print(&table, stdout, terminal_width(stdout), use_color(stdout, no_color));
    table_release(&table);
    print_reasons(report);
    print_counts(report);
    return code;
}

/* ---- for documents and programs ---- */

static void print_markdown_line(const struct check_line *line)
{
    const bool known = line->compared > 0;
    char ulp[32] = "-", share[32] = "-";
    if (known) {
        snprintf(ulp, sizeof(ulp), "%.2f", line->max_ulp);
        snprintf(share, sizeof(share), "%.0f %%", 100 * line->bound_share);
    }
    printf("| %s | %s | %s | %zu | %zu | %s | %s | %s |\n", line->subject.variant,
           line->subject.dtype, line->subject.direction, line->count[CLNORM_PASSED],
           line->count[CLNORM_FAILED], ulp, share, verdict_of(line));
}

int check_report_markdown(const struct check_report *report)
{
    for (size_t i = 0; i < report->n_lines; i++) {
        const struct check_line *line = &report->lines[i];
        if (i == 0 || line->device != report->lines[i - 1].device)
            printf("%s### %s (%s, driver %s)\n\n"
                   "| Operator | dtype | Direction | Passed | Failed | Max ULP | Of its bound | "
                   "Verdict |\n"
                   "|---|---|---|--:|--:|--:|--:|---|\n",
                   i ? "\n" : "", line->device->name, line->device->platform_name,
                   line->device->driver);
        print_markdown_line(line);
    }
    putchar('\n');
    print_counts(report);
    return CLI_OK;
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
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "device",
                     (int)line->device->index, "name", line->device->name, "platform",
                     line->device->platform_name, "op", line->subject.op, "variant",
                     line->subject.variant, "dtype", line->subject.dtype, "direction",
                     line->subject.direction, "verdict", verdict_of(line), "cases",
                     json_counts(line->count), "max_ulp", json_finite(line->max_ulp), "bound_share",
                     json_finite(line->bound_share), "scaled_error_at_mean_1e6",
                     line->error_at_1e6 < 0 ? json_null() : json_finite(line->error_at_1e6),
                     "reason", json_text(line->reason));
}

json_t *check_report_data(const struct check_report *report)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < report->n_lines; i++)
        json_array_append_new(lines, json_line(&report->lines[i]));
    return json_pack("{s:s, s:i, s:o, s:o}", "version", clnorm_version(), "left_out",
                     (int)report->left_out, "results", lines, "summary",
                     json_counts(report->count));
}

int check_report_json(const struct check_report *report)
{
    return print_json(check_report_data(report));
}

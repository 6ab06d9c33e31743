/* SPDX-License-Identifier: MIT */
#include "check/runner.h"
#include "cli/cli.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

struct wishes {
    int op, dtype, form; /* 0: all; else one more than the value */
    char *shape, *device;
    uint64_t max_elements, seed;
    bool json, no_color;
};

/* One line of the table: all cases of an operator, its dtypes and a form on a device. */
struct line {
    const clnorm_device *device;
    clnorm_desc desc;
    size_t count[3]; /* by clnorm_outcome */
    double max_ulp, bound_share;
    double error_at_1e6; /* largest |error| / (1 + |y|) of rows with mean 1e6; -1: no such rows */
    char reason[512]; /* of the first case that failed, or was skipped */
};

struct report {
    struct line *lines;
    size_t n_lines;
    size_t count[3], left_out;
};

static const char *const outcome_names[] = {"passed", "failed", "skipped"};

static bool same_line(const struct line *line, const clnorm_device *device, const clnorm_desc *desc)
{
    return line->device == device && line->desc.kind == desc->kind &&
           line->desc.x_dtype == desc->x_dtype && line->desc.y_dtype == desc->y_dtype &&
           line->desc.param_dtype == desc->param_dtype && line->desc.form == desc->form;
}

static struct line *line_for(struct report *report, const clnorm_device *device,
                             const clnorm_desc *desc)
{
    if (report->n_lines && same_line(&report->lines[report->n_lines - 1], device, desc))
        return &report->lines[report->n_lines - 1];
    struct line *lines = realloc(report->lines, (report->n_lines + 1) * sizeof(*lines));
    if (!lines)
        return NULL;
    report->lines = lines;
    lines[report->n_lines] = (struct line){.device = device, .desc = *desc, .error_at_1e6 = -1};
    return &lines[report->n_lines++];
}

static void keep_largest(double *most, double value)
{
    if (value > *most)
        *most = value;
}

static void record(struct line *line, const clnorm_check_case *c, const clnorm_check_result *r)
{
    line->count[r->outcome]++;
    keep_largest(&line->max_ulp, r->verdict.max_ulp);
    keep_largest(&line->bound_share, r->verdict.max_bound_share);
    if (!strcmp(c->input->name, "mean_1e6"))
        keep_largest(&line->error_at_1e6, r->verdict.max_scaled_error);
    if (r->outcome != CLNORM_PASSED && !line->reason[0])
        snprintf(line->reason, sizeof(line->reason), "%llux%llu: %.400s",
                 (unsigned long long)c->rows, (unsigned long long)c->desc.cols, r->reason);
}

static bool check_cases(struct report *report, const clnorm_device *device, clnorm_context *context,
                        const clnorm_check_case *cases, size_t count, clnorm_error *error)
{
    struct progress progress;
    progress_begin(&progress, device->name, "checking", count);
    for (size_t i = 0; i < count && !interrupt_pending(); i++) {
        clnorm_check_result result;
        struct line *line = line_for(report, device, &cases[i].desc);
        if (!line)
            return out_of_memory(error, (report->n_lines + 1) * sizeof(*line));
        clnorm_check_run(context, &cases[i], &result);
        record(line, &cases[i], &result);
        report->count[result.outcome]++;
        progress_update(&progress, i + 1);
    }
    progress_end(&progress);
    return true;
}

/* It takes a thousand times as long for an element. */
static bool is_simulator(const clnorm_device *device)
{
    return !strcmp(device->platform_name, "Oclgrind");
}

static bool check_device(struct report *report, const clnorm_device *device,
                         const struct wishes *wishes, clnorm_check_filter filter,
                         clnorm_error *error)
{
    clnorm_context *context = NULL;
    clnorm_check_case *cases = NULL;
    size_t count = 0, left_out = 0;
    char selector[16];
    snprintf(selector, sizeof(selector), "%u", device->index);
    filter.quick = is_simulator(device);
    if (wishes->max_elements)
        filter.max_elements = wishes->max_elements;
    else if (filter.quick)
        filter.max_elements = (uint64_t)1 << 15;
    const bool ok = !clnorm_context_create(selector, log_warnings, NULL, &context, error) &&
                    !clnorm_check_cases(&filter, &cases, &count, &left_out, error) &&
                    check_cases(report, device, context, cases, count, error);
    report->left_out += left_out;
    free(cases);
    clnorm_context_destroy(context);
    return ok;
}

/* ---- output ---- */

static void format_dtypes(const clnorm_desc *d, char *text, size_t bytes)
{
    if (d->x_dtype == d->y_dtype && d->x_dtype == d->param_dtype)
        snprintf(text, bytes, "%s", clnorm_dtype_name(d->x_dtype));
    else
        snprintf(text, bytes, "%s>%s/%s", clnorm_dtype_name(d->x_dtype),
                 clnorm_dtype_name(d->y_dtype), clnorm_dtype_name(d->param_dtype));
}

static clnorm_outcome outcome_of(const struct line *line)
{
    return line->count[CLNORM_FAILED]   ? CLNORM_FAILED
           : line->count[CLNORM_PASSED] ? CLNORM_PASSED
                                        : CLNORM_SKIPPED;
}

static void add_line(struct table *table, const struct line *line)
{
    static const char *const words[] = {"PASS", "FAIL", "SKIP"};
    static const enum table_tone tones[] = {TONE_GOOD, TONE_BAD, TONE_FAINT};
    const clnorm_outcome outcome = outcome_of(line);
    char dtypes[32];
    format_dtypes(&line->desc, dtypes, sizeof(dtypes));
    table_add(table, TONE_PLAIN, "%u", line->device->index);
    table_add(table, TONE_PLAIN, "%s", line->device->platform_name);
    table_add(table, TONE_PLAIN, "%s", clnorm_kind_name(line->desc.kind));
    table_add(table, TONE_PLAIN, "%s", dtypes);
    table_add(table, TONE_PLAIN, "%s", clnorm_form_name(line->desc.form));
    table_add(table, TONE_PLAIN, "%zu",
              line->count[CLNORM_PASSED] + line->count[CLNORM_FAILED] +
                  line->count[CLNORM_SKIPPED]);
    table_add(table, TONE_PLAIN, "%.2f", line->max_ulp);
    table_add(table, TONE_PLAIN, "%.0f %%", 100 * line->bound_share);
    if (line->error_at_1e6 < 0)
        table_add(table, TONE_FAINT, "-");
    else
        table_add(table, TONE_PLAIN, "%.1e", line->error_at_1e6);
    table_add(table, tones[outcome], "%s", words[outcome]);
}

static void print_reasons(const struct report *report)
{
    for (size_t i = 0; i < report->n_lines; i++) {
        const struct line *line = &report->lines[i];
        char dtypes[32];
        format_dtypes(&line->desc, dtypes, sizeof(dtypes));
        if (line->count[CLNORM_FAILED])
            printf("device %u, %s %s %s: %zu failed, first %s\n", line->device->index,
                   clnorm_kind_name(line->desc.kind), dtypes, clnorm_form_name(line->desc.form),
                   line->count[CLNORM_FAILED], line->reason);
    }
}

static int print_table(const struct report *report, const struct wishes *wishes)
{
    static const struct table_column columns[] = {
        {"#", true, false},        {"platform", false, true}, {"op", false, false},
        {"dtype", false, false},   {"form", false, false},    {"cases", true, false},
        {"max ULP", true, false},  {"of bound", true, false}, {"at mean 1e6", true, false},
        {"verdict", false, false},
    };
    struct table table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(columns[0])};
    for (size_t i = 0; i < report->n_lines; i++)
        add_line(&table, &report->lines[i]);
    const int code =
        table_print(&table, stdout, terminal_width(stdout), use_color(stdout, wishes->no_color));
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

static json_t *json_line(const struct line *line)
{
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s}", "device",
                     (int)line->device->index, "name", line->device->name, "platform",
                     line->device->platform_name, "op", clnorm_kind_name(line->desc.kind),
                     "x_dtype", clnorm_dtype_name(line->desc.x_dtype), "y_dtype",
                     clnorm_dtype_name(line->desc.y_dtype), "param_dtype",
                     clnorm_dtype_name(line->desc.param_dtype), "form",
                     clnorm_form_name(line->desc.form), "cases", json_counts(line->count),
                     "max_ulp", json_finite(line->max_ulp), "bound_share",
                     json_finite(line->bound_share), "scaled_error_at_mean_1e6",
                     line->error_at_1e6 < 0 ? json_null() : json_finite(line->error_at_1e6),
                     "reason", line->reason);
}

static int print_document(const struct report *report)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < report->n_lines; i++)
        json_array_append_new(lines, json_line(&report->lines[i]));
    return print_json(json_pack("{s:s, s:i, s:o, s:o}", "version", clnorm_version(), "left_out",
                                (int)report->left_out, "results", lines, "summary",
                                json_counts(report->count)));
}

/* ---- command ---- */

static bool parse_shape(const char *text, clnorm_check_filter *filter, clnorm_error *error)
{
    char *end = NULL;
    if (!text)
        return true;
    filter->rows = strtoull(text, &end, 10);
    const bool has_rows = end != text && *end == 'x' && text[0] != '-';
    const char *cols = has_rows ? end + 1 : end;
    filter->cols = has_rows && *cols >= '0' && *cols <= '9' ? strtoull(cols, &end, 10) : 0;
    if (!has_rows || *end || filter->cols == 0 || filter->cols > CLNORM_MAX_COLS)
        return refuse(error,
                      "--shape is '%s'; allowed is ROWSxCOLS, such as 128x768, with cols 1 to "
                      "%llu",
                      text, (unsigned long long)CLNORM_MAX_COLS);
    return true;
}

static bool check_devices(struct report *report, const struct wishes *wishes,
                          const clnorm_device *devices, size_t count, clnorm_error *error)
{
    clnorm_check_filter filter = CLNORM_CHECK_FILTER_INIT;
    size_t n_chosen = 0;
    size_t *chosen = calloc(count + 1, sizeof(*chosen));
    filter.kind = wishes->op - 1;
    filter.dtype = wishes->dtype - 1;
    filter.form = wishes->form ? wishes->form : -1;
    filter.seed = wishes->seed;
    bool ok = chosen ? parse_shape(wishes->shape, &filter, error) &&
                           !clnorm_devices_select(devices, count, wishes->device, chosen, &n_chosen,
                                                  error)
                     : out_of_memory(error, count * sizeof(*chosen));
    for (size_t i = 0; ok && i < n_chosen && !interrupt_pending(); i++)
        ok = check_device(report, &devices[chosen[i]], wishes, filter, error);
    free(chosen);
    return ok;
}

static int check(const struct wishes *wishes)
{
    struct report report = {.n_lines = 0};
    clnorm_device *devices = NULL;
    clnorm_error error = {.status = CLNORM_OK};
    size_t count = 0;
    interrupt_install();
    const bool ok = !clnorm_devices_list(&devices, &count, &error) &&
                    check_devices(&report, wishes, devices, count, &error);
    int code = CLI_OK;
    if (report.n_lines)
        code = wishes->json ? print_document(&report) : print_table(&report, wishes);
    if (!ok)
        code = complain_error(&error);
    else if (interrupt_pending())
        code = CLI_INTERRUPTED;
    else if (report.count[CLNORM_FAILED])
        code = CLI_WRONG;
    free(report.lines);
    clnorm_devices_free(devices);
    return code;
}

int cmd_check(int argc, const char **argv)
{
    struct wishes wishes = {.seed = 1};
    const struct cli_option options[] = {
        {"op", 0, OPTION_CHOICE, &wishes.op, "all|layer_norm|rms_norm", "operator, default all"},
        {"dtype", 0, OPTION_CHOICE, &wishes.dtype, "all|f32|f16|bf16|f64",
         "type of all tensors, default all and mixtures"},
        {"form", 0, OPTION_CHOICE, &wishes.form, "all|sequential|cooperative",
         "kernel form, default all"},
        {"shape", 0, OPTION_TEXT, &wishes.shape, "ROWSxCOLS", "this shape only"},
        {"max-elements", 0, OPTION_COUNT, &wishes.max_elements, "N",
         "leave out larger shapes, default 4194304, 32768 on Oclgrind"},
        {"seed", 0, OPTION_COUNT, &wishes.seed, "N", "of the inputs, default 1"},
        {"device", 'd', OPTION_TEXT, &wishes.device, "SELECTOR",
         "which devices, default CLNORM_DEVICE or auto"},
        {"json", 0, OPTION_FLAG, &wishes.json, NULL, "print JSON"},
        {"no-color", 0, OPTION_FLAG, &wishes.no_color, NULL, "no colours"},
        {0},
    };
    static const struct cli_usage usage = {
        "[OPTIONS]", "  clnorm check --device all\n"
                     "  clnorm check --op rms_norm --dtype bf16 --shape 128x4096 --device gpu\n"};
    int code = options_parse(argc, argv, options, &usage);
    if (code == CLI_GO_ON)
        code = check(&wishes);
    options_release(options);
    return code;
}

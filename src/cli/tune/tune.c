/* SPDX-License-Identifier: MIT */
#include "check/clock.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/run/run.h"
#include "cli/tune/file.h"
#include "cli/tune/gemm.h"
#include "cli/tune/report.h"
#include "cli/tune/setting.h"

#include <stdlib.h>
#include <string.h>

struct wishes {
    int op, dtype; /* 0: all; else one more than the value */
    uint64_t cols, max_bytes;
    double max_time, candidate_time;
    char *device, *gemm, *candidate;
    bool all_cols, again, list, json, no_color;
};

/* ---- one device ---------------------------------------------------------------------------- */

/* Asked before each candidate. */
struct limit {
    double end; /* of the time for the device */
};

static bool goes_on(void *user)
{
    const struct limit *limit = user;
    return !interrupt_pending() && clnorm_clock() < limit->end;
}

/* Adds the cases of the device, with what the table has of them. */
static bool add_lines(struct tune_report *report, const struct wishes *wishes,
                      const clnorm_device *device, clnorm_context *context, clnorm_error *error)
{
    const clnorm_tune_filter filter = {wishes->op - 1, wishes->dtype - 1, wishes->cols};
    clnorm_tune_case cases[CLNORM_MOST_TUNE_CASES];
    const size_t n = clnorm_tune_cases(context, &filter, cases);
    const size_t bytes = (report->n_lines + n) * sizeof(report->lines[0]);
    struct tune_line *larger = realloc(report->lines, bytes);
    if (!larger)
        return out_of_memory(error, bytes);
    report->lines = larger;
    for (size_t i = 0; i < n; i++) {
        struct tune_line *line = &report->lines[report->n_lines++];
        const clnorm_tuning_record record = clnorm_tune_record(device, &cases[i]);
        *line = (struct tune_line){.device = device, .c = cases[i]};
        if (!wishes->again && tune_file_find(report->path, &record, &line->result.record))
            line->state = TUNE_KEPT;
    }
    return true;
}

/* Measures a case and writes its record. *code is set where something is wrong with the device. */
static bool tune_case(struct tune_report *report, struct tune_line *line, clnorm_context *context,
                      const clnorm_tune_options *options, int *code, clnorm_error *error)
{
    const clnorm_status status = clnorm_tune_run(context, &line->c, options, &line->result, error);
    if (status == CLNORM_CANCELLED)
        return true;
    if (status != CLNORM_OK)
        return false;
    if (line->result.verdict.wrong) {
        run_complain_wrong(line->device, &line->result.verdict);
        *code = CLI_WRONG;
        return true;
    }
    if (line->result.wrong)
        complain("%s: %u of %u candidates are left out; the first: %s", line->device->name,
                 line->result.wrong, line->result.tried, line->result.problem);
    if (!tune_file_put(report->path, &line->result.record, error))
        return false;
    line->state = TUNE_MEASURED;
    return true;
}

static bool tune_lines(struct tune_report *report, size_t first, const struct wishes *wishes,
                       clnorm_context *context, int *code, clnorm_error *error)
{
    struct limit limit = {clnorm_clock() + wishes->max_time};
    const clnorm_tune_options options = {wishes->max_bytes, goes_on, &limit};
    const size_t n = report->n_lines - first;
    struct progress progress;
    bool ok = true;
    progress_begin(&progress, clnorm_context_device(context)->name, "tuning", "cases", n);
    for (size_t i = 0; ok && i < n && goes_on(&limit); i++) {
        if (report->lines[first + i].state == TUNE_OPEN)
            ok = tune_case(report, &report->lines[first + i], context, &options, code, error);
        progress_update(&progress, i + 1);
    }
    progress_end(&progress);
    return ok;
}

static bool tune_device(struct tune_report *report, const struct wishes *wishes,
                        const clnorm_device *device, int *code, clnorm_error *error)
{
    clnorm_context *context = NULL;
    char selector[16];
    const size_t first = report->n_lines;
    snprintf(selector, sizeof(selector), "%u", device->index);
    const bool ok =
        clnorm_context_create(selector, log_warnings, NULL, &context, error) == CLNORM_OK &&
        add_lines(report, wishes, device, context, error) &&
        (wishes->list || tune_lines(report, first, wishes, context, code, error));
    clnorm_context_destroy(context);
    return ok;
}

/* ---- all of them --------------------------------------------------------------------------- */

static bool check_wishes(const struct wishes *wishes, clnorm_error *error)
{
    if (!(wishes->max_time > 0 && wishes->max_time <= 86400))
        return refuse(error, "--max-time '%g': must be a number of seconds above 0, up to 86400",
                      wishes->max_time);
    if (!(wishes->candidate_time > 0 && wishes->candidate_time <= 86400))
        return refuse(error,
                      "--candidate-time '%g': must be a number of seconds above 0, up to 86400",
                      wishes->candidate_time);
    if (!wishes->all_cols && (wishes->cols < 1 || wishes->cols > CLNORM_MAX_COLS))
        return refuse(error, "--cols '%llu': must be 1 to %llu", (unsigned long long)wishes->cols,
                      (unsigned long long)CLNORM_MAX_COLS);
    return true;
}

static bool find_place(struct tune_setting *setting, clnorm_error *error)
{
    if (!tune_setting_read(setting, error))
        return false;
    if (!setting->path)
        return refuse(error,
                      "no place for a table: neither XDG_CONFIG_HOME nor HOME is an absolute "
                      "path, and CLNORM_TUNE_FILE is not set");
    return true;
}

static bool prepare(const struct tune_setting *setting, const struct wishes *wishes,
                    clnorm_error *error)
{
    return wishes->list || tune_file_prepare(setting->path, setting->is_default, error);
}

/* The report is of what was done, also where something failed then. */
static int finish(const struct tune_report *report, const struct wishes *wishes, int code,
                  const clnorm_error *error)
{
    const int printed = report->n_lines == 0 ? CLI_OK
                        : wishes->json       ? tune_report_json(report)
                                             : tune_report_table(report, wishes->no_color);
    if (error || interrupt_pending())
        return complain_error(error ? error : &(clnorm_error){.status = CLNORM_CANCELLED});
    return code != CLI_OK ? code : printed;
}

static int tune(const struct wishes *wishes)
{
    struct tune_setting setting = {.on = false};
    struct run_devices devices = {0};
    struct tune_report report = {.n_lines = 0};
    clnorm_error error = {.status = CLNORM_OK};
    int code = CLI_OK;
    bool ok = check_wishes(wishes, &error) && find_place(&setting, &error) &&
              run_devices_choose(&devices, wishes->device, true, &error) &&
              prepare(&setting, wishes, &error);
    report.path = setting.path;
    for (size_t i = 0; ok && i < devices.n_chosen && !interrupt_pending(); i++)
        ok = tune_device(&report, wishes, &devices.list[devices.chosen[i]], &code, &error);
    code = finish(&report, wishes, code, ok ? NULL : &error);
    free(report.lines);
    run_devices_release(&devices);
    tune_setting_release(&setting);
    return code;
}

/* ---- matrix products ----------------------------------------------------------------------- */

static clnorm_tuning_record gemm_record(const struct gemm_result *result)
{
    clnorm_tuning_record record = clnorm_tune_device_record(result->device);
    record.names = CLNORM_TUNES_GEMM;
    record.gemm = result->tuning;
    return record;
}

/* A device that fails keeps the record that it has, and the others go on. Returns the exit code. */
static int tune_products(const struct layers *layers, const struct run_devices *devices,
                         const char *path, const struct wishes *wishes, struct gemm_result *results,
                         size_t *n)
{
    int first = CLI_OK;
    for (size_t i = 0; i < devices->n_chosen && !interrupt_pending(); i++) {
        clnorm_error error;
        int code = gemm_search(layers, &devices->list[devices->chosen[i]], wishes->max_time,
                               wishes->candidate_time, &results[*n]);
        const clnorm_tuning_record record = gemm_record(&results[*n]);
        if (code == CLI_OK && !tune_file_put(path, &record, &error))
            code = complain_error(&error);
        *n += code == CLI_OK;
        first = first == CLI_OK ? code : first;
    }
    return first;
}

static int report_products(const char *path, const struct layers *layers,
                           const struct wishes *wishes, const struct gemm_result *results, size_t n)
{
    if (n == 0)
        return CLI_OK;
    return wishes->json ? gemm_report_json(path, layers, results, n)
                        : gemm_report_table(path, layers, results, n, wishes->no_color);
}

static int tune_gemm(const struct layers *layers, const struct wishes *wishes)
{
    struct tune_setting setting = {.on = false};
    struct run_devices devices = {0};
    struct gemm_result *results = NULL;
    clnorm_error error = {.status = CLNORM_OK};
    size_t n = 0;
    bool ok = check_wishes(wishes, &error) && find_place(&setting, &error) &&
              run_devices_choose(&devices, wishes->device, true, &error) &&
              prepare(&setting, wishes, &error);
    if (ok) {
        results = calloc(devices.n_chosen, sizeof(*results));
        ok = results || out_of_memory(&error, devices.n_chosen * sizeof(*results));
    }
    const int code = ok ? tune_products(layers, &devices, setting.path, wishes, results, &n)
                        : complain_error(&error);
    const int printed = report_products(setting.path, layers, wishes, results, n);
    free(results);
    run_devices_release(&devices);
    tune_setting_release(&setting);
    return code != CLI_OK ? code : printed;
}

/* ---- the command line ---------------------------------------------------------------------- */

enum { NORMS = 1, PRODUCTS = 2, CANDIDATE = 4 }; /* what the command does */

static unsigned what_is_asked(const struct wishes *wishes)
{
    return !wishes->gemm ? NORMS : wishes->candidate ? CANDIDATE : PRODUCTS;
}

/* Those of an option; the ones that are not listed are for all. */
static unsigned uses_of(const char *option)
{
    static const struct {
        const char *name;
        unsigned uses;
    } some[] = {{"op", NORMS},
                {"dtype", NORMS},
                {"cols", NORMS},
                {"max-bytes", NORMS},
                {"again", NORMS},
                {"list", NORMS},
                {"max-time", NORMS | PRODUCTS},
                {"candidate-time", PRODUCTS},
                {"candidate", CANDIDATE}};
    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
        if (strcmp(some[i].name, option) == 0)
            return some[i].uses;
    return NORMS | PRODUCTS | CANDIDATE;
}

static bool check_options(const struct cli_option *options, const bool *given, unsigned asked,
                          clnorm_error *error)
{
    for (size_t i = 0; options[i].type != OPTION_END; i++) {
        if (!given[i] || uses_of(options[i].name) & asked)
            continue;
        if (asked == NORMS)
            return refuse(error, "--%s: needs --gemm with the layers that it is for",
                          options[i].name);
        return refuse(error, "--%s: cannot go with %s", options[i].name,
                      asked == CANDIDATE
                          ? "--candidate; allowed are --gemm, --device and --json"
                          : "--gemm; allowed are --max-time, --candidate-time, --candidate, "
                            "--device, --json and --no-color");
    }
    return true;
}

static int tune_what_is_asked(const struct wishes *wishes, const struct cli_option *options,
                              const bool *given)
{
    const unsigned asked = what_is_asked(wishes);
    struct layers layers;
    clnorm_error error;
    if (!check_options(options, given, asked, &error) ||
        (asked != NORMS && !layers_parse(wishes->gemm, &layers, &error)))
        return complain_error(&error);
    return asked == NORMS      ? tune(wishes)
           : asked == PRODUCTS ? tune_gemm(&layers, wishes)
                               : candidate_measure(&layers, wishes->candidate, wishes->device);
}

int cmd_tune(int argc, const char **argv)
{
    enum { COLS = 2 };
    struct wishes wishes = {.max_bytes = (uint64_t)64 << 20, .max_time = 180, .candidate_time = 60};
    const struct cli_option options[] = {
        {"op", 0, OPTION_CHOICE, &wishes.op, "all|layer_norm|rms_norm", "operator (all)"},
        {"dtype", 0, OPTION_CHOICE, &wishes.dtype, "all|f32|f16|bf16", "of all tensors (all)"},
        [COLS] = {"cols", 0, OPTION_COUNT, &wishes.cols, "N",
                  "only the band of widths that N is in (all bands)"},
        {"max-time", 0, OPTION_NUMBER, &wishes.max_time, "SECONDS", "for each device (180)"},
        {"max-bytes", 0, OPTION_SIZE, &wishes.max_bytes, "BYTES",
         "of the tensor that is normalized while time is measured (64M)"},
        {"gemm", 0, OPTION_TEXT, &wishes.gemm, "LAYERS",
         "search for the matrix products of these linear layers in training instead: "
         "BATCHxINPUTSxOUTPUTS,..."},
        {"candidate-time", 0, OPTION_NUMBER, &wishes.candidate_time, "SECONDS",
         "for each candidate of --gemm, which is a process of its own (60)"},
        {"candidate", 0, OPTION_TEXT, &wishes.candidate, "TUNING",
         "only measure --gemm with these parameters, in this process, and print JSON"},
        {"again", 0, OPTION_FLAG, &wishes.again, NULL, "measure what is in the table, too"},
        {"list", 0, OPTION_FLAG, &wishes.list, NULL, "only tell what would be measured"},
        {"device", 'd', OPTION_TEXT, &wishes.device, "SELECTOR",
         "best device of the selection, or all (CLNORM_DEVICE, else auto)"},
        {"json", 0, OPTION_FLAG, &wishes.json, NULL, "print JSON"},
        {"no-color", 0, OPTION_FLAG, &wishes.no_color, NULL, "no colours"},
        {.type = OPTION_END},
    };
    static const struct cli_usage usage = {
        .summary = "[OPTION...]",
        .examples =
            "Search the kernel parameters that are fastest on a device, and write them into a\n"
            "table that clnorm run uses from then on. Each candidate is compared with the host\n"
            "reference and timed in turns with the best so far. What is in the table already is\n"
            "not measured again, so that a search may be interrupted and taken up again.\n"
            "\n"
            "With --gemm, the parameters of CLBlast's matrix products are searched, which\n"
            "clnorm_gemm and recurrent nets use: those of the kernel that copies first, of the\n"
            "one that does not, and of the two for GEMVs; which of them does which product, and\n"
            "up to how many rows a product is a GEMV for each, with the second factor transposed\n"
            "or not. Such a search is written at its end only: it cannot be taken up again.\n"
            "\n"
            "Environment:\n"
            "  CLNORM_TUNE       on (the default) or off: do not use the table\n"
            "  CLNORM_TUNE_FILE  instead of $XDG_CONFIG_HOME/clnorm/tuning or\n"
            "                    ~/.config/clnorm/tuning\n"
            "\n"
            "Examples:\n"
            "  clnorm tune\n"
            "  clnorm tune --device all --max-time 600\n"
            "  clnorm tune --op rms_norm --dtype bf16 --cols 4096 --again\n"
            "  clnorm tune --gemm 128x784x1000,4x784x1000 --max-time 900\n"
            "  clnorm tune --gemm 4x784x1000 --candidate 'gemv_rows=4'\n",
    };
    bool given[sizeof(options) / sizeof(options[0])] = {false};
    int code = options_parse(argc, argv, options, &usage, given);
    wishes.all_cols = !given[COLS];
    if (code == CLI_GO_ON)
        code = tune_what_is_asked(&wishes, options, given);
    options_release(options);
    return code;
}

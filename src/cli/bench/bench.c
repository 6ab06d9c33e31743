/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cli/bench/run.h"
#include "cli/interrupt.h"
#include "cli/files/output_file.h"
#include "cli/run/run.h"

#include <stdlib.h>
#include <string.h>

struct wishes {
    char *preset, *op, *dtype, *direction, *shape, *cache, *device, *title;
    struct cli_texts cases, out;
    uint64_t rounds, least_samples, seed;
    double round_time, max_time;
    int timer, format; /* of BENCH_FORMATS */
    bool list, json, no_color;
};

/* ---- files --------------------------------------------------------------------------------- */

static const struct {
    const char *extension;
    enum bench_format format;
} extensions[] = {
    {".json", BENCH_JSON}, {".jsonl", BENCH_JSONL}, {".csv", BENCH_CSV},
    {".sql", BENCH_SQL},   {".md", BENCH_MARKDOWN}, {".txt", BENCH_TABLE},
};
enum { EXTENSIONS = sizeof(extensions) / sizeof(extensions[0]) };

static bool format_of(const char *path, enum bench_format *format, clnorm_error *error)
{
    const char *const dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < EXTENSIONS; i++)
        if (!strcmp(dot, extensions[i].extension)) {
            *format = extensions[i].format;
            return true;
        }
    return refuse(error, "--out '%s': must end with .json, .jsonl, .csv, .sql, .md or .txt", path);
}

/* Before anything is measured, as that takes its time. */
static bool check_files(const struct cli_texts *out, clnorm_error *error)
{
    enum bench_format format;
    for (size_t i = 0; i < out->n; i++)
        if (!format_of(out->list[i], &format, error) || !output_file_allowed(out->list[i], error))
            return false;
    return true;
}

static bool write_file(const json_t *document, const char *path, clnorm_error *error)
{
    enum bench_format format = BENCH_JSON;
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    if (!stream)
        return out_of_memory(error, 1);
    const struct bench_view view = {.stream = stream};
    bool ok = format_of(path, &format, error) &&
              (bench_print(document, format, &view) == CLI_OK || out_of_memory(error, 1));
    ok = fclose(stream) == 0 && ok && output_file_write(path, text, bytes, error);
    free(text);
    return ok;
}

/* ---- what comes out ------------------------------------------------------------------------ */

static int code_of(const struct bench_report *report)
{
    size_t count[BENCH_ERROR + 1] = {0};
    for (size_t i = 0; i < report->n_rows; i++)
        count[report->rows[i].status]++;
    if (interrupt_pending())
        return CLI_INTERRUPTED;
    if (count[BENCH_WRONG])
        return CLI_WRONG;
    return count[BENCH_ERROR] || count[BENCH_OK] == 0 ? CLI_DEVICE : CLI_OK;
}

static int tell(const struct bench_report *report, const struct wishes *wishes, clnorm_error *error)
{
    const enum bench_format format = wishes->json ? BENCH_JSON : (enum bench_format)wishes->format;
    const bool is_table = format == BENCH_TABLE;
    const struct bench_view view = {stdout, is_table ? terminal_width(stdout) : 0,
                                    is_table && use_color(stdout, wishes->no_color)};
    json_t *document = bench_document(report);
    if (!document) {
        out_of_memory(error, 1);
        return complain_error(error);
    }
    int code = bench_print(document, format, &view);
    for (size_t i = 0; i < wishes->out.n; i++)
        if (!write_file(document, wishes->out.list[i], error))
            code = complain_error(error);
    json_decref(document);
    return code == CLI_OK ? code_of(report) : code;
}

static int list_cases(const struct bench_plan *plan)
{
    char name[BENCH_NAME];
    for (size_t i = 0; i < plan->n; i++) {
        bench_case_name(&plan->cases[i], name);
        puts(name);
    }
    return CLI_OK;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static bool is_between(const char *option, double value, double least, double most,
                       clnorm_error *error)
{
    return (value >= least && value <= most) ||
           refuse(error, "--%s '%g': must be %g to %g", option, value, least, most);
}

static bool check_numbers(const struct wishes *w, clnorm_error *error)
{
    return is_between("rounds", (double)w->rounds, 1, BENCH_MOST_ROUNDS, error) &&
           is_between("min-samples", (double)w->least_samples, 1, CLNORM_MOST_SAMPLES, error) &&
           is_between("round-time", w->round_time, 0, 3600, error) &&
           is_between("max-time", w->max_time, 0, 1e6, error);
}

static void set_settings(const struct wishes *w, const char *command, struct bench_settings *s)
{
    *s = (struct bench_settings){.command = command,
                                 .preset = w->shape || w->cases.n ? NULL
                                           : w->preset            ? w->preset
                                                                  : "smoke",
                                 .title = w->title ? strdup(w->title) : NULL,
                                 .rounds = (unsigned)w->rounds,
                                 .least_samples = (unsigned)w->least_samples,
                                 .round_seconds = w->round_time,
                                 .seed = w->seed,
                                 .timer = w->timer};
}

static bool measure(struct bench_report *report, const struct wishes *w,
                    const struct bench_plan *plan, const struct run_devices *devices,
                    clnorm_error *error)
{
    for (size_t i = 0; i < devices->n_chosen && !interrupt_pending(); i++)
        if (!bench_run(report, plan, &devices->list[devices->chosen[i]], w->max_time, error))
            return false;
    report->complete = !interrupt_pending();
    return true;
}

static int bench(const struct wishes *w, const char *command)
{
    const struct bench_wishes asked = {w->preset, w->op,    w->dtype, w->direction,
                                       w->shape,  w->cache, &w->cases};
    struct bench_plan plan = {.n = 0};
    struct bench_report report = {.n_rows = 0};
    struct run_devices devices = {0};
    clnorm_error error = {.status = CLNORM_OK};
    int code;
    interrupt_install();
    set_settings(w, command, &report.settings);
    bool ok = check_numbers(w, &error) && bench_plan_make(&asked, &plan, &error);
    if (ok && w->list) {
        code = list_cases(&plan);
    } else {
        ok = ok && check_files(&w->out, &error) &&
             run_devices_choose(&devices, w->device, true, &error) &&
             measure(&report, w, &plan, &devices, &error);
        code = ok ? tell(&report, w, &error) : complain_error(&error);
    }
    free(plan.cases);
    bench_report_release(&report);
    run_devices_release(&devices);
    return code;
}

/* As it was typed, for whoever wants to do it again. */
static void join(int argc, const char **argv, char *text, size_t bytes)
{
    size_t used = 0;
    for (int i = 0; i < argc && used < bytes; i++) {
        const char *const quote = i > 0 && (!*argv[i] || strpbrk(argv[i], " *?;&|<>$")) ? "'" : "";
        used += (size_t)snprintf(text + used, bytes - used, "%s%s%s%s", i ? " " : "", quote,
                                 argv[i], quote);
    }
}

int cmd_bench(int argc, const char **argv)
{
    struct wishes w = {.rounds = 7, .least_samples = 20, .seed = 1, .round_time = 0.05};
    w.max_time = 600;
    const struct cli_option options[] = {
        {"preset", 0, OPTION_TEXT, &w.preset, "NAME",
         "smoke, transformer, vision, launch or long (smoke)"},
        {"op", 0, OPTION_TEXT, &w.op, "LIST", "operators: layer_norm,rms_norm+residual"},
        {"dtype", 0, OPTION_TEXT, &w.dtype, "LIST", "f32,f16,bf16,f64"},
        {"direction", 0, OPTION_TEXT, &w.direction, "LIST", "forward,backward"},
        {"shape", 0, OPTION_TEXT, &w.shape, "LIST",
         "instead of a preset: 4096x768,1024x256-16384*2"},
        {"cache", 0, OPTION_TEXT, &w.cache, "LIST", "cold,warm (cold)"},
        {"rounds", 0, OPTION_COUNT, &w.rounds, "N", "of all cases, in another order each (7)"},
        {"round-time", 0, OPTION_NUMBER, &w.round_time, "SECONDS",
         "least time of a case's samples in a round (0.05)"},
        {"min-samples", 0, OPTION_COUNT, &w.least_samples, "N", "in a round (20)"},
        {"max-time", 0, OPTION_NUMBER, &w.max_time, "SECONDS",
         "begin no further round then; for each device (600)"},
        {"timer", 0, OPTION_CHOICE, &w.timer, "auto|event|host",
         "clock (auto: what can be trusted)"},
        {"seed", 0, OPTION_COUNT, &w.seed, "N", "of the inputs and the order (1)"},
        {"device", 'd', OPTION_TEXT, &w.device, "SELECTOR",
         "best device of the selection, or all (CLNORM_DEVICE, else auto)"},
        {"list", 0, OPTION_FLAG, &w.list, NULL, "print the cases and stop"},
        {"title", 0, OPTION_TEXT, &w.title, "TEXT", "kept in the result"},
        {"format", 0, OPTION_CHOICE, &w.format, BENCH_FORMATS, "of what is printed (table)"},
        {"json", 0, OPTION_FLAG, &w.json, NULL, "print JSON"},
        {"out", 'o', OPTION_TEXTS, &w.out, "FILE",
         "write it too; .json .jsonl .csv .sql .md .txt; may be repeated"},
        {"no-color", 0, OPTION_FLAG, &w.no_color, NULL, "no colours"},
        {"CASE", 0, OPTION_ANY_OPERANDS, &w.cases, NULL, NULL},
        {0},
    };
    static const struct cli_usage usage = {
        .summary = "[OPTION...] [CASE...]",
        .examples =
            "Measure operators beside a kernel that moves the same bytes, on tensors that are in "
            "no\n"
            "cache. Each case is compared with the host reference before, and to the bit after "
            "each\n"
            "round. Cases take turns, in rounds; the ratio to the copy is taken within a round.\n"
            "\n"
            "CASE is the text of a case, or words that cases of the preset have.\n"
            "Exit codes: 0 ok, 1 a wrong result, 3 a case or device that failed, 130 interrupted.\n"
            "\n"
            "Examples:\n"
            "  clnorm bench\n"
            "  clnorm bench --preset transformer --device all -o mine.json\n"
            "  clnorm bench 'rms_norm bf16 backward 2048x4096'\n"
            "  clnorm bench --op layer_norm,rms_norm --dtype f32,f16 --shape '4096x256-16384*2'\n"
            "  clnorm bench --preset transformer --list bf16\n",
    };
    char command[1024];
    join(argc, argv, command, sizeof(command));
    int code = options_parse(argc, argv, options, &usage, NULL);
    if (code == CLI_GO_ON)
        code = bench(&w, command);
    options_release(options);
    return code;
}

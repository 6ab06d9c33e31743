/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cli/bench/output.h"
#include "cli/interrupt.h"
#include "cli/run/run.h"

#include <stdlib.h>
#include <string.h>

struct wishes {
    char *preset, *op, *dtype, *direction, *shape, *cache, *device, *title;
    struct cli_texts cases, out;
    uint64_t rounds, least_samples, seed;
    double round_time, max_time;
    int timer, format; /* of BENCH_FORMATS; -1: not given */
    bool list, json, no_color;
};

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
    const size_t failed = count[BENCH_ERROR] + count[BENCH_OUT_OF_MEMORY];
    return failed > 0 || count[BENCH_OK] == 0 ? CLI_DEVICE : CLI_OK;
}

static enum bench_format format_of(const struct wishes *wishes)
{
    return wishes->json         ? BENCH_JSON
           : wishes->format < 0 ? BENCH_TABLE
                                : (enum bench_format)wishes->format;
}

static int print(const json_t *document, const struct wishes *wishes)
{
    const enum bench_format format = format_of(wishes);
    const bool is_table = format == BENCH_TABLE;
    const struct bench_view view = {stdout, is_table ? terminal_width(stdout) : 0,
                                    is_table && use_color(stdout, wishes->no_color)};
    return bench_print(document, format, &view);
}

static int tell(const struct bench_report *report, const struct wishes *wishes, clnorm_error *error)
{
    json_t *document = bench_document(report, 0, report->n_rows);
    if (!document) {
        out_of_memory(error, 1);
        return complain_error(error);
    }
    /* lines are there already */
    int code = format_of(wishes) == BENCH_JSONL ? CLI_OK : print(document, wishes);
    for (size_t i = 0; i < wishes->out.n; i++)
        if (!bench_file_write(document, wishes->out.list[i], error))
            code = complain_error(error);
    json_decref(document);
    return code;
}

static int list_cases(const struct bench_plan *plan)
{
    for (size_t i = 0; i < plan->n; i++)
        puts(plan->names[i]);
    return CLI_OK;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static bool is_between(const char *option, double value, double least, double most,
                       clnorm_error *error)
{
    return (value >= least && value <= most) ||
           refuse(error, "--%s '%g': must be %g to %g", option, value, least, most);
}

/* Readers of JSON take numbers for doubles. */
static bool check_seed(uint64_t seed, clnorm_error *error)
{
    return seed <= (uint64_t)1 << 53 ||
           refuse(error, "--seed '%llu': must be 0 to 2^53", (unsigned long long)seed);
}

static bool check_numbers(const struct wishes *w, clnorm_error *error)
{
    return check_seed(w->seed, error) &&
           is_between("rounds", (double)w->rounds, 1, BENCH_MOST_ROUNDS, error) &&
           is_between("min-samples", (double)w->least_samples, 1, CLNORM_MOST_SAMPLES, error) &&
           is_between("round-time", w->round_time, 0, 3600, error) &&
           is_between("max-time", w->max_time, 0, 1e6, error);
}

static bool check_together(const struct wishes *w, clnorm_error *error)
{
    const struct {
        const char *one, *other;
        bool are_given;
    } pairs[] = {{"json", "format", w->json && w->format >= 0},
                 {"list", "format", w->list && w->format >= 0},
                 {"list", "json", w->list && w->json},
                 {"list", "out", w->list && w->out.n > 0},
                 {"list", "device", w->list && w->device}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (pairs[i].are_given)
            return refuse(error, "--%s and --%s do not go together", pairs[i].one, pairs[i].other);
    return true;
}

static bool check_wishes(const struct wishes *w, clnorm_error *error)
{
    return check_together(w, error) && check_numbers(w, error);
}

/* What chose among the cases of the preset. */
static json_t *filter_of(const struct bench_wishes *asked, const struct bench_plan *plan)
{
    const struct {
        const char *option, *list;
    } lists[] = {{"op", asked->op}, {"dtype", asked->dtype}, {"direction", asked->direction}};
    json_t *filter = json_array();
    for (size_t i = 0; plan->preset && i < sizeof(lists) / sizeof(lists[0]); i++)
        if (lists[i].list)
            json_array_append_new(filter, json_sprintf("--%s %s", lists[i].option, lists[i].list));
    for (size_t i = 0; plan->preset && i < asked->texts->n; i++)
        if (!bench_is_case(asked->texts->list[i]))
            json_array_append_new(filter, json_text(asked->texts->list[i]));
    return filter;
}

static struct bench_settings settings_of(const struct wishes *w, const char *command,
                                         const struct bench_wishes *asked,
                                         const struct bench_plan *plan)
{
    return (struct bench_settings){.command = command,
                                   .preset = plan->preset,
                                   .filter = filter_of(asked, plan),
                                   .title = w->title ? strdup(w->title) : NULL,
                                   .rounds = (unsigned)w->rounds,
                                   .least_samples = (unsigned)w->least_samples,
                                   .round_seconds = w->round_time,
                                   .seed = w->seed,
                                   .timer = w->timer};
}

static void ignore(void *user, size_t row)
{
    (void)user;
    (void)row;
}

static bool measure(struct bench_report *report, const struct wishes *w,
                    const struct bench_plan *plan, const struct run_devices *devices, int *code,
                    clnorm_error *error)
{
    struct bench_stream stream = {.report = report, .rows = plan->n * devices->n_chosen};
    const bool streams = format_of(w) == BENCH_JSONL;
    const struct bench_listener listener = {streams ? bench_stream_tell : ignore, &stream};
    for (size_t i = 0; i < devices->n_chosen && !interrupt_pending(); i++)
        if (!bench_run(report, plan, &devices->list[devices->chosen[i]], w->max_time, &listener,
                       error))
            return false;
    report->complete = !interrupt_pending();
    *code = stream.code;
    return true;
}

static int measure_and_tell(const struct wishes *w, const char *command,
                            const struct bench_wishes *asked, const struct bench_plan *plan,
                            clnorm_error *error)
{
    struct bench_report report = {.settings = settings_of(w, command, asked, plan)};
    struct run_devices devices = {0};
    int code = CLI_OK;
    bench_host_look(&report.host);
    if (!bench_files_check(&w->out, error) ||
        !run_devices_choose(&devices, w->device, true, error) ||
        !measure(&report, w, plan, &devices, &code, error)) {
        code = complain_error(error);
    } else {
        const int told = tell(&report, w, error);
        code = code == CLI_OK ? told : code;
        code = code == CLI_OK ? code_of(&report) : code;
    }
    bench_report_release(&report);
    run_devices_release(&devices);
    return code;
}

static int bench(const struct wishes *w, const char *command)
{
    const struct bench_wishes asked = {w->preset, w->op,    w->dtype, w->direction,
                                       w->shape,  w->cache, &w->cases};
    struct bench_plan plan = {.n = 0};
    clnorm_error error = {.status = CLNORM_OK};
    int code;
    interrupt_install();
    if (!command)
        out_of_memory(&error, 1);
    if (!command || !check_wishes(w, &error) || !bench_plan_make(&asked, &plan, &error))
        code = complain_error(&error);
    else
        code = w->list ? list_cases(&plan) : measure_and_tell(w, command, &asked, &plan, &error);
    bench_plan_release(&plan);
    return code;
}

int cmd_bench(int argc, const char **argv)
{
    struct wishes w = {.rounds = 9, .least_samples = 20, .seed = 1, .format = -1};
    w.round_time = 0.05;
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
        {"rounds", 0, OPTION_COUNT, &w.rounds, "N", "of all cases, in another order each (9)"},
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
         "write it too; .json .jsonl .csv .sql .md .txt .html; may be repeated"},
        {"no-color", 0, OPTION_FLAG, &w.no_color, NULL, "no colours"},
        {"CASE", 0, OPTION_ANY_OPERANDS, &w.cases, NULL, NULL},
        {0},
    };
    static const struct cli_usage usage = {
        .summary = "[OPTION...] [CASE...]",
        .examples =
            "Measure operators beside a kernel that only moves their tensors, which are in no\n"
            "cache. Each case is compared with the host reference before, and to the bit after "
            "each\n"
            "round. Cases take turns, in rounds; the ratio to the copy is taken within a round.\n"
            "\n"
            "CASE is the text of a case, without --op and so on, or words that cases of the "
            "preset\n"
            "have.\n"
            "Exit codes: 0 ok, 1 a wrong result, 3 a case or device that failed, also for want of\n"
            "memory, or nothing measured, 130 interrupted. What is not supported is no failure.\n"
            "\n"
            "Examples:\n"
            "  clnorm bench\n"
            "  clnorm bench --preset transformer --device all -o mine.json\n"
            "  clnorm bench 'rms_norm bf16 backward 2048x4096'\n"
            "  clnorm bench --op layer_norm,rms_norm --dtype f32,f16 --shape '4096x256-16384*2'\n"
            "  clnorm bench --preset transformer --list bf16\n"
            "  clnorm bench -o mine.json -o mine.html\n",
    };
    char *const command = bench_command(argc, argv);
    int code = options_parse(argc, argv, options, &usage, NULL);
    if (code == CLI_GO_ON)
        code = bench(&w, command);
    options_release(options);
    free(command);
    return code;
}

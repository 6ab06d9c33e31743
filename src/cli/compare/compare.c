/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cli/compare/compare.h"
#include "cli/files/output_file.h"

#include <stdlib.h>
#include <string.h>

struct wishes {
    struct cli_texts files;
    char *pair, *explain, *output;
    int by_time, format, fail_on;
    double threshold; /* percent */
    bool matrix, force, validate, merge, json, no_color;
};

/* In the order of the table below. */
enum {
    BY,
    PAIR,
    MATRIX,
    THRESHOLD,
    FAIL_ON,
    EXPLAIN,
    FORCE,
    VALIDATE,
    MERGE,
    FORMAT,
    JSON,
    N_PLACES
};

/* ---- the document -------------------------------------------------------------------------- */

static int format_of(const struct wishes *wishes, const bool *given)
{
    static const struct {
        const char *ending;
        int format;
    } endings[] = {{".md", COMPARE_MARKDOWN}, {".csv", COMPARE_CSV}, {".json", COMPARE_JSON}};
    const char *dot = wishes->output ? strrchr(wishes->output, '.') : NULL;
    if (wishes->json)
        return COMPARE_JSON;
    for (size_t i = 0; dot && !given[FORMAT] && i < sizeof(endings) / sizeof(endings[0]); i++)
        if (!strcmp(dot, endings[i].ending))
            return endings[i].format;
    return wishes->format;
}

static int print_document(const struct compare_pairs *pairs, const struct compare_sides *sides,
                          const struct wishes *wishes, const struct compare_rules *rules,
                          bool by_share, const struct compare_output *output)
{
    if (wishes->explain)
        return compare_explain(pairs->list, pairs->n, wishes->explain, rules, output);
    if (pairs->n > 0)
        return compare_report_pairs(pairs->list, pairs->n, rules, output);
    return compare_report_matrix(sides, by_share, output);
}

static int put_document(const char *path, const char *text, size_t bytes)
{
    clnorm_error error;
    if (path)
        return output_file_write(path, text, bytes, &error) ? CLI_OK : complain_error(&error);
    fwrite(text, 1, bytes, stdout);
    return CLI_OK;
}

static int write_document(const struct compare_pairs *pairs, const struct compare_sides *sides,
                          const struct wishes *wishes, const struct compare_rules *rules,
                          const bool *given)
{
    char *text = NULL;
    size_t bytes = 0;
    const int format = format_of(wishes, given);
    const bool is_shown = !wishes->output && format == COMPARE_TABLE;
    const struct compare_output output = {
        .stream = open_memstream(&text, &bytes),
        .format = (enum compare_format)format,
        .width = is_shown ? terminal_width(stdout) : 0,
        .color = is_shown && use_color(stdout, wishes->no_color),
    };
    if (!output.stream) {
        complain("out of memory");
        return CLI_DEVICE;
    }
    int code = print_document(pairs, sides, wishes, rules, given[BY] && !wishes->by_time, &output);
    if (fclose(output.stream) != 0 && code == CLI_OK) {
        complain("out of memory");
        code = CLI_DEVICE;
    }
    if (code == CLI_OK)
        code = put_document(wishes->output, text, bytes);
    free(text);
    return code;
}

/* ---- what goes with what ------------------------------------------------------------------- */

/* Names of options in spaces. */
static bool check_together(const struct cli_option *options, const bool *given, int place,
                           const char *allowed, clnorm_error *error)
{
    char name[40];
    for (int i = 0; given[place] && i < N_PLACES; i++) {
        snprintf(name, sizeof(name), " %s ", options[i].name);
        if (given[i] && i != place && !strstr(allowed, name))
            return refuse(error, "--%s and --%s do not go together", options[place].name,
                          options[i].name);
    }
    return true;
}

static bool check_wishes(const struct wishes *wishes, const struct cli_option *options,
                         const bool *given, clnorm_error *error)
{
    if (!(wishes->threshold > 0 && wishes->threshold <= 1000))
        return refuse(error, "--threshold '%g': must be a number of percent above 0, up to 1000",
                      wishes->threshold);
    if (wishes->explain && format_of(wishes, given) != COMPARE_TABLE)
        return refuse(error, "--explain: is text; must be without --json, and with --format table "
                             "where that is given");
    if (wishes->validate && wishes->output)
        return refuse(error, "--validate and --output do not go together");
    return check_together(options, given, VALIDATE, "", error) &&
           check_together(options, given, MERGE, " force ", error) &&
           check_together(options, given, MATRIX, " by format json force ", error) &&
           check_together(options, given, JSON, " by pair matrix threshold fail-on force ",
                          error) &&
           check_together(options, given, EXPLAIN, " by format force pair threshold fail-on ",
                          error);
}

/* A matrix has no verdicts. */
static bool check_matrix(const struct compare_sides *sides, const bool *given, clnorm_error *error)
{
    if (given[EXPLAIN] || given[FAIL_ON] || given[THRESHOLD])
        return refuse(error, "these files make a matrix, which has no verdicts; choose two devices "
                             "with --pair");
    bool ok = true;
    for (size_t i = 1; ok && !given[FORCE] && i < sides->n; i++)
        ok = compare_models_agree(&sides->list[0], &sides->list[i], error);
    return ok;
}

/* ---- the command --------------------------------------------------------------------------- */

static int compare_files(const struct result_files *files, const struct wishes *wishes,
                         const bool *given)
{
    const struct compare_rules rules = {wishes->threshold / 100, wishes->by_time != 0,
                                        wishes->force};
    struct compare_sides sides = {0};
    struct compare_pairs pairs = {0};
    clnorm_error error;
    const bool ok = compare_sides_make(&sides, files, &error) &&
                    (wishes->matrix ||
                     compare_pairs_make(&pairs, &sides, wishes->pair, files->n, &rules, &error)) &&
                    (pairs.n > 0 || check_matrix(&sides, given, &error));
    int code = ok ? write_document(&pairs, &sides, wishes, &rules, given) : complain_error(&error);
    if (code == CLI_OK)
        code = compare_gate(&pairs, (enum compare_fail_on)wishes->fail_on);
    compare_pairs_release(&pairs);
    compare_sides_release(&sides);
    return code;
}

static int compare(const struct wishes *wishes, const struct cli_option *options, const bool *given)
{
    struct result_files files = {0};
    clnorm_error error;
    bool ok = check_wishes(wishes, options, given, &error);
    if (ok && wishes->validate)
        return compare_validate(&wishes->files);
    /* merged files hold what was in them, so that one of them may be replaced by the whole */
    if (ok && wishes->output)
        ok = result_output_allowed(wishes->output, wishes->merge ? NULL : &wishes->files, &error);
    for (size_t i = 0; ok && i < wishes->files.n; i++)
        ok = result_files_read(&files, wishes->files.list[i], &error);
    const int code = !ok             ? complain_error(&error)
                     : wishes->merge ? compare_merge(&files, wishes->output, wishes->force)
                                     : compare_files(&files, wishes, given);
    result_files_release(&files);
    return code;
}

int cmd_compare(int argc, const char **argv)
{
    struct wishes wishes = {.threshold = 5};
    const struct cli_option options[] = {
        [BY] = {"by", 0, OPTION_CHOICE, &wishes.by_time, "of_copy|time",
                "what is judged, and marked in a matrix (of_copy; in a matrix time)"},
        [PAIR] = {"pair", 0, OPTION_TEXT, &wishes.pair, "A:0=B:1",
                  "the first device of the first file beside the second of the second"},
        [MATRIX] = {"matrix", 0, OPTION_FLAG, &wishes.matrix, NULL,
                    "all devices as columns, also where there are two"},
        [THRESHOLD] = {"threshold", 0, OPTION_NUMBER, &wishes.threshold, "PERCENT",
                       "the least effect that is called FAST or SLOW (5)"},
        [FAIL_ON] = {"fail-on", 0, OPTION_CHOICE, &wishes.fail_on, "never|slow|wrong|any",
                     "exit with 1 where a case is surely so, wrong or gone, with 2 where none can "
                     "be judged (never)"},
        [EXPLAIN] = {"explain", 0, OPTION_TEXT, &wishes.explain, "CASE",
                     "how the verdict on a case, or on all with this in their names, came about"},
        [FORCE] = {"force", 0, OPTION_FLAG, &wishes.force, NULL,
                   "cold beside warm, and files that count bytes in other ways"},
        [VALIDATE] = {"validate", 0, OPTION_FLAG, &wishes.validate, NULL,
                      "only check the files, and print each problem"},
        [MERGE] = {"merge", 0, OPTION_FLAG, &wishes.merge, NULL,
                   "make one file of all, which may be one of them; of results of one case the "
                   "later stays"},
        [FORMAT] = {"format", 0, OPTION_CHOICE, &wishes.format, "table|markdown|csv|json",
                    "of the output (table, or as the ending of -o says)"},
        [JSON] = {"json", 0, OPTION_FLAG, &wishes.json, NULL, "the same as --format json"},
        {"output", 'o', OPTION_FILE, &wishes.output, "OUT", "write to this file"},
        {"no-color", 0, OPTION_FLAG, &wishes.no_color, NULL, "no colours"},
        {"FILE", 0, OPTION_OPERANDS, &wishes.files, NULL, NULL},
        {.type = OPTION_END},
    };
    static const struct cli_usage usage = {
        .summary = "FILE... [OPTION...]",
        .examples =
            "Put results of clnorm bench beside each other: .json, .jsonl, pages of clnorm\n"
            "report, or - for standard input. Two devices, or one before and after, get a\n"
            "verdict for each case: FAST and SLOW are differences that are sure, SAME is shown\n"
            "to be so, and UNSURE needs more rounds. More devices make a matrix.\n"
            "\n"
            "--fail-on is for gates: exit code 1 where a case is slower (slow), or slower or\n"
            "faster (any), and with all of them where one is wrong or gone; 2, with the reason,\n"
            "where two devices have no case that can be judged, as that takes 5 rounds a side.\n"
            "\n"
            "Examples:\n"
            "  clnorm compare before.json after.json\n"
            "  clnorm compare before.json after.json --fail-on slow\n"
            "  clnorm compare before.json after.json --explain '4096x768 cold'\n"
            "  clnorm compare all-devices.json --pair A:0=A:1 --by time\n"
            "  clnorm compare *.json --format markdown\n"
            "  clnorm compare --merge -o all.json cpu.json gpu.json\n"
            "  clnorm compare --validate *.json\n",
    };
    bool given[sizeof(options) / sizeof(options[0])] = {false};
    int code = options_parse(argc, argv, options, &usage, given);
    if (code == CLI_GO_ON)
        code = compare(&wishes, options, given);
    options_release(options);
    return code;
}

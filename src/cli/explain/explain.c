/* SPDX-License-Identifier: MIT */
#include "cli/explain/explain.h"
#include "cli/interrupt.h"
#include "cli/html/page.h"
#include "cli/run/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KINDS "all|layer_norm|batch_norm|rms_norm"

/* ---- making the document ------------------------------------------------------------------- */

static bool check_wishes(const struct explain_wishes *wishes, clnorm_error *error)
{
    if (wishes->json && wishes->markdown)
        return refuse(error, "--json and --markdown are given; allowed is one of them");
    if (!(fabs(wishes->offset) > 0) || isinf(wishes->offset))
        return refuse(error, "--offset '%g': must be a finite number other than 0", wishes->offset);
    return true;
}

static void name_source(struct explain *all, const struct explain_wishes *wishes)
{
    snprintf(all->source, sizeof(all->source), "%.200s",
             wishes->input                ? wishes->input
             : explain_is_made_up(wishes) ? "made up"
                                          : "an example");
}

/* The problem before and after the edits, and which operators are shown. */
static bool begin(struct explain *all, const struct explain_wishes *wishes, clnorm_error *error)
{
    name_source(all, wishes);
    for (int i = 0; i < EXPLAIN_KINDS; i++)
        all->shown[i] = wishes->op == 0 || wishes->op == i + 1;
    if (!explain_problem_read(&all->before, wishes, error))
        return false;
    all->problem = all->before;
    for (size_t i = 0; i < wishes->edits.n; i++)
        if (!explain_edit(&all->problem, wishes->edits.list[i], error))
            return false;
    all->edited = wishes->edits.n > 0;
    if (wishes->first < 1 || wishes->first > all->problem.rows)
        return refuse(error, "--first '%llu': must be 1 to %u, the rows of the matrix",
                      (unsigned long long)wishes->first, all->problem.rows);
    all->first = (unsigned)wishes->first;
    return true;
}

static bool make_steps(struct explain *all, int i, clnorm_error *error)
{
    const struct explain_kind *kind = &explain_kinds[i];
    const unsigned rows = all->problem.rows;
    return explain_steps_make(&all->steps[i], kind, &all->problem, rows, error) &&
           explain_steps_make(&all->steps_before[i], kind, &all->before, rows, error) &&
           explain_steps_make(&all->steps_first[i], kind, &all->problem, all->first, error);
}

/* The large mean is told of the first operator that subtracts one. */
static bool make_all(struct explain *all, const struct explain_wishes *wishes, clnorm_error *error)
{
    for (int i = 0; i < EXPLAIN_KINDS; i++) {
        const struct explain_kind *kind = &explain_kinds[i];
        if (!all->shown[i])
            continue;
        if (!make_steps(all, i, error))
            return false;
        if (!all->has_cancel && kind->centres) {
            all->has_cancel = true;
            if (!explain_cancel_make(&all->cancel, kind, &all->problem, wishes->offset, error))
                return false;
        }
    }
    return true;
}

static bool run_all(struct explain *all, clnorm_context *context, clnorm_error *error)
{
    all->device = clnorm_context_device(context);
    for (int i = 0; i < EXPLAIN_KINDS; i++)
        if (all->shown[i] &&
            (!run_goes_on(error) || !explain_device_run(context, &explain_kinds[i], &all->problem,
                                                        &all->results[i], error)))
            return false;
    if (!all->has_cancel)
        return true;
    if (!explain_device_run(context, all->cancel.kind, &all->cancel.problem, &all->cancel_result,
                            error))
        return false;
    explain_cancel_device(&all->cancel, all->cancel_result.y);
    return true;
}

/* ---- giving it ----------------------------------------------------------------------------- */

/* With a page, the text is not wanted. */
static int print_document(const struct explain *all, const struct explain_wishes *wishes)
{
    if (wishes->json)
        return print_json(explain_json(all));
    return wishes->html && !wishes->markdown
               ? CLI_OK
               : explain_text(all, wishes->markdown, wishes->no_color);
}

static bool is_wrong(const struct explain *all, const struct explain_result *result)
{
    if (result->verdict.wrong)
        run_complain_wrong(all->device, &result->verdict);
    return result->verdict.wrong > 0;
}

/* A device that is wrong is shown all the same. */
static int give(const struct explain *all, const struct explain_wishes *wishes, clnorm_error *error)
{
    if (wishes->html && !page_write(wishes->html, PAGE_EXPLAIN, "Normalization, step by step",
                                    explain_json(all), error))
        return complain_error(error);
    const int code = print_document(all, wishes);
    bool wrong = is_wrong(all, &all->cancel_result);
    for (int i = 0; i < EXPLAIN_KINDS; i++)
        wrong = is_wrong(all, &all->results[i]) || wrong;
    return code == CLI_OK && wrong ? CLI_WRONG : code;
}

static bool page_is_allowed(const struct explain_wishes *wishes, clnorm_error *error)
{
    const char *const inputs[] = {wishes->input, explain_params_path(wishes->weight),
                                  explain_params_path(wishes->bias)};
    return !wishes->html ||
           output_file_allowed(wishes->html, inputs, sizeof(inputs) / sizeof(inputs[0]), error);
}

static int explain(const struct explain_wishes *wishes)
{
    clnorm_error error = {.status = CLNORM_OK};
    clnorm_context *context = NULL;
    struct explain *all = calloc(1, sizeof(*all));
    const bool ok = (all || out_of_memory(&error, sizeof(*all))) && check_wishes(wishes, &error) &&
                    page_is_allowed(wishes, &error) && begin(all, wishes, &error) &&
                    make_all(all, wishes, &error) &&
                    explain_device_open(wishes->device, &context, &error) &&
                    (!context || run_all(all, context, &error));
    const int code = ok ? give(all, wishes, &error) : complain_error(&error);
    clnorm_context_destroy(context);
    free(all);
    return code;
}

int cmd_explain(int argc, const char **argv)
{
    struct explain_wishes wishes = {.rows = EXPLAIN_NOT_GIVEN,
                                    .cols = EXPLAIN_NOT_GIVEN,
                                    .first = 1,
                                    .eps = 1e-5,
                                    .offset = 1e4};
    const struct cli_option options[] = {
        {"op", 0, OPTION_CHOICE, &wishes.op, KINDS, "operator (all: one beside the other)"},
        {"input", 'i', OPTION_FILE, &wishes.input, "FILE",
         "a matrix of samples and features: .npy, idx, or lines of numbers with commas"},
        {"rows", 0, OPTION_COUNT, &wishes.rows, "N",
         "the first N rows of FILE; without one, a made up matrix of N"},
        {"cols", 0, OPTION_COUNT, &wishes.cols, "N", "the same of columns"},
        {"set", 0, OPTION_TEXTS, &wishes.edits, "R,C=V",
         "put V into row R, column C, and show what moves; may be given again"},
        {"first", 0, OPTION_COUNT, &wishes.first, "N",
         "what is left of the batch when it shrinks: the first N samples (1)"},
        {"offset", 0, OPTION_NUMBER, &wishes.offset, "V",
         "the large mean: V is added to every cell (10000)"},
        {"eps", 0, OPTION_NUMBER, &wishes.eps, "E", "added to the variance (1e-5)"},
        {"weight", 0, OPTION_TEXT, &wishes.weight, "LIST",
         "a number for each feature, or one for all, or a .npy file (1)"},
        {"bias", 0, OPTION_TEXT, &wishes.bias, "LIST", "the same (0)"},
        {"device", 'd', OPTION_TEXT, &wishes.device, "SELECTOR",
         "beside the reference: its first device, or none (CLNORM_DEVICE, else auto)"},
        {"json", 0, OPTION_FLAG, &wishes.json, NULL, "print JSON"},
        {"markdown", 0, OPTION_FLAG, &wishes.markdown, NULL, "print Markdown"},
        {"html", 0, OPTION_FILE, &wishes.html, "FILE",
         "write a page whose cells can be edited, for a browser"},
        {"no-color", 0, OPTION_FLAG, &wishes.no_color, NULL, "no colours"},
        {.type = OPTION_END},
    };
    static const struct cli_usage usage = {
        .summary = "[OPTION...]",
        .examples =
            "Walk through layer, batch and RMS normalization of a small matrix, step by step:\n"
            "which cells belong together, mean, variance, what is divided by, weight and bias;\n"
            "what one cell changes, what a batch of one does, and what a large mean does to a\n"
            "careless variance. The numbers are those of the host reference, with those of a\n"
            "device beside them.\n"
            "\n"
            "Examples:\n"
            "  clnorm explain\n"
            "  clnorm explain --op batch_norm --set 0,2=60\n"
            "  clnorm explain --input x.csv --weight 1,2,1 --bias 0.5\n"
            "  clnorm explain --html explain.html\n",
    };
    int code = options_parse(argc, argv, options, &usage, NULL);
    if (code == CLI_GO_ON)
        code = explain(&wishes);
    options_release(options);
    return code;
}

/* SPDX-License-Identifier: MIT */
#include "base/kind.h"
#include "base/recurrent.h"
#include "check/recurrent_runner.h"
#include "cli/check/page.h"
#include "cli/check/report.h"
#include "cli/interrupt.h"
#include "cli/files/output_file.h"
#include "cli/progress.h"
#include "cli/check/self_test.h"

#include <stdlib.h>
#include <string.h>

/* For an explicit shape, which may be larger than those of the list. */
static const uint64_t most_elements = (uint64_t)1 << 32;
static const uint64_t not_given = UINT64_MAX;

/* Behind the first two kinds and cells are in the order of their values. */
#define OPS                                                                                        \
    "all|norms|layer_norm|rms_norm|group_norm|instance_norm|batch_norm|lp_norm|weight_norm|mvn|"   \
    "rnn|lstm|gru"
enum { OP_ALL, OP_NORMS, FIRST_KIND, FIRST_CELL = FIRST_KIND + CLNORM_MVN + 1 };

/* In the order of their values; "mixed" stands for CLNORM_CHECK_MIXED. */
#define DTYPES "all|f32|f16|bf16|f64|mixed"
enum { MIXED = 5 };

struct wishes {
    int op;
    int direction, dtype, form; /* 0: all; else one more than the value */
    char *variant, *shape, *part, *device, *html;
    uint64_t max_elements, seed;
    bool json, markdown, no_color, self_test;
};

/* All that is to be proved on a device. */
struct cases {
    clnorm_check_case *norms;
    clnorm_recurrent_case *nets;
    size_t n_norms, n_nets, left_out;
};

static bool list_cases(const clnorm_check_filter *filter, struct cases *cases, clnorm_error *error)
{
    size_t nets_left_out = 0;
    const bool ok =
        !clnorm_check_cases(filter, &cases->norms, &cases->n_norms, &cases->left_out, error) &&
        !clnorm_recurrent_cases(filter, &cases->nets, &cases->n_nets, &nets_left_out, error);
    cases->left_out += nets_left_out;
    return ok;
}

static bool check_norm(struct check_report *report, const clnorm_device *device,
                       clnorm_context *context, const clnorm_check_case *c)
{
    const struct check_subject subject = {clnorm_kind_name(c->variant->set.kind), c->variant->name,
                                          clnorm_direction_name(c->direction),
                                          clnorm_check_dtype_name(&c->desc)};
    clnorm_check_result result;
    char name[200];
    clnorm_check_run(context, c, &result);
    clnorm_check_case_name(c, name, sizeof(name));
    return check_report_case(report, device, &subject, name, !strcmp(c->input->name, "mean_1e6"),
                             &result);
}

static bool check_net(struct check_report *report, const clnorm_device *device,
                      clnorm_context *context, const clnorm_recurrent_case *c)
{
    const struct check_subject subject = {clnorm_recurrent_cell_name(c->desc.cell),
                                          c->variant->name, clnorm_direction_name(c->direction),
                                          clnorm_dtype_name(CLNORM_F32)};
    clnorm_check_result result;
    char name[200];
    clnorm_recurrent_check_run(context, c, &result);
    clnorm_recurrent_case_name(c, name, sizeof(name));
    return check_report_case(report, device, &subject, name, false, &result);
}

static bool check_cases(struct check_report *report, const clnorm_device *device,
                        clnorm_context *context, const struct cases *cases, clnorm_error *error)
{
    const size_t count = cases->n_norms + cases->n_nets;
    struct progress progress;
    bool ok = true;
    progress_begin(&progress, device->name, "checking", "cases", count);
    for (size_t i = 0; ok && i < count && !interrupt_pending(); i++) {
        ok = i < cases->n_norms
                 ? check_norm(report, device, context, &cases->norms[i])
                 : check_net(report, device, context, &cases->nets[i - cases->n_norms]);
        ok = ok || out_of_memory(error, (report->n_lines + 1) * sizeof(report->lines[0]));
        progress_update(&progress, i + 1);
    }
    progress_end(&progress);
    return ok;
}

/* It takes a thousand times as long for an element. */
static bool is_simulator(const clnorm_device *device)
{
    return !strcmp(device->platform_name, "Oclgrind");
}

/* A device that cannot be opened is part of the report: the others go on. */
static bool check_device(struct check_report *report, const clnorm_device *device,
                         clnorm_check_filter filter, clnorm_error *error)
{
    clnorm_context *context = NULL;
    struct cases cases = {.norms = NULL};
    clnorm_error failure;
    char selector[16];
    snprintf(selector, sizeof(selector), "%u", device->index);
    filter.quick = is_simulator(device);
    if (filter.max_elements == not_given)
        filter.max_elements = (uint64_t)1 << (filter.quick ? 15 : 22);
    if (clnorm_context_create(selector, log_warnings, NULL, &context, &failure))
        return check_report_broken(report, device, &failure) ||
               out_of_memory(error, sizeof(report->lines[0]));
    /* a kernel that is wrong is to be seen, and not to give way to another form */
    clnorm_context_set_self_test(context, CLNORM_SELF_TEST_OFF, NULL);
    const bool ok =
        list_cases(&filter, &cases, error) && check_cases(report, device, context, &cases, error);
    report->left_out += cases.left_out;
    free(cases.norms);
    free(cases.nets);
    clnorm_context_destroy(context);
    return ok;
}

static bool parse_shape(const char *shape, clnorm_check_filter *filter, clnorm_error *error)
{
    const char *text = shape;
    if (!shape)
        return true;
    const bool is_shape = parse_digits(&text, &filter->rows) && *text++ == 'x' &&
                          parse_digits(&text, &filter->cols) && !*text && filter->cols > 0 &&
                          filter->cols <= CLNORM_MAX_COLS;
    if (!is_shape)
        return refuse(error,
                      "--shape '%s': must be ROWSxCOLS, such as 128x768, with cols 1 to %llu",
                      shape, (unsigned long long)CLNORM_MAX_COLS);
    if (filter->max_elements == not_given)
        filter->max_elements = most_elements;
    if (filter->rows > filter->max_elements / filter->cols)
        return refuse(error, "--shape '%s': must have at most %llu elements", shape,
                      (unsigned long long)filter->max_elements);
    return true;
}

static bool parse_part(const char *part, clnorm_check_filter *filter, clnorm_error *error)
{
    const char *text = part;
    uint64_t number = 0;
    if (!part)
        return true;
    if (!parse_digits(&text, &number) || *text++ != '/' || !parse_digits(&text, &filter->parts) ||
        *text || number < 1 || number > filter->parts)
        return refuse(error, "--part '%s': must be I/N, such as 1/4, with I from 1 to N", part);
    filter->part = number - 1;
    return true;
}

/* A list of names, and where it goes. */
struct names {
    char *text;
    size_t bytes, used, found;
};

static void list_name(struct names *names, const char *variant, const char *name, size_t n)
{
    if (strncmp(variant, name, n) == 0 && names->used < names->bytes)
        names->used += (size_t)snprintf(names->text + names->used, names->bytes - names->used,
                                        "%s%s", names->found++ ? ", " : "", variant);
}

/* Adds the names that begin with the first n characters of `name`, and counts them. */
static size_t list_variants(char *text, size_t bytes, const char *name, size_t n)
{
    struct names names = {text, bytes, 0, 0};
    size_t count = 0;
    const clnorm_variant *variants = clnorm_variants(&count);
    for (size_t i = 0; i < count; i++)
        list_name(&names, variants[i].name, name, n);
    const clnorm_recurrent_variant *nets = clnorm_recurrent_variants(&count);
    for (size_t i = 0; i < count; i++)
        list_name(&names, nets[i].name, name, n);
    return names.found;
}

/* Where some names begin as this one does, only these are told. */
static bool find_variant(const char *name, clnorm_check_filter *filter, clnorm_error *error)
{
    char names[sizeof(error->text) - 200] = "";
    if (!name)
        return true;
    filter->variant = clnorm_variant_find(name);
    filter->recurrent = clnorm_recurrent_variant_find(name);
    if (filter->variant || filter->recurrent)
        return true;
    const size_t n = strcspn(name, "+/");
    if (n == 0 || list_variants(names, sizeof(names), name, n) == 0)
        list_variants(names, sizeof(names), "", 0);
    return refuse(error, "--variant '%s': must be one of %s", name, names);
}

static void choose_op(int op, clnorm_check_filter *filter)
{
    filter->kind = op >= FIRST_CELL   ? CLNORM_CHECK_NONE
                   : op >= FIRST_KIND ? op - FIRST_KIND
                                      : CLNORM_CHECK_ALL;
    filter->cell = op >= FIRST_CELL ? op - FIRST_CELL
                   : op == OP_ALL   ? CLNORM_CHECK_ALL
                                    : CLNORM_CHECK_NONE;
}

static bool make_filter(const struct wishes *wishes, clnorm_check_filter *filter,
                        clnorm_error *error)
{
    *filter = (clnorm_check_filter)CLNORM_CHECK_FILTER_INIT;
    choose_op(wishes->op, filter);
    filter->direction = wishes->direction - 1;
    filter->dtype = wishes->dtype == MIXED ? CLNORM_CHECK_MIXED : wishes->dtype - 1;
    filter->form = wishes->form ? wishes->form : -1;
    filter->seed = wishes->seed;
    filter->max_elements = wishes->max_elements;
    if (wishes->max_elements == 0)
        return refuse(error, "--max-elements '0': must be at least 1");
    return find_variant(wishes->variant, filter, error) &&
           parse_shape(wishes->shape, filter, error) && parse_part(wishes->part, filter, error);
}

static bool check_devices(struct check_report *report, const struct wishes *wishes,
                          const clnorm_device *devices, size_t count, clnorm_error *error)
{
    clnorm_check_filter filter;
    size_t n_chosen = 0;
    size_t *chosen = calloc(count + 1, sizeof(*chosen));
    bool ok = chosen ? make_filter(wishes, &filter, error) &&
                           !clnorm_devices_select(devices, count, wishes->device, chosen, &n_chosen,
                                                  error)
                     : out_of_memory(error, (count + 1) * sizeof(*chosen));
    for (size_t i = 0; ok && i < n_chosen && !interrupt_pending(); i++)
        ok = check_device(report, &devices[chosen[i]], filter, error);
    free(chosen);
    return ok;
}

static bool nothing_to_do(const struct wishes *wishes, size_t left_out, clnorm_error *error)
{
    if (left_out > 0)
        return refuse(error,
                      "no case has a shape that fits: %zu are too large, or none for their "
                      "operator; allowed are other --shape, --max-elements",
                      left_out);
    return refuse(error,
                  "no case is left%s; allowed are an --op, --variant, --direction, --dtype and "
                  "--form that go together",
                  wishes->part ? " in this --part" : "");
}

/* Nothing is written if nothing was checked. */
static bool write_page(const struct check_report *report, const struct wishes *wishes,
                       clnorm_error *error)
{
    return !wishes->html || report->n_lines == 0 ||
           check_page_write(report, wishes->html, wishes->seed, error);
}

static int check(const struct wishes *wishes)
{
    struct check_report report = {.n_lines = 0};
    clnorm_device *devices = NULL;
    clnorm_error error = {.status = CLNORM_OK};
    size_t count = 0;
    int code = CLI_OK;
    if (wishes->json && wishes->markdown) {
        complain("--json and --markdown are given; allowed is one of them");
        return CLI_USAGE;
    }
    interrupt_install();
    const bool ok = (!wishes->html || output_file_allowed(wishes->html, NULL, 0, &error)) &&
                    !clnorm_devices_list(&devices, &count, &error) &&
                    check_devices(&report, wishes, devices, count, &error) &&
                    (report.n_lines > 0 || interrupt_pending() ||
                     nothing_to_do(wishes, report.left_out, &error));
    if (ok)
        code = wishes->json       ? check_report_json(&report)
               : wishes->markdown ? check_report_markdown(&report)
                                  : check_report_table(&report, wishes->no_color);
    if (!ok || !write_page(&report, wishes, &error))
        code = complain_error(&error);
    else if (interrupt_pending())
        code = CLI_INTERRUPTED;
    else if (code == CLI_OK)
        code = check_report_code(&report);
    free(report.lines);
    clnorm_devices_free(devices);
    return code;
}

/* Its problems are its own, so nothing else may be asked for. */
static int self_test(const struct wishes *wishes, const struct cli_option *options,
                     const bool *given)
{
    static const char *const allowed[] = {"self-test", "device", "json", "no-color"};
    for (size_t i = 0; options[i].type != OPTION_END; i++) {
        bool ok = !given[i];
        for (size_t k = 0; k < sizeof(allowed) / sizeof(allowed[0]); k++)
            ok = ok || !strcmp(options[i].name, allowed[k]);
        if (!ok) {
            complain("--%s and --self-test are given; beside --self-test allowed are --device, "
                     "--json and --no-color",
                     options[i].name);
            return CLI_USAGE;
        }
    }
    interrupt_install();
    return self_test_devices(wishes->device, wishes->json, wishes->no_color);
}

int cmd_check(int argc, const char **argv)
{
    struct wishes wishes = {.max_elements = not_given, .seed = 1};
    const struct cli_option options[] = {
        {"op", 0, OPTION_CHOICE, &wishes.op, OPS,
         "all, layer_norm, rms_norm, group_norm, instance_norm, batch_norm, lp_norm, weight_norm, "
         "mvn, or norms: all of these; or a recurrent net: rnn, lstm, gru (all)"},
        {"variant", 0, OPTION_TEXT, &wishes.variant, "NAME",
         "this one only, as the table calls it: rms_norm+residual+exact"},
        {"direction", 0, OPTION_CHOICE, &wishes.direction, "all|forward|backward",
         "the operator, or its gradients (all)"},
        {"dtype", 0, OPTION_CHOICE, &wishes.dtype, DTYPES, "type of all tensors (all of them)"},
        {"form", 0, OPTION_CHOICE, &wishes.form, "all|sequential|sliced|held|cooperative",
         "kernel form (all)"},
        {"shape", 0, OPTION_TEXT, &wishes.shape, "ROWSxCOLS",
         "this shape only, with every input; of nets a batch of ROWS, COLS features and hidden"},
        {"max-elements", 0, OPTION_COUNT, &wishes.max_elements, "N",
         "leave out larger shapes (4194304; 32768 on Oclgrind)"},
        {"part", 0, OPTION_TEXT, &wishes.part, "I/N",
         "every Nth program only, from the Ith on: N machines share a check"},
        {"seed", 0, OPTION_COUNT, &wishes.seed, "N", "of the inputs (1)"},
        {"self-test", 0, OPTION_FLAG, &wishes.self_test, NULL,
         "only what ops do before they use a kernel: a few rows for each form"},
        {"device", 'd', OPTION_TEXT, &wishes.device, "SELECTOR",
         "every device that it matches (CLNORM_DEVICE, else auto)"},
        {"json", 0, OPTION_FLAG, &wishes.json, NULL, "print JSON"},
        {"markdown", 0, OPTION_FLAG, &wishes.markdown, NULL, "print Markdown tables"},
        {"html", 0, OPTION_FILE, &wishes.html, "FILE", "write a page for a browser, too"},
        {"no-color", 0, OPTION_FLAG, &wishes.no_color, NULL, "no colours"},
        {0},
    };
    static const struct cli_usage usage = {
        .summary = "[OPTION...]",
        .examples =
            "Run every operator, forward and backward, with each of its switches, on inputs that\n"
            "once broke some kernel, and compare each element with the host reference. Exit code\n"
            "0: all right, 1: a wrong result, 3: a device that failed.\n"
            "\n"
            "Examples:\n"
            "  clnorm check --device all\n"
            "  clnorm check --op rms_norm --dtype bf16 --shape 128x4096 --device gpu\n"
            "  clnorm check --op lstm --direction backward\n"
            "  clnorm check --self-test --device all\n"
            "  clnorm check --device all --html check.html\n"
            "  clnorm check --variant layer_norm+residual --direction backward\n",
    };
    bool given[sizeof(options) / sizeof(options[0])] = {false};
    int code = options_parse(argc, argv, options, &usage, given);
    if (code == CLI_GO_ON)
        code = wishes.self_test ? self_test(&wishes, options, given) : check(&wishes);
    options_release(options);
    return code;
}

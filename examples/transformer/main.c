/* SPDX-License-Identifier: MIT */
/* Pre-LN and Post-LN transformer blocks on a device: checked against PyTorch's values, or how large
 * gradients are in a new stack. See docs/transformer.md. */
#include "check.h"
#include "common/file.h"
#include "common/options.h"
#include "gradients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    char *norm, *device, *check, *json;
    int depth, heads, width, tokens;
    long long seed;
} options = {.depth = EX_NOT_GIVEN, .heads = 4, .width = 64, .tokens = 64, .seed = 1};

static const struct poptOption table[] = {
    {"norm", 0, POPT_ARG_STRING, &options.norm, 0, "where norms are; both if not given",
     "pre|post"},
    {"depth", 0, POPT_ARG_INT, &options.depth, 0, "blocks; 6, 12, 24 and 48 if not given", "N"},
    {"heads", 0, POPT_ARG_INT, &options.heads, 0, "heads of attention, default 4", "N"},
    {"width", 0, POPT_ARG_INT, &options.width, 0, "columns, default 64", "N"},
    {"tokens", 0, POPT_ARG_INT, &options.tokens, 0, "rows, default 64", "N"},
    {"seed", 0, POPT_ARG_LONGLONG, &options.seed, 0, "of all random numbers, default 1", "N"},
    {"device", 0, POPT_ARG_STRING, &options.device, 0, "as of clnorm: 0, gpu, name=TEXT",
     "SELECTOR"},
    {"check", 0, POPT_ARG_STRING, &options.check, 0,
     "compare with PyTorch's values, which have sizes of their own", "FIXTURE"},
    {"json", 0, POPT_ARG_STRING, &options.json, 0, "write sizes of gradients; -: to stdout",
     "FILE"},
    POPT_TABLEEND};

static FILE *report; /* stdout, or stderr where that gets the JSON */

/* [0]: Pre-LN is wanted, [1]: Post-LN */
static void choose_norms(bool wanted[2])
{
    static const char *const names[] = {"pre", "post", NULL};
    const int one = options.norm ? ex_choice("--norm", options.norm, names) : -1;
    wanted[0] = one != 1;
    wanted[1] = one != 0;
}

static void check_options(void)
{
    if (options.depth != EX_NOT_GIVEN)
        ex_in_range("--depth", options.depth, 1, 1024);
    ex_in_range("--heads", options.heads, 1, 1024);
    ex_in_range("--width", options.width, 2, 8192);
    ex_in_range("--tokens", options.tokens, 1, 8192);
    ex_in_range("--seed", options.seed, 0, INT64_MAX);
    if (options.width % options.heads)
        ex_die(EX_USAGE, "--heads is %d, which does not divide --width %d", options.heads,
               options.width);
    if (options.check && options.json)
        ex_die(EX_USAGE, "--check writes no file: --json cannot go with it");
    if (options.json)
        ex_file_check(options.json);
    report = options.json && strcmp(options.json, "-") == 0 ? stderr : stdout;
}

static int check(struct tf_kernels *kernels, const struct tf_fixture *fixture, const bool wanted[2])
{
    bool right = true;
    for (int i = 0; i < 2; i++)
        if (wanted[i])
            right = tf_check(kernels, fixture, i == 0) && right;
    return right ? EXIT_SUCCESS : EX_WRONG;
}

static void print_run(const json_t *run)
{
    const char *name = tf_name_in_block(TF_DOWN_WEIGHT);
    const json_t *norms = json_object_get(json_object_get(run, "gradients"), name);
    const size_t blocks = json_array_size(norms);
    fprintf(report, "%-4s %4zu blocks: |gradient of %s| %.4g in the first, %.4g in the last\n",
            json_string_value(json_object_get(run, "norm")), blocks, name,
            json_real_value(json_array_get(norms, 0)),
            json_real_value(json_array_get(norms, blocks - 1)));
}

static json_t *run(struct tf_kernels *kernels, bool pre, int depth)
{
    const struct tf_shape shape = {pre, (uint64_t)options.tokens, (uint64_t)options.width,
                                   (uint64_t)options.heads, (uint64_t)depth};
    if (ex_interrupted())
        ex_die(EX_INTERRUPTED, "interrupted");
    json_t *found = tf_gradient_norms(kernels, &shape, (uint64_t)options.seed);
    print_run(found);
    return found;
}

static json_t *runs_of(struct tf_kernels *kernels, const bool wanted[2])
{
    static const int usual[] = {6, 12, 24, 48};
    const bool is_given = options.depth != EX_NOT_GIVEN;
    const int *depths = is_given ? &options.depth : usual;
    const size_t n = is_given ? 1 : sizeof(usual) / sizeof(usual[0]);
    json_t *runs = json_array();
    for (int norm = 0; norm < 2; norm++)
        for (size_t i = 0; wanted[norm] && i < n; i++)
            json_array_append_new(runs, run(kernels, norm == 0, depths[i]));
    return runs;
}

static int measure(struct tf_kernels *kernels, const bool wanted[2])
{
    json_t *root =
        json_pack("{s:o, s:i, s:i, s:i, s:I, s:o}", "device", ex_json_device(kernels->device),
                  "width", options.width, "heads", options.heads, "tokens", options.tokens, "seed",
                  (json_int_t)options.seed, "runs", runs_of(kernels, wanted));
    if (options.json)
        ex_json_write(options.json, root);
    else
        json_decref(root);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct ex_device device;
    struct tf_kernels kernels;
    struct tf_fixture fixture = {0};
    bool wanted[2];
    ex_begin(argv[0]);
    ex_options(argc, argv, table);
    choose_norms(wanted);
    check_options();
    if (options.check)
        tf_fixture_open(&fixture, options.check);
    ex_device_open(&device, options.device, false);
    fprintf(report, "on %s\n", clnorm_context_device(device.context)->name);
    tf_kernels_open(&kernels, &device);
    const int code = options.check ? check(&kernels, &fixture, wanted) : measure(&kernels, wanted);
    tf_kernels_close(&kernels);
    ex_device_close(&device);
    tf_fixture_close(&fixture);
    free(options.norm);
    free(options.device);
    free(options.check);
    free(options.json);
    return code;
}

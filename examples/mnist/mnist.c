/* SPDX-License-Identifier: MIT */
/* The experiment of section 6.6 of Ba, Kiros, Hinton, "Layer Normalization", arXiv:1607.06450: a
 * net of two hidden layers learns to read digits, with layer or batch norm, from large or small
 * batches. All of it runs on an OpenCL device. docs/mnist.md tells the rest. */
#include "common/file.h"
#include "common/options.h"
#include "mnist/run.h"

#include <string.h>

/* As popt writes them. */
static struct {
    char *data, *norm, *device, *json, *checkpoint;
    long long batch, hidden, steps, evaluate_every, seed;
    double rate;
    int resumes, checks, profiles;
} given = {
    .batch = 128, .hidden = 1000, .steps = 9360, .evaluate_every = 117, .seed = 1, .rate = 1e-3};

static const struct poptOption options[] = {
    {"data", 0, POPT_ARG_STRING, &given.data, 0,
     "idx files of MNIST or one like it (default /usr/share/datasets/fashion-mnist)", "DIR"},
    {"norm", 0, POPT_ARG_STRING, &given.norm, 0, "layer (default) or batch", "KIND"},
    {"batch", 0, POPT_ARG_LONGLONG | POPT_ARGFLAG_SHOW_DEFAULT, &given.batch, 0, "images of a step",
     "N"},
    {"hidden", 0, POPT_ARG_LONGLONG | POPT_ARGFLAG_SHOW_DEFAULT, &given.hidden, 0,
     "units of each hidden layer", "N"},
    {"steps", 0, POPT_ARG_LONGLONG | POPT_ARGFLAG_SHOW_DEFAULT, &given.steps, 0, "updates", "N"},
    {"evaluate-every", 0, POPT_ARG_LONGLONG | POPT_ARGFLAG_SHOW_DEFAULT, &given.evaluate_every, 0,
     "steps from a test to the next", "N"},
    {"seed", 0, POPT_ARG_LONGLONG | POPT_ARGFLAG_SHOW_DEFAULT, &given.seed, 0,
     "of parameters and of the order of the images", "N"},
    {"rate", 0, POPT_ARG_DOUBLE | POPT_ARGFLAG_SHOW_DEFAULT, &given.rate, 0, "learning rate", "R"},
    {"device", 0, POPT_ARG_STRING, &given.device, 0, "OpenCL device, as of clnorm", "SELECTOR"},
    {"json", 0, POPT_ARG_STRING, &given.json, 0, "write results; - is stdout, of a profile",
     "FILE"},
    {"checkpoint", 0, POPT_ARG_STRING, &given.checkpoint, 0,
     "keep the state here, so that the training can be resumed", "FILE"},
    {"resume", 0, POPT_ARG_NONE, &given.resumes, 0, "go on from the checkpoint, if it is there",
     NULL},
    {"check", 0, POPT_ARG_NONE, &given.checks, 0,
     "compare the gradients with the host's, and do no more", NULL},
    {"profile", 0, POPT_ARG_NONE, &given.profiles, 0,
     "measure where the time of a step goes, for batches of 128 and 4, and do no more", NULL},
    POPT_TABLEEND};

static const char *or_default(const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

static void check_ranges(void)
{
    const struct {
        const char *name;
        long long value, least, most;
    } ranges[] = {
        {"--batch", given.batch, 1, 60000},
        {"--hidden", given.hidden, 1, 1 << 14},
        {"--steps", given.steps, 1, 1 << 30},
        {"--evaluate-every", given.evaluate_every, 1, 1 << 20},
        {"--seed", given.seed, 0, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        ex_in_range(ranges[i].name, ranges[i].value, ranges[i].least, ranges[i].most);
    ex_in_range_number("--rate", given.rate, 1e-9, 10);
}

static void check_combinations(void)
{
    ex_in_range("--evaluate-every times --batch", given.evaluate_every * given.batch, 1, 1 << 28);
    if (given.checks || given.profiles)
        ex_in_range("--hidden with --check or --profile", given.hidden, 64, 1 << 14);
    const bool is_batch_norm = given.norm && strcmp(given.norm, "batch") == 0;
    if (is_batch_norm) /* of 2 or 3 rows it is mostly cancellation */
        ex_in_range(given.checks ? "--batch with batch norm and --check"
                                 : "--batch with batch norm",
                    given.batch, given.checks ? 4 : 2, 60000);
    if (given.resumes && !given.checkpoint)
        ex_die(EX_USAGE, "--resume needs --checkpoint FILE");
    if (given.checks && given.profiles)
        ex_die(EX_USAGE, "--check and --profile are one too many: --profile checks, too");
}

static struct settings settle(void)
{
    static const char *const norms[] = {"layer", "batch", NULL};
    struct settings settings = {
        .data = or_default(given.data, "/usr/share/datasets/fashion-mnist"),
        .device = given.device,
        .json = given.json,
        .checkpoint = given.checkpoint,
        .shape = {.hidden = (size_t)given.hidden},
        .adam = EX_ADAM_INIT,
        .seed = (uint64_t)given.seed,
        .steps = (uint64_t)given.steps,
        .evaluate_every = (uint64_t)given.evaluate_every,
        .batch = (size_t)given.batch,
        .resumes = given.resumes,
    };
    settings.shape.is_batch_norm = ex_choice("--norm", or_default(given.norm, "layer"), norms) == 1;
    settings.adam.rate = given.rate;
    return settings;
}

int main(int argc, char **argv)
{
    ex_begin(argv[0]);
    ex_options(argc, argv, options);
    check_ranges();
    check_combinations();
    const struct settings settings = settle();
    if (settings.json)
        ex_file_check(settings.json);
    if (settings.checkpoint)
        ex_file_check(settings.checkpoint);
    if (given.checks)
        return check(&settings);
    return given.profiles ? profile(&settings) : run(&settings);
}

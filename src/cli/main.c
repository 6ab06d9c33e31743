/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/interrupt.h"

#include <errno.h>
#include <string.h>

struct command {
    const char *name, *full_name;
    int (*run)(int argc, const char **argv);
    const char *help;
};

static const struct command commands[] = {
    {"devices", "clnorm devices", cmd_devices, "list OpenCL devices, and why one is not usable"},
    {"run", "clnorm run", cmd_run, "normalize a .npy or idx file, and prove the result"},
    {"check", "clnorm check", cmd_check, "prove the operators on the devices that are there"},
    {"bench", "clnorm bench", cmd_bench, "measure the operators beside a copy of their tensors"},
    {"cache", "clnorm cache", cmd_cache,
     "compiled programs that are kept: how many, or remove them"},
    {"tune", "clnorm tune", cmd_tune, "search the fastest kernel parameters for the devices"},
    {"compare", "clnorm compare", cmd_compare, "measurements beside each other, with verdicts"},
    {"report", "clnorm report", cmd_report, "a page with tables and charts of measured devices"},
    {"explain", "clnorm explain", cmd_explain, "normalize a small matrix, step by step"},
};
enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static int print_help(void)
{
    puts("Usage: clnorm COMMAND [OPTION...]\n"
         "Normalization layers on any OpenCL device, checked against a host reference.\n"
         "\n"
         "Commands:");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-9s %s\n", commands[i].name, commands[i].help);
    puts("\n"
         "clnorm COMMAND --help lists the options of a command.\n"
         "  -h, --help     show this help\n"
         "      --version  show the version\n"
         "\n"
         "Environment:\n"
         "  CLNORM_DEVICE     the device to use when --device is not given\n"
         "  CLNORM_CACHE      off: do not keep compiled programs\n"
         "  CLNORM_CACHE_DIR  where they are kept, see clnorm cache --help\n"
         "  CLNORM_TUNE       off: do not use what clnorm tune measured\n"
         "  CLNORM_TUNE_FILE  where that is kept, see clnorm tune --help\n"
         "  NO_COLOR          no colours\n"
         "\n"
         "Exit codes: 0 ok, 1 wrong result, 2 usage or a bad file, 3 no usable device or OpenCL\n"
         "failure, 130 interrupted.\n"
         "\n"
         "Examples:\n"
         "  clnorm devices\n"
         "  clnorm run x.npy -o y.npy --weight w.npy --bias b.npy\n"
         "  clnorm run train-images-idx3-ubyte.gz --axes 2 --device all --verify\n"
         "  clnorm check --device all\n"
         "  clnorm bench --preset transformer --device all\n"
         "  clnorm report laptop.json server.json -o report.html");
    return CLI_OK;
}

static int print_version(void)
{
    const char *const commit = build_commit();
    printf("clnorm %s%s%s%s\n", clnorm_version(), commit ? " (" : "", commit ? commit : "",
           commit ? ")" : "");
    return CLI_OK;
}

static int unknown_command(const char *name)
{
    const char *names[N_COMMANDS];
    char list[128] = "";
    for (size_t i = 0; i < N_COMMANDS; i++) {
        names[i] = commands[i].name;
        const size_t used = strlen(list);
        snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", names[i]);
    }
    const char *close = name ? closest_name(name, names, N_COMMANDS) : NULL;
    if (!name)
        complain("a command is missing; there are: %s", list);
    else if (name[0] == '-')
        complain("unknown option '%s'; see clnorm --help", name);
    else if (close)
        complain("no command '%s', did you mean '%s'? There are: %s", name, close, list);
    else
        complain("no command '%s'; there are: %s", name, list);
    return CLI_USAGE;
}

static int run_command(int argc, const char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    if (!name)
        return unknown_command(NULL);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return print_help();
    if (strcmp(name, "--version") == 0)
        return print_version();
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0) {
            argv[1] = commands[i].full_name;
            return commands[i].run(argc - 1, argv + 1);
        }
    return unknown_command(name);
}

/* The locale stays "C", so that numbers are read and written in one way everywhere. */
int main(int argc, char **argv)
{
    interrupt_install();
    int code = run_command(argc, (const char **)argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == CLI_OK) {
        complain("cannot write to standard output: %s", strerror(errno));
        code = CLI_USAGE;
    }
    return code;
}

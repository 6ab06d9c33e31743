/* SPDX-License-Identifier: MIT */
/* What the commands of clnorm share: exit codes, messages, options.
 *
 * Functions that can fail take a clnorm_error and return false after filling it; the command prints
 * it once, with complain_error. Commands return an exit code. */
#ifndef CLNORM_CLI_CLI_H
#define CLNORM_CLI_CLI_H

#include "clnorm/clnorm.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#if defined(__GNUC__)
#define CLI_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define CLI_PRINTF(text, first)
#endif

enum exit_code {
    CLI_OK = 0,
    CLI_WRONG = 1, /* a result outside of its bound */
    CLI_USAGE = 2, /* the command line, or a file */
    CLI_DEVICE = 3, /* no usable device, or OpenCL failed: build, memory, unsupported dtype */
    CLI_INTERRUPTED = 130
};

/* argv[0] is "clnorm NAME". */
int cmd_devices(int argc, const char **argv);
int cmd_run(int argc, const char **argv);
int cmd_check(int argc, const char **argv);
int cmd_cache(int argc, const char **argv);
int cmd_tune(int argc, const char **argv);
int cmd_bench(int argc, const char **argv);
int cmd_compare(int argc, const char **argv);
int cmd_report(int argc, const char **argv);
int cmd_explain(int argc, const char **argv);

/* ---- messages (message.c) ------------------------------------------------------------------ */

/* Control characters become '?': a terminal must not obey what a file name or a driver says. */
void make_printable(char *text);
/* "clnorm: ..." on stderr; control characters (of a file name, say) become '?', so it is one line.
 */
void complain(const char *format, ...) CLI_PRINTF(1, 2);
enum { ERROR_LINE = sizeof(((clnorm_error *)0)->text) };

/* The error's text in one line: of a build log, the line that names a kernel's source. */
void error_line(const clnorm_error *error, char line[ERROR_LINE]);
/* Prints that line, or "interrupted" once a signal came. Returns the exit code. */
int complain_error(const clnorm_error *error);
/* Fills *error with CLNORM_BAD_ARGS and returns false. */
bool refuse(clnorm_error *error, const char *format, ...) CLI_PRINTF(2, 3);
/* The same with CLNORM_OUT_OF_MEMORY. */
bool out_of_memory(clnorm_error *error, uint64_t bytes);
int exit_code_of(clnorm_status status);
/* A clnorm_log_fn that prints warnings. */
void log_warnings(void *user, clnorm_log_level level, const char *text);

/* ---- this build (commit.c.in) -------------------------------------------------------------- */

/* The commit that it was built from, with "-dirty" behind it where files were changed; NULL: not
 * from a repository. */
const char *build_commit(void);

/* ---- output -------------------------------------------------------------------------------- */

/* Colours only on a terminal, and not if NO_COLOR is set or `no_color` is true. */
bool use_color(FILE *stream, bool no_color);
/* Columns of the terminal behind `stream`; 0 if it is none and COLUMNS is not set. */
unsigned terminal_width(FILE *stream);
/* Prints `root` on stdout and releases it; NULL (out of memory while it was built) is an error. */
int print_json(json_t *root);
/* A real, or null where JSON has no such number: NaN and infinities. */
json_t *json_finite(double value);
/* A string; where `text` is not UTF-8, as a file name or a driver's text may be, with '?'. */
json_t *json_text(const char *text);
/* The text and the number that an object has under this key; "" and 0 where it has none. */
const char *json_text_at(const json_t *object, const char *key);
double json_number_at(const json_t *object, const char *key);

/* ---- options (options.c) ------------------------------------------------------------------- */

enum option_type {
    OPTION_END = 0,
    OPTION_FLAG, /* bool: set to true */
    OPTION_TEXT, /* char *: freed by options_release */
    OPTION_FILE, /* the same, not empty */
    OPTION_TEXTS, /* struct cli_texts: one more each time that it is given */
    OPTION_NUMBER, /* double */
    OPTION_COUNT, /* uint64_t */
    OPTION_SIZE, /* uint64_t: bytes, at least 1; 512M, 2G, 1048576 */
    OPTION_CHOICE, /* int: the place in `argument`, which lists the names: "f32|f16" */
    OPTION_OPERAND, /* char *: a file, an argument that is no option, in the order of the table */
    OPTION_OPERANDS, /* struct cli_texts: all that are left, at least one; the last of the table */
    OPTION_ANY_OPERANDS /* the same, or none */
};

struct cli_texts { /* starts as {0}; released by options_release */
    char **list;
    size_t n;
};

struct cli_option {
    const char *name; /* without dashes */
    char letter; /* or 0 */
    enum option_type type;
    void *value; /* untouched unless the option is given */
    const char *argument; /* how the help names its value */
    const char *help;
};

struct cli_usage {
    const char *summary; /* what follows the command's name in "Usage:" */
    const char *examples; /* printed after the options */
};

#define CLI_GO_ON (-1)

/* Returns CLI_GO_ON, or the exit code after --help or a complaint that names option and value.
 * given: set to true at the places of those that are given; or NULL. */
int options_parse(int argc, const char **argv, const struct cli_option *options,
                  const struct cli_usage *usage, bool *given);
/* Frees the texts that options_parse put into the values. */
void options_release(const struct cli_option *options);

/* Digits only; *text is moved behind them. false if there are none, or too many for 64 bits. */
bool parse_digits(const char **text, uint64_t *value);

/* The name of `names` (n of them) that is a slip of the pen away from `text`, or NULL. */
const char *closest_name(const char *text, const char *const *names, size_t n);

#endif

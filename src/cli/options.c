/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "cli/cli.h"

#include <ctype.h>
#include <inttypes.h>
#include <popt.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 96, MAX_NAME = 32, HELP = MAX_OPTIONS + 1 };

/* ---- names --------------------------------------------------------------------------------- */

/* Edits (insert, delete, replace) from one name to the other. */
static size_t distance(const char *a, const char *b)
{
    size_t row[MAX_NAME + 1];
    const size_t n = strlen(b);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (best > row[j] + 1)
                best = row[j] + 1;
            if (best > row[j - 1] + 1)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[n];
}

const char *closest_name(const char *text, const char *const *names, size_t n)
{
    const char *best = NULL;
    size_t best_distance = 3; /* two slips at most */
    for (size_t i = 0; i < n && strlen(text) <= MAX_NAME; i++) {
        if (strlen(names[i]) > MAX_NAME)
            continue;
        const size_t d = distance(text, names[i]);
        if (d < best_distance && d < strlen(names[i])) {
            best = names[i];
            best_distance = d;
        }
    }
    return best;
}

/* ---- values: each gives false when `text` is not one -------------------------------------- */

static bool parse_number(const char *text, void *value, const char *argument)
{
    (void)argument;
    char *end;
    const double number = strtod(text, &end);
    if (end == text || *end || isspace((unsigned char)*text))
        return false;
    *(double *)value = number;
    return true;
}

bool parse_digits(const char **text, uint64_t *value)
{
    const char *const begin = *text;
    *value = 0;
    for (; **text >= '0' && **text <= '9'; ++*text) {
        const uint64_t digit = (uint64_t)(**text - '0');
        if (*value > (UINT64_MAX - digit) / 10)
            return false;
        *value = 10 * *value + digit;
    }
    return *text > begin;
}

static bool parse_count(const char *text, void *value, const char *argument)
{
    (void)argument;
    uint64_t number;
    if (!parse_digits(&text, &number) || *text)
        return false;
    *(uint64_t *)value = number;
    return true;
}

static bool parse_size(const char *text, void *value, const char *argument)
{
    static const char suffixes[] = "KMGT";
    (void)argument;
    uint64_t number;
    if (!parse_digits(&text, &number) || number == 0)
        return false;
    unsigned shift = 0;
    if (*text) {
        const char *suffix = strchr(suffixes, toupper((unsigned char)*text));
        if (!suffix || text[1])
            return false;
        shift = 10 * (unsigned)(suffix - suffixes + 1);
    }
    if (number > UINT64_MAX >> shift)
        return false;
    *(uint64_t *)value = number << shift;
    return true;
}

static bool parse_choice(const char *text, void *value, const char *argument)
{
    int place = 0;
    for (const char *name = argument; *name; place++) {
        const size_t length = strcspn(name, "|");
        if (strlen(text) == length && strncmp(text, name, length) == 0) {
            *(int *)value = place;
            return true;
        }
        name += length + (name[length] == '|');
    }
    return false;
}

/* Takes `text`, which is on the heap. */
static bool keep_text(char *text, void *value)
{
    free(*(char **)value);
    *(char **)value = text;
    return true;
}

/* Takes `text`. */
static bool append_text(char *text, struct cli_texts *texts)
{
    char **list = realloc(texts->list, (texts->n + 1) * sizeof(list[0]));
    if (!list) {
        free(text);
        return false;
    }
    texts->list = list;
    list[texts->n++] = text;
    return true;
}

static void release_texts(struct cli_texts *texts)
{
    for (size_t i = 0; i < texts->n; i++)
        free(texts->list[i]);
    free(texts->list);
    *texts = (struct cli_texts){0};
}

static const struct {
    bool (*parse)(const char *text, void *value, const char *argument);
    const char *allowed; /* NULL: the option's argument lists it */
} values[] = {
    [OPTION_NUMBER] = {parse_number, "a number"},
    [OPTION_COUNT] = {parse_count, "a whole number from 0 to 18446744073709551615"},
    [OPTION_SIZE] = {parse_size, "a number of bytes above 0, such as 1048576, 512M or 2G"},
    [OPTION_CHOICE] = {parse_choice, NULL},
};

static bool is_text(enum option_type type)
{
    return type == OPTION_TEXT || type == OPTION_FILE || type == OPTION_OPERAND;
}

static bool is_texts(enum option_type type)
{
    return type == OPTION_TEXTS || type == OPTION_OPERANDS || type == OPTION_ANY_OPERANDS;
}

static bool is_operand(enum option_type type)
{
    return type == OPTION_OPERAND || type == OPTION_OPERANDS || type == OPTION_ANY_OPERANDS;
}

/* Takes `text`, which is NULL for a flag. */
static int set_option(const struct cli_option *option, char *text)
{
    if (option->type == OPTION_FLAG) {
        *(bool *)option->value = true;
        return CLI_GO_ON;
    }
    if (!text || (is_texts(option->type) && !append_text(text, option->value))) {
        complain("%s%s: out of memory", is_operand(option->type) ? "" : "--", option->name);
        return CLI_DEVICE;
    }
    if (is_texts(option->type))
        return CLI_GO_ON;
    if (is_text(option->type)) {
        keep_text(text, option->value);
        if (*text || option->type == OPTION_TEXT)
            return CLI_GO_ON;
        if (option->letter)
            complain("-%c '': must be the name of a file", option->letter);
        else
            complain("%s%s '': must be the name of a file", option->type == OPTION_FILE ? "--" : "",
                     option->name);
        return CLI_USAGE;
    }
    const char *allowed = values[option->type].allowed;
    const bool is_right = values[option->type].parse(text, option->value, option->argument);
    if (!is_right)
        complain("--%s '%s': must be %s", option->name, text, allowed ? allowed : option->argument);
    free(text);
    return is_right ? CLI_GO_ON : CLI_USAGE;
}

/* ---- the command line ---------------------------------------------------------------------- */

/* Long lists would push the help of all options to the right; the option's own help has them. */
static const char *shown_argument(const struct cli_option *option)
{
    enum { MOST = 40 };
    const bool is_long = option->type == OPTION_CHOICE && strlen(option->argument) > MOST;
    return is_long ? "NAME" : option->argument;
}

static void fill_popt_table(const struct cli_option *options, struct poptOption *table)
{
    static const struct poptOption help = {"help",           'h', POPT_ARG_NONE, NULL, HELP,
                                           "show this help", NULL};
    for (int i = 0; options[i].type != OPTION_END && i < MAX_OPTIONS; i++)
        if (!is_operand(options[i].type))
            *table++ = (struct poptOption){
                .longName = options[i].name,
                .shortName = options[i].letter,
                .argInfo = options[i].type == OPTION_FLAG ? POPT_ARG_NONE : POPT_ARG_STRING,
                .val = i + 1,
                .descrip = options[i].help,
                .argDescrip = shown_argument(&options[i]),
            };
    *table++ = help;
    *table = (struct poptOption)POPT_TABLEEND;
}

static int bad_option(poptContext context, int code, const struct cli_option *options,
                      const char *command)
{
    const char *given = poptBadOption(context, POPT_BADOPTION_NOALIAS);
    if (code == POPT_ERROR_NOARG) {
        complain("option %s needs a value; see %s --help", given, command);
        return CLI_USAGE;
    }
    if (code != POPT_ERROR_BADOPT) {
        complain("option %s: %s; see %s --help", given, poptStrerror(code), command);
        return CLI_USAGE;
    }
    const char *names[MAX_OPTIONS];
    size_t n = 0;
    for (size_t i = 0; options[i].type != OPTION_END; i++)
        if (!is_operand(options[i].type))
            names[n++] = options[i].name;
    char name[2 * MAX_NAME]; /* without its value */
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(given, "="), given);
    const char *close = strncmp(name, "--", 2) == 0 ? closest_name(name + 2, names, n) : NULL;
    complain("unknown option %s%s%s; see %s --help", name, close ? ", did you mean --" : "",
             close ? close : "", command);
    return CLI_USAGE;
}

static int take_operand(poptContext context, const struct cli_option *option, const char *command)
{
    const char *text = poptGetArg(context);
    if (!text && option->type == OPTION_ANY_OPERANDS)
        return CLI_GO_ON;
    if (!text) {
        complain("%s is missing; see %s --help", option->name, command);
        return CLI_USAGE;
    }
    int code = set_option(option, strdup(text));
    while (code == CLI_GO_ON && is_texts(option->type) && (text = poptGetArg(context)) != NULL)
        code = set_option(option, strdup(text));
    return code;
}

static int take_operands(poptContext context, const struct cli_option *options, const char *command)
{
    for (size_t i = 0; options[i].type != OPTION_END; i++) {
        const int code =
            is_operand(options[i].type) ? take_operand(context, &options[i], command) : CLI_GO_ON;
        if (code != CLI_GO_ON)
            return code;
    }
    const char *extra = poptPeekArg(context);
    if (!extra)
        return CLI_GO_ON;
    complain("unexpected argument '%s'; see %s --help", extra, command);
    return CLI_USAGE;
}

static int show_help(poptContext context, const struct cli_usage *usage)
{
    poptPrintHelp(context, stdout, 0);
    printf("\n%s", usage->examples);
    return CLI_OK;
}

int options_parse(int argc, const char **argv, const struct cli_option *options,
                  const struct cli_usage *usage, bool *given)
{
    struct poptOption table[MAX_OPTIONS + 2];
    fill_popt_table(options, table);
    poptContext context = poptGetContext(NULL, argc, argv, table, 0);
    if (!context) {
        complain("out of memory");
        return CLI_DEVICE;
    }
    poptSetOtherOptionHelp(context, usage->summary);
    int code = CLI_GO_ON, found;
    while (code == CLI_GO_ON && (found = poptGetNextOpt(context)) != -1) {
        if (found < -1)
            code = bad_option(context, found, options, argv[0]);
        else if (found == HELP)
            code = show_help(context, usage);
        else
            code = set_option(&options[found - 1], poptGetOptArg(context));
        if (given && found > 0 && found != HELP)
            given[found - 1] = true;
    }
    if (code == CLI_GO_ON)
        code = take_operands(context, options, argv[0]);
    poptFreeContext(context);
    return code;
}

void options_release(const struct cli_option *options)
{
    for (size_t i = 0; options[i].type != OPTION_END; i++) {
        if (is_text(options[i].type))
            keep_text(NULL, options[i].value);
        if (is_texts(options[i].type))
            release_texts(options[i].value);
    }
}

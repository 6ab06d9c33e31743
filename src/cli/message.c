/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "cli/cli.h"
#include "cli/interrupt.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void make_printable(char *text)
{
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
}

void complain(const char *format, ...)
{
    char text[sizeof((clnorm_error){0}.text)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    make_printable(text);
    fflush(stdout); /* what was printed before stands before it */
    fprintf(stderr, "clnorm: %s\n", text);
}

int exit_code_of(clnorm_status status)
{
    static const int codes[] = {
        [CLNORM_OK] = CLI_OK,
        [CLNORM_BAD_DESC] = CLI_USAGE,
        [CLNORM_BAD_ARGS] = CLI_USAGE,
        [CLNORM_NO_DEVICE] = CLI_DEVICE,
        [CLNORM_UNSUPPORTED] = CLI_DEVICE,
        [CLNORM_OUT_OF_MEMORY] = CLI_DEVICE,
        [CLNORM_BUILD_FAILED] = CLI_DEVICE,
        [CLNORM_OPENCL] = CLI_DEVICE,
        [CLNORM_FORKED] = CLI_DEVICE,
        [CLNORM_CANCELLED] = CLI_INTERRUPTED,
    };
    return (size_t)status < sizeof(codes) / sizeof(codes[0]) ? codes[status] : CLI_DEVICE;
}

/* A list with an entry per line becomes "a: b; c". */
static void join_lines(char *text)
{
    char *to = text;
    for (const char *from = text; *from;) {
        const size_t space = strspn(from, " \n");
        if (!memchr(from, '\n', space)) {
            *to++ = *from++;
            continue;
        }
        const bool is_list_item = to > text && to[-1] != ':';
        from += space;
        if (is_list_item && space > 1) /* else there is no room for both */
            *to++ = ';';
        *to++ = ' ';
    }
    *to = '\0';
}

/* The compiler's log in "... on DEVICE with OPTIONS: LOG"; NULL if there is none. */
static char *find_log(char *text)
{
    char *options = strstr(text, " with -");
    char *colon = options ? strstr(options, ": ") : NULL;
    return colon ? colon + 2 : NULL;
}

/* The line that names a kernel's source, from the name on; NULL if none does. */
static char *find_source_line(char *log)
{
    char *dot = strstr(log, ".cl:");
    while (dot && !isdigit((unsigned char)dot[4]))
        dot = strstr(dot + 1, ".cl:");
    while (dot && dot > log && !strchr(" \t\n", dot[-1]))
        dot--;
    return dot;
}

/* Without a source line it is the compiler that fails, not a kernel. */
static void build_failure_line(char *text, char *line, size_t bytes)
{
    enum { MOST = 240 };
    static const char hint[] = "see clnorm devices --doctor";
    char *log = find_log(text);
    char *source_line = log ? find_source_line(log) : NULL;
    if (source_line) {
        source_line[strcspn(source_line, "\n")] = '\0';
        snprintf(line, bytes, "%.*s; %.*s", MOST, source_line, (int)(log - 2 - text), text);
        return;
    }
    join_lines(log ? log : text);
    const int head = log ? (int)(log - text) : 0;
    snprintf(line, bytes, "%.*s%.*s; %s", head, text, MOST, text + head, hint);
}

void error_line(const clnorm_error *error, char line[ERROR_LINE])
{
    char text[sizeof(error->text)];
    snprintf(text, sizeof(text), "%s", error->text);
    if (error->status == CLNORM_BUILD_FAILED) {
        build_failure_line(text, line, ERROR_LINE);
    } else {
        join_lines(text);
        snprintf(line, ERROR_LINE, "%s", text);
    }
    make_printable(line);
}

int complain_error(const clnorm_error *error)
{
    /* The compiler inside of a driver removes its files on a signal, and so fails to build */
    if (error->status == CLNORM_CANCELLED || interrupt_pending()) {
        complain("interrupted");
        return CLI_INTERRUPTED;
    }
    char line[ERROR_LINE];
    error_line(error, line);
    complain("%s", line);
    return exit_code_of(error->status);
}

bool refuse(clnorm_error *error, const char *format, ...)
{
    *error = (clnorm_error){.status = CLNORM_BAD_ARGS};
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    make_printable(error->text);
    return false;
}

bool out_of_memory(clnorm_error *error, uint64_t bytes)
{
    refuse(error, "out of host memory: %" PRIu64 " bytes were asked for", bytes);
    error->status = CLNORM_OUT_OF_MEMORY;
    return false;
}

void log_warnings(void *user, clnorm_log_level level, const char *text)
{
    (void)user;
    if (level >= CLNORM_LOG_WARNING && !interrupt_pending())
        complain("warning: %s", text);
}

bool use_color(FILE *stream, bool no_color)
{
    const char *asked = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    if (no_color || (asked && *asked) || (term && strcmp(term, "dumb") == 0))
        return false;
    return isatty(fileno(stream));
}

unsigned terminal_width(FILE *stream)
{
    const char *columns = getenv("COLUMNS");
    const int wanted = columns ? atoi(columns) : 0;
    if (wanted > 0)
        return (unsigned)wanted;
    struct winsize size = {0};
    if (isatty(fileno(stream)) && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0)
        return size.ws_col;
    return 0;
}

int print_json(json_t *root)
{
    const int code = root ? json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : -1;
    json_decref(root);
    if (code != 0) {
        complain("cannot write the JSON output: %s", root ? "write error" : "out of memory");
        return root ? CLI_USAGE : CLI_DEVICE;
    }
    putchar('\n');
    return CLI_OK;
}

json_t *json_finite(double value) { return isfinite(value) ? json_real(value) : json_null(); }

json_t *json_text(const char *text)
{
    char ascii[1024];
    json_t *value = json_string(text);
    if (value)
        return value;
    snprintf(ascii, sizeof(ascii), "%s", text);
    for (char *c = ascii; *c; c++)
        if ((unsigned char)*c > 127)
            *c = '?';
    return json_string(ascii);
}

const char *json_text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

double json_number_at(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

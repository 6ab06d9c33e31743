/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cli/bench/report.h"

#include <stdlib.h>
#include <string.h>

/* What no shell takes for more than it is. */
static bool is_plain(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=.,:/@%";
    return *text && !text[strspn(text, plain)];
}

static void put_quoted(FILE *stream, const char *text)
{
    putc('\'', stream);
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", stream);
        else
            putc(*text, stream);
    putc('\'', stream);
}

char *bench_command(int argc, const char **argv)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    if (!stream)
        return NULL;
    for (int i = 0; i < argc; i++) {
        if (i > 0)
            putc(' ', stream);
        if (i == 0 || is_plain(argv[i])) /* the first is "clnorm bench" */
            fputs(argv[i], stream);
        else
            put_quoted(stream, argv[i]);
    }
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

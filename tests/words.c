/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <stdlib.h>
#include <string.h>

words words_open(const char *path)
{
    words r = {.path = path, .file = fopen(path, "r"), .line = 1};
    if (r.file)
        return r;
    perror(path);
    exit(1);
}

_Noreturn void words_refuse(const words *r, const char *wanted)
{
    fprintf(stderr, "%s:%u: '%s' instead of %s\n", r->path, r->line, r->word, wanted);
    exit(1);
}

static int next_char(words *r)
{
    const int c = getc(r->file);
    r->line += c == '\n';
    return c;
}

static bool is_space(int c) { return c == ' ' || c == '\n' || c == '\r'; }

bool words_more(words *r)
{
    size_t length = 0;
    int c = next_char(r);
    while (is_space(c) || c == '#') {
        while (c == '#' && c != EOF)
            while (c != '\n' && c != EOF)
                c = next_char(r);
        c = c == EOF ? c : next_char(r);
    }
    for (; c != EOF && !is_space(c); c = next_char(r)) {
        r->word[length++] = (char)c;
        r->word[length] = 0;
        if (length + 1 == sizeof(r->word))
            words_refuse(r, "a shorter word");
    }
    return length > 0;
}

const char *words_next(words *r)
{
    if (!words_more(r))
        words_refuse(r, "more words");
    return r->word;
}

bool words_is(const words *r, const char *text) { return strcmp(r->word, text) == 0; }

double words_number_of(const words *r, const char *text)
{
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end)
        words_refuse(r, "a number");
    return value;
}

double words_number(words *r)
{
    const char *text = words_next(r);
    return words_number_of(r, text);
}

uint64_t words_elements(const words *r)
{
    uint64_t count = 1;
    for (const char *at = r->word; at; at = strchr(at, 'x'), at = at ? at + 1 : at)
        count *= strtoull(at, NULL, 10);
    if (count == 0 || count > 10000)
        words_refuse(r, "a shape");
    return count;
}

/* SPDX-License-Identifier: MIT */
/* Files of words between white space, but for what follows a #. What is not as it must be ends the
 * program with the place in the file. */
#ifndef CLNORM_TESTS_WORDS_H
#define CLNORM_TESTS_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct words {
    const char *path;
    FILE *file; /* closed by the caller */
    unsigned line;
    char word[128]; /* the last one */
} words;

words words_open(const char *path);
/* The next word, if there is one. */
bool words_more(words *r);
/* The next word. */
const char *words_next(words *r);
/* Whether the last one is `text`. */
bool words_is(const words *r, const char *text);
/* The next word as a number, as strtod reads it. */
double words_number(words *r);
double words_number_of(const words *r, const char *text);
/* The last word, such as 3x5, as a number of elements. */
uint64_t words_elements(const words *r);
_Noreturn void words_refuse(const words *r, const char *wanted);

#endif

/* SPDX-License-Identifier: MIT */
/* A case of `bench` is its text, such as
 *
 *   layer_norm f32 forward 4096x768 cold
 *   group_norm/nchw f16 backward 2x1310720 channels=320 groups=32 warm
 *
 * in any order of its words; f32, forward and cold may be left out. */
#ifndef CLNORM_CLI_BENCH_CASE_H
#define CLNORM_CLI_BENCH_CASE_H

#include "check/bench.h"
#include "cli/cli.h"

enum { BENCH_NAME = 192, BENCH_NUMBERS = 3 };

/* A text while it is read. */
struct bench_words {
    const clnorm_variant *variant; /* NULL: not given */
    int dtype, direction, warm; /* -1: not given */
    uint64_t rows, cols;
    bool has_shape;
    uint64_t number[BENCH_NUMBERS]; /* channels and so on */
    bool has_number[BENCH_NUMBERS];
    bool is_repeated; /* a word was the second of its kind */
};

#define BENCH_NO_WORDS ((struct bench_words){.dtype = -1, .direction = -1, .warm = -1})

/* The next word of a text, or of a comma list; false at its end. */
bool bench_next_word(const char **text, const char *between, char *word, size_t bytes);
/* false: it is none that a case may have. The second of a kind takes the place of the first. */
bool bench_take_word(const char *word, struct bench_words *words);
/* false: not a whole case, which may be a filter. */
bool bench_read_words(const char *text, struct bench_words *words);
bool bench_case_make(const struct bench_words *words, clnorm_bench_case *c, clnorm_error *error);

/* Every word of the case, in the order above. */
void bench_case_name(const clnorm_bench_case *c, char name[BENCH_NAME]);

#endif

/* SPDX-License-Identifier: MIT */
#include "cli/bench/case.h"
#include "check/cases.h"

#include <inttypes.h>
#include <string.h>

/* More than any device has: what follows need not think of numbers that wrap around. */
static const uint64_t most_elements = (uint64_t)1 << 40;

static const char *const cache_names[] = {"cold", "warm"};

/* ---- a case and its text ------------------------------------------------------------------- */

/* What a text may say beside the words: NAME=N. */
static const struct {
    const char *name;
    size_t place; /* of a uint64_t in the descriptor */
} numbers[BENCH_NUMBERS] = {
    {"channels", offsetof(clnorm_desc, channels)},
    {"groups", offsetof(clnorm_desc, groups)},
    {"rows_per_mod", offsetof(clnorm_desc, rows_per_mod)},
};
static uint64_t number_of(const clnorm_desc *desc, size_t i)
{
    uint64_t number;
    memcpy(&number, (const char *)desc + numbers[i].place, sizeof(number));
    return number;
}

static void set_numbers(const struct bench_words *words, clnorm_desc *desc)
{
    for (size_t i = 0; i < BENCH_NUMBERS; i++)
        if (words->has_number[i])
            memcpy((char *)desc + numbers[i].place, &words->number[i], sizeof(uint64_t));
}

void bench_case_name(const clnorm_bench_case *c, char name[BENCH_NAME])
{
    size_t used = (size_t)snprintf(name, BENCH_NAME, "%s %s %s %" PRIu64 "x%" PRIu64,
                                   c->variant->name, clnorm_dtype_name(c->desc.x_dtype),
                                   clnorm_direction_name(c->direction), c->rows, c->desc.cols);
    for (size_t i = 0; i < BENCH_NUMBERS && used < BENCH_NAME; i++)
        if (number_of(&c->desc, i))
            used += (size_t)snprintf(name + used, BENCH_NAME - used, " %s=%" PRIu64,
                                     numbers[i].name, number_of(&c->desc, i));
    if (used < BENCH_NAME)
        snprintf(name + used, BENCH_NAME - used, " %s", cache_names[c->warm]);
}

static bool parse_shape_word(const char *word, struct bench_words *words)
{
    uint64_t rows, cols;
    if (!parse_digits(&word, &rows) || *word++ != 'x' || !parse_digits(&word, &cols) || *word)
        return false;
    words->is_repeated |= words->has_shape;
    words->rows = rows;
    words->cols = cols;
    words->has_shape = true;
    return true;
}

static bool parse_number_word(const char *word, struct bench_words *words)
{
    for (size_t i = 0; i < BENCH_NUMBERS; i++) {
        const size_t length = strlen(numbers[i].name);
        if (strncmp(word, numbers[i].name, length) || word[length] != '=')
            continue;
        const char *digits = word + length + 1;
        words->is_repeated |= words->has_number[i];
        words->has_number[i] = parse_digits(&digits, &words->number[i]) && !*digits;
        return words->has_number[i];
    }
    return false;
}

static int dtype_of(const char *word)
{
    for (int dtype = CLNORM_F32; dtype <= CLNORM_F64; dtype++)
        if (!strcmp(word, clnorm_dtype_name((clnorm_dtype)dtype)))
            return dtype;
    return -1;
}

static int direction_of(const char *word)
{
    for (int i = CLNORM_FORWARD; i <= CLNORM_BACKWARD; i++)
        if (!strcmp(word, clnorm_direction_name((clnorm_direction)i)))
            return i;
    return -1;
}

static int cache_of(const char *word)
{
    for (int i = 0; i < 2; i++)
        if (!strcmp(word, cache_names[i]))
            return i;
    return -1;
}

static bool take_variant(const char *word, struct bench_words *words)
{
    const clnorm_variant *found = clnorm_variant_find(word);
    words->is_repeated |= found && words->variant;
    words->variant = found ? found : words->variant;
    return found != NULL;
}

static bool take_place(int *place, int found, struct bench_words *words)
{
    words->is_repeated |= found >= 0 && *place >= 0;
    *place = found >= 0 ? found : *place;
    return found >= 0;
}

bool bench_take_word(const char *word, struct bench_words *words)
{
    return take_variant(word, words) || take_place(&words->dtype, dtype_of(word), words) ||
           take_place(&words->direction, direction_of(word), words) ||
           take_place(&words->warm, cache_of(word), words) || parse_shape_word(word, words) ||
           parse_number_word(word, words);
}

bool bench_case_make(const struct bench_words *words, clnorm_bench_case *c, clnorm_error *error)
{
    if (words->rows == 0 || words->cols == 0 || words->rows > most_elements / words->cols)
        return refuse(error, "a case of %" PRIu64 "x%" PRIu64 "; allowed are 1 to 2^40 elements",
                      words->rows, words->cols);
    const clnorm_check_shape shape = clnorm_check_shape_of(words->rows, words->cols);
    const clnorm_dtype dtype = words->dtype < 0 ? CLNORM_F32 : (clnorm_dtype)words->dtype;
    *c = (clnorm_bench_case){.variant = words->variant,
                             .desc = clnorm_variant_desc(words->variant, &shape),
                             .direction = words->direction == 1 ? CLNORM_BACKWARD : CLNORM_FORWARD,
                             .rows = words->rows,
                             .warm = words->warm == 1};
    set_numbers(words, &c->desc);
    c->desc.x_dtype = c->desc.param_dtype = dtype;
    if (!c->desc.quant)
        c->desc.y_dtype = dtype;
    const bool forward_only = c->variant->only_forward, backward_only = c->variant->only_backward;
    if (c->direction == CLNORM_BACKWARD ? forward_only : backward_only)
        return refuse(error, "%s has no cases %s", c->variant->name,
                      clnorm_direction_name(c->direction));
    return clnorm_desc_check(&c->desc, error) == CLNORM_OK;
}

bool bench_next_word(const char **text, const char *between, char *word, size_t bytes)
{
    *text += strspn(*text, between);
    const size_t length = strcspn(*text, between);
    snprintf(word, bytes, "%.*s", (int)length, *text);
    *text += length;
    return length > 0;
}

bool bench_read_words(const char *text, struct bench_words *words)
{
    char word[BENCH_NAME];
    *words = BENCH_NO_WORDS;
    while (bench_next_word(&text, " ", word, sizeof(word)))
        if (!bench_take_word(word, words))
            return false;
    return words->variant && words->has_shape;
}

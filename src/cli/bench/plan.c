/* SPDX-License-Identifier: MIT */
#include "cli/bench/plan.h"
#include "base/kind.h"
#include "check/cases.h"
#include "cli/bench/presets.h"

#include <stdlib.h>
#include <string.h>

/* ---- the plan ------------------------------------------------------------------------------ */

/* For one more case. */
static bool make_room(struct bench_plan *plan, clnorm_error *error)
{
    const size_t bytes = (plan->n + 1) * (sizeof(plan->cases[0]) + sizeof(plan->names[0]));
    void *const cases = realloc(plan->cases, (plan->n + 1) * sizeof(plan->cases[0]));
    plan->cases = cases ? cases : plan->cases;
    void *const names = realloc(plan->names, (plan->n + 1) * sizeof(plan->names[0]));
    plan->names = names ? names : plan->names;
    return (cases && names) || out_of_memory(error, bytes);
}

static bool add(struct bench_plan *plan, const clnorm_bench_case *c, clnorm_error *error)
{
    enum { MOST = 4096 };
    char name[BENCH_NAME];
    bench_case_name(c, name);
    for (size_t i = 0; i < plan->n; i++)
        if (!strcmp(name, plan->names[i]))
            return true;
    if (plan->n == MOST)
        return refuse(error, "more than %d cases; allowed are fewer", MOST);
    if (!make_room(plan, error))
        return false;
    memcpy(plan->names[plan->n], name, BENCH_NAME);
    plan->cases[plan->n++] = *c;
    return true;
}

void bench_plan_release(struct bench_plan *plan)
{
    free(plan->cases);
    free(plan->names);
    *plan = (struct bench_plan){.n = 0};
}

/* As a whole word, or an operator without what it is switched to. */
static bool has_word(const char *name, const char *word)
{
    char one[BENCH_NAME];
    while (bench_next_word(&name, " ", one, sizeof(one))) {
        const size_t length = strlen(word);
        if (!strncmp(one, word, length) && strchr("+/", one[length]))
            return true; /* also at its end */
    }
    return false;
}

static bool has_all_words(const char *name, const char *text)
{
    char word[BENCH_NAME];
    while (bench_next_word(&text, " ", word, sizeof(word)))
        if (!has_word(name, word))
            return false;
    return true;
}

/* One of a comma list; NULL: anything. */
static bool is_listed(const char *list, const char *name)
{
    char word[BENCH_NAME];
    if (!list)
        return true;
    while (bench_next_word(&list, ",", word, sizeof(word)))
        if (!strcmp(word, name))
            return true;
    return false;
}

static bool is_wanted(const struct bench_wishes *w, const clnorm_bench_case *c)
{
    char name[BENCH_NAME];
    const char *const kind = clnorm_kind_name(c->variant->set.kind);
    bench_case_name(c, name);
    bool texts = w->texts->n == 0;
    for (size_t i = 0; i < w->texts->n; i++)
        texts = texts || has_all_words(name, w->texts->list[i]);
    return texts && (is_listed(w->op, c->variant->name) || is_listed(w->op, kind)) &&
           is_listed(w->dtype, clnorm_dtype_name(c->desc.x_dtype)) &&
           is_listed(w->direction, clnorm_direction_name(c->direction));
}

/* Each case of the preset, cold, or as --cache has it. */
static bool add_preset(const struct bench_wishes *w, struct bench_plan *plan, clnorm_error *error)
{
    const char *const *texts = bench_preset(plan->preset);
    for (; *texts; texts++)
        for (int warm = 0; warm < 2; warm++) {
            struct bench_words words;
            clnorm_bench_case c;
            bench_read_words(*texts, &words);
            words.warm = warm;
            if (!is_listed(w->cache ? w->cache : "cold", warm ? "warm" : "cold"))
                continue;
            if (!bench_case_make(&words, &c, error) || (is_wanted(w, &c) && !add(plan, &c, error)))
                return false;
        }
    return true;
}

/* ---- products ------------------------------------------------------------------------------ */

/* first-last*factor, first-last+step, or one number. */
struct range {
    uint64_t first, last, factor, step;
};

static bool parse_range(const char **text, struct range *r)
{
    *r = (struct range){.factor = 1, .step = 1};
    if (!parse_digits(text, &r->first))
        return false;
    r->last = r->first;
    if (**text != '-')
        return true;
    ++*text;
    if (!parse_digits(text, &r->last) || (**text != '*' && **text != '+'))
        return false;
    const bool multiplies = *(*text)++ == '*';
    uint64_t by;
    if (!parse_digits(text, &by) || by < (multiplies ? 2 : 1) || r->last < r->first ||
        (multiplies && r->first == 0))
        return false;
    *(multiplies ? &r->factor : &r->step) = by;
    return true;
}

/* false: that was the last one. */
static bool next_in(const struct range *r, uint64_t *value)
{
    const uint64_t room = r->last - *value;
    const bool goes_on =
        r->factor > 1 ? *value <= r->last / r->factor : room > 0 && r->step <= room;
    if (goes_on)
        *value = r->factor > 1 ? *value * r->factor : *value + r->step;
    return goes_on;
}

struct product {
    const struct bench_wishes *wishes;
    struct bench_plan *plan;
};

/* Variants without the direction that is asked for are left out of a product. */
static bool add_words(const struct product *p, const struct bench_words *words, clnorm_error *error)
{
    clnorm_bench_case c;
    const bool backward = words->direction == CLNORM_BACKWARD;
    if (backward ? words->variant->only_forward : words->variant->only_backward)
        return true;
    return bench_case_make(words, &c, error) && add(p->plan, &c, error);
}

static bool add_shapes(const struct product *p, const struct bench_words *rest, clnorm_error *error)
{
    struct bench_words words = *rest;
    const char *list = p->wishes->shape;
    char word[BENCH_NAME];
    while (bench_next_word(&list, ",", word, sizeof(word))) {
        const char *text = word;
        struct range rows, cols;
        if (!parse_range(&text, &rows) || *text++ != 'x' || !parse_range(&text, &cols) || *text)
            return refuse(error,
                          "--shape '%s': must be ROWSxCOLS, each a number or a range such as "
                          "256-16384*2 or 100-1000+100",
                          word);
        words.rows = rows.first;
        do {
            words.cols = cols.first;
            do {
                if (!add_words(p, &words, error))
                    return false;
            } while (next_in(&cols, &words.cols));
        } while (next_in(&rows, &words.rows));
    }
    return true;
}

/* The lists that words are taken from, the outermost first. */
static bool add_product(const struct product *p, const struct bench_words *words, unsigned level,
                        clnorm_error *error)
{
    const struct bench_wishes *w = p->wishes;
    const char *lists[] = {w->op ? w->op : "layer_norm", w->dtype ? w->dtype : "f32",
                           w->direction ? w->direction : "forward", w->cache ? w->cache : "cold"};
    if (level == sizeof(lists) / sizeof(lists[0]))
        return add_shapes(p, words, error);
    const char *list = lists[level];
    char word[BENCH_NAME];
    while (bench_next_word(&list, ",", word, sizeof(word))) {
        struct bench_words more = *words;
        if (!bench_take_word(word, &more) || !add_product(p, &more, level + 1, error))
            return false;
    }
    return true;
}

/* ---- what may be asked for ----------------------------------------------------------------- */

static bool is_op(const char *word)
{
    size_t count;
    const clnorm_variant *variants = clnorm_variants(&count);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(word, variants[i].name) ||
            !strcmp(word, clnorm_kind_name(variants[i].set.kind)))
            return true;
    return false;
}

static bool is_variant(const char *word) { return clnorm_variant_find(word) != NULL; }

static bool is_dtype(const char *word)
{
    struct bench_words words = BENCH_NO_WORDS;
    return bench_take_word(word, &words) && words.dtype >= 0;
}

static bool is_direction(const char *word)
{
    struct bench_words words = BENCH_NO_WORDS;
    return bench_take_word(word, &words) && words.direction >= 0;
}

static bool is_cache(const char *word)
{
    struct bench_words words = BENCH_NO_WORDS;
    return bench_take_word(word, &words) && words.warm >= 0;
}

/* is: of a word; NULL: they are looked at later. */
static bool check_list(const char *option, const char *list, bool (*is)(const char *word),
                       const char *allowed, clnorm_error *error)
{
    char word[BENCH_NAME];
    if (list && !list[strspn(list, ",")])
        return refuse(error, "--%s '%s': must be a list of %s", option, list, allowed);
    while (list && is && bench_next_word(&list, ",", word, sizeof(word)))
        if (!is(word))
            return refuse(error, "--%s '%s': must be of %s", option, word, allowed);
    return true;
}

static bool check_lists(const struct bench_wishes *w, clnorm_error *error)
{
    const char *ops = "what clnorm check lists, such as layer_norm,rms_norm,layer_norm+residual";
    return check_list("op", w->op, w->shape ? is_variant : is_op, ops, error) &&
           check_list("dtype", w->dtype, is_dtype, "f32,f16,bf16,f64", error) &&
           check_list("direction", w->direction, is_direction, "forward,backward", error) &&
           check_list("shape", w->shape, NULL, "ROWSxCOLS, such as 4096x768,1024x256-16384*2",
                      error) &&
           check_list("cache", w->cache, is_cache, "cold,warm", error);
}

bool bench_is_case(const char *text)
{
    struct bench_words words;
    return bench_read_words(text, &words);
}

/* The first text that is a whole case, or is not; NULL: there is none. */
static const char *find_text(const struct bench_wishes *w, bool whole)
{
    for (size_t i = 0; i < w->texts->n; i++)
        if (bench_is_case(w->texts->list[i]) == whole)
            return w->texts->list[i];
    return NULL;
}

/* A whole case has all its words itself, and words choose among cases of a preset. */
static bool check_combination(const struct bench_wishes *w, clnorm_error *error)
{
    const char *const whole = find_text(w, true), *const words = find_text(w, false);
    const struct {
        const char *option, *value;
    } others[] = {{"op", w->op},       {"dtype", w->dtype}, {"direction", w->direction},
                  {"shape", w->shape}, {"cache", w->cache}, {"preset", words ? NULL : w->preset}};
    for (size_t i = 0; whole && i < sizeof(others) / sizeof(others[0]); i++)
        if (others[i].value)
            return refuse(error,
                          "--%s '%s': means nothing for '%s', which is a whole case; allowed are "
                          "its words in the case, or the option without a case",
                          others[i].option, others[i].value, whole);
    if (w->shape && w->preset)
        return refuse(error, "--shape and --preset are given; allowed is one of them");
    if (w->shape && words)
        return refuse(error,
                      "'%s' with --shape: words choose among the cases of a preset; allowed are "
                      "--op, --dtype, --direction and --cache",
                      words);
    return true;
}

/* An empty text would choose all cases; of two words of a kind only one can be meant. */
static bool check_text(const char *text, clnorm_error *error)
{
    struct bench_words words = BENCH_NO_WORDS;
    const char *rest = text;
    char word[BENCH_NAME];
    if (!text[strspn(text, " ")])
        return refuse(error, "'%s': must be a case, or words that cases of the preset have", text);
    while (bench_next_word(&rest, " ", word, sizeof(word)))
        if (bench_take_word(word, &words) && words.is_repeated)
            return refuse(error,
                          "'%s': '%s' is the second word of its kind; allowed is one operator, "
                          "dtype, direction, shape and so on",
                          text, word);
    return true;
}

static bool check_texts(const struct cli_texts *texts, clnorm_error *error)
{
    for (size_t i = 0; i < texts->n; i++)
        if (!check_text(texts->list[i], error))
            return false;
    return true;
}

static bool check_wishes(const struct bench_wishes *w, clnorm_error *error)
{
    if (w->preset && !bench_preset(w->preset))
        return refuse(error, "--preset '%s': must be %s", w->preset, BENCH_PRESETS);
    return check_lists(w, error) && check_texts(w->texts, error) && check_combination(w, error);
}

/* The texts that are whole cases. */
static bool add_texts(const struct bench_wishes *w, struct bench_plan *plan, clnorm_error *error)
{
    for (size_t i = 0; i < w->texts->n; i++) {
        struct bench_words words;
        clnorm_bench_case c;
        if (bench_read_words(w->texts->list[i], &words) &&
            (!bench_case_make(&words, &c, error) || !add(plan, &c, error)))
            return false;
    }
    return true;
}

bool bench_plan_make(const struct bench_wishes *w, struct bench_plan *plan, clnorm_error *error)
{
    struct bench_words words = BENCH_NO_WORDS;
    if (!check_wishes(w, error) || !add_texts(w, plan, error))
        return false;
    const struct product product = {w, plan};
    if (!w->shape && (w->texts->n == 0 || find_text(w, false)))
        plan->preset = w->preset ? w->preset : "smoke";
    if (w->shape && !add_product(&product, &words, 0, error))
        return false;
    if (plan->preset && !add_preset(w, plan, error))
        return false;
    if (plan->n == 0 && w->shape)
        return refuse(error, "--shape '%s': none of --op has cases %s; see --direction", w->shape,
                      w->direction ? w->direction : "forward");
    if (plan->n == 0)
        return refuse(error,
                      "no case of the preset %s is one of those that are asked for%s%s%s; see "
                      "clnorm bench --list",
                      plan->preset, w->texts->n ? ": '" : "", w->texts->n ? w->texts->list[0] : "",
                      w->texts->n ? "'" : "");
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "cli/compare/compare.h"
#include "cli/result/rounds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double moved_margin = 0.05;

/* ---- values -------------------------------------------------------------------------------- */

/* Speeds are the inverse of times: their logarithms have the mean's other sign. */
static bool read_spread(struct compare_value *value, bool by_time, clnorm_error *error)
{
    struct result_rounds rounds;
    const bool ok = result_rounds_read(&rounds, value->result, error);
    if (ok) {
        value->spread = clnorm_log_spread_of(by_time ? rounds.seconds : rounds.of_copy, rounds.n);
        value->spread.mean *= by_time ? -1 : 1;
    }
    result_rounds_release(&rounds);
    return ok;
}

static bool read_value(struct compare_value *value, const json_t *result, bool by_time,
                       clnorm_error *error)
{
    *value = (struct compare_value){.result = result};
    value->is_ok = !strcmp(json_text_at(result, "status"), "ok");
    value->is_wrong = !strcmp(json_text_at(result, "status"), "wrong");
    if (!value->is_ok)
        return true;
    value->is_launch_bound = json_is_true(json_object_get(result, "launch_bound"));
    value->copy = json_text_at(result, "copy_variant");
    value->seconds = json_number_at(json_object_get(result, "seconds"), "median");
    value->copy_seconds = json_number_at(result, "copy_seconds");
    value->of_copy = json_number_at(result, "of_copy");
    value->bytes_per_second = json_number_at(result, "bytes_per_second");
    return read_spread(value, by_time, error);
}

/* ---- matching ------------------------------------------------------------------------------ */

enum { NAME_ROOM = 512 };

/* The same case in the other regime: "... cold" and "... warm". */
static bool other_regime(const char *name, char other[NAME_ROOM])
{
    const size_t length = strlen(name);
    if (length < 5 || length >= NAME_ROOM)
        return false;
    const char *last = name + length - 5;
    const bool is_cold = !strcmp(last, " cold"), is_warm = !strcmp(last, " warm");
    snprintf(other, NAME_ROOM, "%.*s%s", (int)(length - 5), name, is_cold ? " warm" : " cold");
    return is_cold || is_warm;
}

static bool refuse_mixture(const char *name, clnorm_error *error)
{
    return refuse(error,
                  "'%s': its data are in the cache on one side and not on the other, which says "
                  "nothing of the kernels; measure both cold or both warm, or give --force",
                  name);
}

/* The result of B for a case of A; *found stays NULL where there is none. What B has under its own
 * name in A is not taken for another. */
static bool find_counterpart(const struct compare_side *a, const struct compare_side *b,
                             const char *name, bool force, const json_t **found,
                             clnorm_error *error)
{
    char other[NAME_ROOM];
    const char *cache = json_text_at(json_object_get(a->cases, name), "cache");
    *found = json_object_get(b->cases, name);
    if (!*found && other_regime(name, other) && !json_object_get(a->cases, other))
        *found = json_object_get(b->cases, other);
    const bool is_mixed = *found && strcmp(json_text_at(*found, "cache"), cache) != 0;
    return !is_mixed || force || refuse_mixture(name, error);
}

static bool has_row_of(const struct comparison *c, const json_t *result)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->rows[i].b.result == result)
            return true;
    return false;
}

static bool add_row(struct comparison *c, const char *name, const json_t *of_a, const json_t *of_b,
                    bool by_time, clnorm_error *error)
{
    struct compare_row *row = &c->rows[c->n++];
    *row = (struct compare_row){.name = name};
    return read_value(&row->a, of_a, by_time, error) && read_value(&row->b, of_b, by_time, error);
}

static bool match_cases(struct comparison *c, const struct compare_rules *rules,
                        clnorm_error *error)
{
    const char *name;
    json_t *result;
    bool ok = true;
    json_object_foreach(c->a->cases, name, result)
    {
        const json_t *of_b = NULL;
        ok = ok && find_counterpart(c->a, c->b, name, rules->force, &of_b, error) &&
             add_row(c, name, result, of_b, rules->by_time, error);
    }
    json_object_foreach(c->b->cases, name, result)
    {
        const bool is_known = ok && (json_object_get(c->a->cases, name) || has_row_of(c, result));
        ok = ok && (is_known || add_row(c, name, NULL, result, rules->by_time, error));
    }
    return ok;
}

/* ---- all rows ------------------------------------------------------------------------------ */

/* Several cases differ by what they are, too, so that the interval is that of a mean over cases; of
 * one case it is its own. */
static void summarize(struct comparison *c, double *factors)
{
    clnorm_log_spread spread;
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->rows[i].a.is_ok && c->rows[i].b.is_ok)
            factors[n++] = c->rows[i].factor;
    c->n_both = n;
    c->interval[0] = c->interval[1] = NAN;
    if (n == 0)
        return;
    spread = clnorm_log_spread_of(factors, n);
    c->factor = exp(spread.mean);
    if (n > 1)
        clnorm_log_interval(&spread, c->interval);
    for (size_t i = 0; n == 1 && i < c->n; i++)
        if (c->rows[i].a.is_ok && c->rows[i].b.is_ok)
            memcpy(c->interval, c->rows[i].interval, sizeof(c->interval));
}

/* Launches say nothing of memory. */
static void find_copy_move(struct comparison *c, double *factors)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        const struct compare_value *a = &c->rows[i].a, *b = &c->rows[i].b;
        if (a->is_ok && b->is_ok && !a->is_launch_bound && !b->is_launch_bound)
            factors[n++] = a->copy_seconds / b->copy_seconds;
    }
    c->copy_factor = n ? clnorm_median(factors, n) : 1;
    c->copy_moved = clnorm_is_effect(c->copy_factor, moved_margin);
}

static bool count_rows(struct comparison *c, clnorm_error *error)
{
    const size_t bytes = (c->n + 1) * sizeof(double);
    double *factors = malloc(bytes);
    if (!factors)
        return out_of_memory(error, bytes);
    for (size_t i = 0; i < c->n; i++) {
        c->count[c->rows[i].verdict]++;
        c->n_tested += c->rows[i].is_tested;
    }
    summarize(c, factors);
    find_copy_move(c, factors);
    free(factors);
    return true;
}

bool comparison_make(struct comparison *c, const struct compare_side *a,
                     const struct compare_side *b, const struct compare_rules *rules,
                     clnorm_error *error)
{
    const size_t most = json_object_size(a->cases) + json_object_size(b->cases) + 1;
    *c = (struct comparison){.a = a, .b = b};
    c->rows = malloc(most * sizeof(c->rows[0]));
    if (!c->rows)
        return out_of_memory(error, most * sizeof(c->rows[0]));
    return (rules->force || compare_models_agree(a, b, error)) && match_cases(c, rules, error) &&
           (compare_judge(c->rows, c->n, rules) || out_of_memory(error, c->n * sizeof(double))) &&
           count_rows(c, error);
}

void comparison_release(struct comparison *c)
{
    free(c->rows);
    *c = (struct comparison){0};
}

/* ---- texts --------------------------------------------------------------------------------- */

void compare_factor_text(double factor, char text[COMPARE_FACTOR_TEXT])
{
    snprintf(text, COMPARE_FACTOR_TEXT, factor < 0.1 ? "%.2g" : "%.2f", factor);
}

void compare_interval_text(double factor, const double interval[2],
                           char text[COMPARE_INTERVAL_TEXT])
{
    char middle[COMPARE_FACTOR_TEXT], low[COMPARE_FACTOR_TEXT], high[COMPARE_FACTOR_TEXT];
    compare_factor_text(factor, middle);
    compare_factor_text(interval[0], low);
    compare_factor_text(interval[1], high);
    if (isnan(interval[0]))
        snprintf(text, COMPARE_INTERVAL_TEXT, "%s", middle);
    else
        snprintf(text, COMPARE_INTERVAL_TEXT, "%s (%s-%s)", middle, low, high);
}

static size_t summary_of_factor(const struct comparison *c, char *text, size_t room)
{
    char factor[COMPARE_INTERVAL_TEXT];
    if (c->n_both == 0)
        return (size_t)snprintf(text, room, "no case is measured on both %s and %s", c->a->label,
                                c->b->label);
    compare_interval_text(c->factor, c->interval, factor);
    const size_t digits = strcspn(factor, " ");
    return (size_t)snprintf(text, room, "%s is %.*sx%s as fast as %s over %zu case%s", c->b->label,
                            (int)digits, factor, factor + digits, c->a->label, c->n_both,
                            c->n_both == 1 ? "" : "s");
}

void comparison_summary(const struct comparison *c, char *text, size_t room)
{
    const char *separator = "; ";
    size_t used = summary_of_factor(c, text, room);
    for (int i = 0; i < COMPARE_NEITHER && used < room; i++) {
        const bool is_always = i == COMPARE_FAST || i == COMPARE_SLOW || i == COMPARE_UNSURE;
        if (!is_always && c->count[i] == 0)
            continue;
        used += (size_t)snprintf(text + used, room - used, "%s%zu %s", separator, c->count[i],
                                 compare_verdict_names[i]);
        separator = ", ";
    }
}

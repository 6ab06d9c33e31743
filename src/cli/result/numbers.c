/* SPDX-License-Identifier: MIT */
/* What the numbers of a result must be, as its rounds are what they are. */
#include "cli/result/numbers.h"
#include "cli/result/about.h"
#include "cli/result/rounds.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

/* Numbers are written with 9 digits at least. The noise is a difference of numbers close to 1, so
 * that their last digit is one of its own. */
static const double tolerance = 1e-6, noise_slack = 1e-7;

void result_say(struct result_problems *problems, const char *key, const char *format, ...)
{
    char path[128], text[512];
    va_list args;
    problems->found++;
    if (!problems->problem)
        return;
    snprintf(path, sizeof(path), "results[%zu].%s", problems->place, key);
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    problems->problem(problems->user, path, text);
}

static void expect(struct result_problems *problems, const char *key, const json_t *value,
                   double must, double slack)
{
    const double is = json_number_value(value);
    if (!(fabs(is - must) <= tolerance * fabs(must) + slack))
        result_say(problems, key, "is %.9g; of the rounds it is %.9g", is, must);
}

static void expect_interval(struct result_problems *problems, const char *key,
                            const json_t *interval, clnorm_log_spread spread)
{
    double must[2];
    char path[64];
    if (spread.n < 2 || json_is_null(interval))
        return;
    clnorm_log_interval(&spread, must);
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s[%zu]", key, i);
        expect(problems, path, json_array_get(interval, i), must[i], 0);
    }
}

/* ---- all samples of a result --------------------------------------------------------------- */

static size_t count_samples(const json_t *rounds)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(rounds); i++)
        n += json_array_size(json_object_get(json_array_get(rounds, i), "seconds"));
    return n;
}

/* n of them, sorted. NULL: out of memory. To be freed. */
static double *all_samples(const json_t *rounds, size_t n)
{
    double *samples = malloc(n * sizeof(*samples));
    size_t at = 0;
    for (size_t i = 0; samples && i < json_array_size(rounds); i++) {
        const json_t *some = json_object_get(json_array_get(rounds, i), "seconds");
        for (size_t k = 0; k < json_array_size(some); k++)
            samples[at++] = json_number_value(json_array_get(some, k));
    }
    if (samples)
        qsort(samples, n, sizeof(*samples), clnorm_ascending);
    return samples;
}

static bool check_samples(struct result_problems *problems, const json_t *result)
{
    static const struct {
        const char *path, *key;
        double share;
    } quantiles[] = {{"seconds.min", "min", 0},
                     {"seconds.q1", "q1", 0.25},
                     {"seconds.q3", "q3", 0.75},
                     {"seconds.p99", "p99", 0.99}};
    const json_t *rounds = json_object_get(result, "rounds");
    const json_t *seconds = json_object_get(result, "seconds");
    const size_t n = count_samples(rounds);
    double *samples = all_samples(rounds, n);
    for (size_t i = 0; samples && i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
        expect(problems, quantiles[i].path, json_object_get(seconds, quantiles[i].key),
               clnorm_quantile(samples, n, quantiles[i].share), 0);
    expect(problems, "seconds.samples", json_object_get(seconds, "samples"), (double)n, 0);
    free(samples);
    return samples != NULL;
}

/* Each sample has a copy beside it. */
static bool check_pairs(struct result_problems *problems, const json_t *result)
{
    const json_t *rounds = json_object_get(result, "rounds");
    const size_t found = problems->found;
    char path[64];
    for (size_t i = 0; i < json_array_size(rounds); i++) {
        const json_t *round = json_array_get(rounds, i);
        const size_t calls = json_array_size(json_object_get(round, "seconds"));
        const size_t copies = json_array_size(json_object_get(round, "copy_seconds"));
        snprintf(path, sizeof(path), "rounds[%zu].copy_seconds", i);
        if (calls != copies)
            result_say(problems, path, "has %zu numbers; seconds has %zu", copies, calls);
    }
    return problems->found == found;
}

/* ---- medians of rounds --------------------------------------------------------------------- */

static void check_launch_bound(struct result_problems *problems, const json_t *result,
                               double seconds, double empty)
{
    const json_t *flag = json_object_get(result, "launch_bound");
    const double limit = 3 * empty;
    const bool is_close = fabs(seconds - limit) <= tolerance * limit;
    if (json_is_boolean(flag) && limit > 0 && !is_close && json_is_true(flag) != (seconds < limit))
        result_say(problems, "launch_bound",
                   "is wrong: the median is %.9g seconds, and three empty kernels of the run %.9g",
                   seconds, limit);
}

/* Changes the order of the rounds. */
static void check_medians(struct result_problems *problems, const json_t *result,
                          struct result_rounds *rounds)
{
    const json_t *seconds = json_object_get(result, "seconds");
    const json_t *noise = json_object_get(seconds, "noise");
    const clnorm_log_spread times = clnorm_log_spread_of(rounds->seconds, rounds->n);
    const clnorm_log_spread shares = clnorm_log_spread_of(rounds->of_copy, rounds->n);
    const double bytes = json_number_value(json_object_get(result, "bytes"));
    const double median = clnorm_median(rounds->seconds, rounds->n);
    const double copy = clnorm_median(rounds->copy_seconds, rounds->n);
    const struct {
        const char *path;
        const json_t *value;
        double must;
    } values[] = {
        {"seconds.median", json_object_get(seconds, "median"), median},
        {"bytes_per_second", json_object_get(result, "bytes_per_second"), bytes / median},
        {"copy_seconds", json_object_get(result, "copy_seconds"), copy},
        {"copy_bytes_per_second", json_object_get(result, "copy_bytes_per_second"),
         json_number_at(result, "copy_bytes") / copy},
        {"of_copy", json_object_get(result, "of_copy"), clnorm_median(rounds->of_copy, rounds->n)},
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        expect(problems, values[i].path, values[i].value, values[i].must, 0);
    if (rounds->n > 1 && !json_is_null(noise))
        expect(problems, "seconds.noise", noise, times.sd, noise_slack);
    expect_interval(problems, "seconds.interval", json_object_get(seconds, "interval"), times);
    expect_interval(problems, "of_copy_interval", json_object_get(result, "of_copy_interval"),
                    shares);
}

/* empty: seconds of an empty kernel in the same run; 0: nobody knows. */
static bool check_measured(struct result_problems *problems, const json_t *result, double empty)
{
    struct result_rounds rounds;
    clnorm_error error;
    bool ok = result_rounds_read(&rounds, result, &error);
    if (ok) {
        check_medians(problems, result, &rounds);
        check_launch_bound(problems, result,
                           json_number_at(json_object_get(result, "seconds"), "median"), empty);
        ok = check_samples(problems, result);
    }
    result_rounds_release(&rounds);
    return ok;
}

/* ---- all results --------------------------------------------------------------------------- */

size_t result_check_numbers(const json_t *document, result_problem_fn *problem, void *user)
{
    struct result_problems problems = {problem, user, 0, 0};
    const json_t *results = json_object_get(document, "results");
    for (; problems.place < json_array_size(results); problems.place++) {
        const json_t *result = json_array_get(results, problems.place);
        const double empty = json_number_value(result_fact(document, result, "empty_seconds"));
        result_check_case(&problems, result,
                          result_traffic_model(result_fact(document, result, "settings")));
        if (json_array_size(json_object_get(result, "rounds")) > 0 &&
            check_pairs(&problems, result) && !check_measured(&problems, result, empty))
            result_say(&problems, "rounds", "cannot be checked: out of memory");
    }
    return problems.found;
}

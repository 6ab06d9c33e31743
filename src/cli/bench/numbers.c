/* SPDX-License-Identifier: MIT */
#include "check/statistics.h"
#include "cli/bench/report.h"

#include <math.h>
#include <stdlib.h>

typedef double sample_fn(const clnorm_bench_sample *sample);

static double seconds_of(const clnorm_bench_sample *s) { return s->seconds; }
/* A sample and the copy beside it saw the same machine. */
static double share_of(const clnorm_bench_sample *s) { return s->copy_seconds / s->seconds; }
static double copy_of(const clnorm_bench_sample *s) { return s->copy_seconds; }
static double event_of(const clnorm_bench_sample *s) { return s->event_seconds; }
static double host_of(const clnorm_bench_sample *s) { return s->host_seconds; }

static double median_of_round(const clnorm_bench_round *round, sample_fn *of)
{
    double values[CLNORM_MOST_SAMPLES];
    for (unsigned i = 0; i < round->count; i++)
        values[i] = of(&round->samples[i]);
    return clnorm_median(values, round->count);
}

static double median_of_rounds(const struct bench_row *row, sample_fn *of)
{
    double values[BENCH_MOST_ROUNDS];
    for (size_t i = 0; i < row->n_rounds; i++)
        values[i] = median_of_round(&row->rounds[i], of);
    return clnorm_median(values, row->n_rounds);
}

static bool fill_samples(const struct bench_row *row, struct bench_numbers *n)
{
    double *all = NULL;
    size_t count = 0;
    for (size_t i = 0; i < row->n_rounds; i++)
        count += row->rounds[i].count;
    n->samples = count;
    all = malloc(count * sizeof(*all));
    if (!all)
        return false;
    count = 0;
    for (size_t i = 0; i < row->n_rounds; i++)
        for (unsigned k = 0; k < row->rounds[i].count; k++)
            all[count++] = row->rounds[i].samples[k].seconds;
    qsort(all, count, sizeof(*all), clnorm_ascending);
    n->min = all[0];
    n->q1 = clnorm_quantile(all, count, 0.25);
    n->q3 = clnorm_quantile(all, count, 0.75);
    n->p99 = clnorm_quantile(all, count, 0.99);
    free(all);
    return true;
}

static double drift_of(const double *medians, size_t n)
{
    const size_t third = n / 3;
    if (third < 2)
        return 1; /* nobody could tell it from noise */
    return exp(clnorm_log_spread_of(medians + n - third, third).mean -
               clnorm_log_spread_of(medians, third).mean);
}

bool bench_numbers_of(const struct bench_row *row, struct bench_numbers *numbers)
{
    double times[BENCH_MOST_ROUNDS], ratios[BENCH_MOST_ROUNDS];
    const double share = (double)row->facts.bytes / (double)row->facts.copy_bytes;
    struct bench_numbers n = {.samples = 0};
    for (size_t i = 0; i < row->n_rounds; i++) {
        times[i] = median_of_round(&row->rounds[i], seconds_of);
        ratios[i] = share * median_of_round(&row->rounds[i], share_of);
    }
    const clnorm_log_spread time = clnorm_log_spread_of(times, row->n_rounds);
    const clnorm_log_spread ratio = clnorm_log_spread_of(ratios, row->n_rounds);
    double of_time[2], of_ratio[2];
    clnorm_log_interval(&time, of_time);
    clnorm_log_interval(&ratio, of_ratio);
    n.low = of_time[0];
    n.high = of_time[1];
    n.of_copy_low = of_ratio[0];
    n.of_copy_high = of_ratio[1];
    n.noise = time.sd;
    n.drift = drift_of(times, row->n_rounds);
    n.median = clnorm_median(times, row->n_rounds);
    n.of_copy = clnorm_median(ratios, row->n_rounds);
    n.copy = median_of_rounds(row, copy_of);
    n.event = median_of_rounds(row, event_of);
    n.host = median_of_rounds(row, host_of);
    *numbers = n;
    return fill_samples(row, numbers);
}

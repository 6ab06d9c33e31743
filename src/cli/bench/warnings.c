/* SPDX-License-Identifier: MIT */
/* Each warning ends with what to do about it. */
#include "check/bench_notes.h"
#include "check/statistics.h"
#include "cli/bench/report.h"
#include "cli/interrupt.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#define NOISY 0.1 /* standard deviation of the rounds' logarithms */
#define SLOW_FIRST 5.0 /* seconds, beyond which a user would wonder */

/* DRIFT: so large, and so clear that one of a thousand rows without a drift has it at most. */
#define DRIFTS 1.1
#define DRIFT_P 0.001

/* OUTLIERS: samples so far from their round's median, in normal standard deviations (of the median
 * distance: Iglewicz and Hoaglin) and as a factor; and so many of all samples. */
#define FAR_OFF 3.5
#define FAR_FACTOR 1.1
#define MANY_OFF 0.1
enum { FEW_SAMPLES = 20 }; /* rounds of fewer do not tell what is far off */

struct finding {
    const struct bench_report *report;
    const struct bench_row *row;
    const struct bench_numbers *numbers;
    const struct bench_machine *machine;
    double value;
    char text[256];
};

static bool say(struct finding *f, double value, const char *format, ...) CLI_PRINTF(3, 4);

/* Returns true. */
static bool say(struct finding *f, double value, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(f->text, sizeof(f->text), format, args);
    va_end(args);
    f->value = value;
    return true;
}

/* ---- rounds and samples -------------------------------------------------------------------- */

static bool find_noise(struct finding *f)
{
    const double noise = f->numbers->noise;
    return noise > NOISY &&
           say(f, noise, "rounds spread by %.0f %%: close other programs, or raise --rounds",
               100 * noise);
}

/* A round as it was measured; its median. */
static double median_of(const clnorm_bench_round *round, double values[CLNORM_MOST_SAMPLES])
{
    for (unsigned i = 0; i < round->count; i++)
        values[i] = round->samples[i].seconds;
    return clnorm_median(values, round->count);
}

static double trend_of(const struct bench_row *row)
{
    double values[CLNORM_MOST_SAMPLES], medians[BENCH_MOST_ROUNDS];
    for (size_t i = 0; i < row->n_rounds; i++)
        medians[i] = median_of(&row->rounds[i], values);
    return row->n_rounds < 2 ? 1 : clnorm_trend_p(medians, row->n_rounds);
}

static bool find_drift(struct finding *f)
{
    const double drift = f->numbers->drift;
    return (drift > DRIFTS || drift < 1 / DRIFTS) && trend_of(f->row) < DRIFT_P &&
           say(f, drift,
               "the last third of the rounds took %.2f times as long as the first, round by "
               "round: the device heats up or shares its power; wait, and run it again",
               drift);
}

static size_t far_off(const clnorm_bench_round *round)
{
    double values[CLNORM_MOST_SAMPLES];
    const double median = median_of(round, values);
    size_t count = 0;
    for (unsigned i = 0; i < round->count; i++)
        values[i] = fabs(log(round->samples[i].seconds / median));
    const double deviation = clnorm_median(values, round->count) / 0.6745;
    for (unsigned i = 0; i < round->count; i++)
        count += values[i] > FAR_OFF * deviation && values[i] > log(FAR_FACTOR);
    return count;
}

static bool find_outliers(struct finding *f)
{
    size_t off = 0, all = 0;
    for (size_t i = 0; i < f->row->n_rounds; i++)
        if (f->row->rounds[i].count >= FEW_SAMPLES) {
            off += far_off(&f->row->rounds[i]);
            all += f->row->rounds[i].count;
        }
    return (double)off > MANY_OFF * (double)all &&
           say(f, (double)off / (double)all,
               "%zu of %zu samples are far off the others of their round: close other programs, "
               "and look at the samples, in rounds of the JSON",
               off, all);
}

static bool find_rounds(struct finding *f)
{
    const unsigned asked = f->report->settings.rounds;
    return f->row->n_rounds < asked &&
           say(f, (double)f->row->n_rounds, "%zu of %u rounds were done %s", f->row->n_rounds,
               asked,
               interrupt_pending() ? "before it was interrupted: let it run to its end"
                                   : "in time: raise --max-time");
}

/* ---- what the numbers mean ----------------------------------------------------------------- */

static bool find_launch(struct finding *f)
{
    const double empty = f->machine->measured.empty_seconds;
    return f->numbers->median < 3 * empty &&
           say(f, f->numbers->median / empty,
               "takes %.1f times what an empty kernel takes: look at the time, not at the rate",
               f->numbers->median / empty);
}

static bool find_cache(struct finding *f)
{
    return !f->row->c.warm && !f->row->rounds[0].is_cold &&
           say(f, (double)f->row->rounds[0].sets,
               "there is no room for sets larger than any cache: choose another shape");
}

static bool find_above(struct finding *f)
{
    return f->row->n_rounds > 1 && f->numbers->of_copy_low > 1.05 &&
           say(f, f->numbers->of_copy,
               "faster than the copy beside it, which was not the best one: read it as 1");
}

static bool find_clock(struct finding *f)
{
    const double ratio = f->numbers->event / f->numbers->host;
    return f->machine->measured.timer == CLNORM_TIMER_EVENT &&
           (ratio > 1.1 || f->numbers->event <= 0) &&
           say(f, ratio, "events say %.2f of what the host's clock says: use --timer host", ratio);
}

static bool find_first(struct finding *f)
{
    const double first = f->row->facts.first_seconds;
    return first > SLOW_FIRST &&
           say(f, first,
               "the first call took %.1f s: programs are compiled then; CLNORM_CACHE keeps them",
               first);
}

static bool find_fallback(struct finding *f)
{
    return f->row->fallback && say(f, 1, "%s", f->row->fallback);
}

/* ---- where it was measured ----------------------------------------------------------------- */

static bool find_load(struct finding *f)
{
    const struct bench_host *host = &f->report->host;
    return clnorm_bench_is_host(f->machine->device) && host->load > 0.5 * (double)host->cpus &&
           say(f, host->load,
               "the load was %.1f on %ld CPUs before: close other programs, which share them",
               host->load, host->cpus);
}

static bool find_battery(struct finding *f)
{
    return f->report->host.on_battery &&
           say(f, 1, "this machine runs on its battery, which limits its power: plug it in");
}

static bool find_build(struct finding *f)
{
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__)
    return say(f, 1, "clnorm was built without optimisation or with a sanitizer: rebuild");
#else
    (void)f;
    return false;
#endif
}

static bool find_simulator(struct finding *f)
{
    return strstr(f->machine->device->platform_name, "Oclgrind") &&
           say(f, 1, "Oclgrind simulates a device: its times mean nothing");
}

static const struct {
    const char *code;
    bool (*find)(struct finding *f); /* fills value and text if it is to be said */
} warnings[] = {
    {"NOISY", find_noise},       {"DRIFT", find_drift},         {"OUTLIERS", find_outliers},
    {"FEW_ROUNDS", find_rounds}, {"LAUNCH_BOUND", find_launch}, {"NOT_COLD", find_cache},
    {"ABOVE_COPY", find_above},  {"CLOCK_SUSPECT", find_clock}, {"SLOW_FIRST", find_first},
    {"FALLBACK", find_fallback}, {"CPU_SHARED", find_load},     {"BATTERY", find_battery},
    {"DEBUG_BUILD", find_build}, {"SIMULATOR", find_simulator},
};

json_t *bench_warnings_of(const struct bench_report *report, const struct bench_row *row,
                          const struct bench_numbers *numbers)
{
    json_t *list = json_array();
    struct finding f = {.report = report,
                        .row = row,
                        .numbers = numbers,
                        .machine = &report->machines[row->machine]};
    for (size_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++)
        if (warnings[i].find(&f))
            json_array_append_new(list,
                                  json_pack("{s:s, s:o, s:o}", "code", warnings[i].code, "value",
                                            json_finite(f.value), "text", json_text(f.text)));
    return list;
}

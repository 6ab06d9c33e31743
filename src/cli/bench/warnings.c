/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
/* Each warning ends with what to do about it. */
#include "cli/bench/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOW_FIRST 5.0 /* seconds, beyond which a user would wonder */

struct finding {
    const struct bench_report *report;
    const struct bench_row *row;
    const struct bench_numbers *numbers;
    const struct bench_machine *machine;
    json_t *list;
};

static void add(const struct finding *f, const char *code, double value, const char *format, ...)
    CLI_PRINTF(4, 5);

static void add(const struct finding *f, const char *code, double value, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    json_array_append_new(f->list, json_pack("{s:s, s:o, s:o}", "code", code, "value",
                                             json_finite(value), "text", json_text(text)));
}

static void find_noise(const struct finding *f)
{
    const double noise = f->numbers->noise, drift = f->numbers->drift;
    if (noise > 0.1)
        add(f, "NOISY", noise, "rounds spread by %.0f %%: close other programs, or raise --rounds",
            100 * noise);
    if (drift > 1.1 || drift < 1 / 1.1)
        add(f, "DRIFT", drift,
            "the last third of the rounds took %.2f times as long as the first: the device heats "
            "up or shares its power; wait, and run it again",
            drift);
}

static void find_rounds(const struct finding *f)
{
    const unsigned asked = f->report->settings.rounds;
    if (f->row->n_rounds < asked)
        add(f, "FEW_ROUNDS", (double)f->row->n_rounds,
            "%zu of %u rounds were done in time: raise --max-time", f->row->n_rounds, asked);
}

static void find_launch(const struct finding *f)
{
    const double launch = f->machine->measured.launch_seconds;
    if (f->numbers->median < 3 * launch)
        add(f, "LAUNCH_BOUND", f->numbers->median / launch,
            "takes %.1f times what an empty kernel takes: look at the time, not at the rate",
            f->numbers->median / launch);
}

static void find_cache(const struct finding *f)
{
    if (!f->row->c.warm && !f->row->rounds[0].is_cold)
        add(f, "NOT_COLD", (double)f->row->rounds[0].sets,
            "there is no room for sets larger than any cache: choose another shape");
    if (f->row->n_rounds > 1 && f->numbers->of_copy_low > 1.05)
        add(f, "ABOVE_COPY", f->numbers->of_copy,
            "faster than the copy beside it, which was not the best one: read it as 1");
}

static void find_clock(const struct finding *f)
{
    const clnorm_bench_device *d = &f->machine->measured;
    const double ratio = f->numbers->event / f->numbers->host;
    if (d->timer == CLNORM_TIMER_EVENT && (ratio > 1.1 || f->numbers->event <= 0))
        add(f, "CLOCK_SUSPECT", ratio,
            "events say %.2f of what the host's clock says: use --timer host", ratio);
}

static void find_form(const struct finding *f)
{
    if (f->row->facts.first_seconds > SLOW_FIRST)
        add(f, "SLOW_FIRST", f->row->facts.first_seconds,
            "the first call took %.1f s: programs are compiled then; CLNORM_CACHE keeps them",
            f->row->facts.first_seconds);
}

static void find_load(const struct finding *f)
{
    double load = 0;
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    const bool is_cpu = (f->machine->device->type & CL_DEVICE_TYPE_CPU) != 0;
    /* this process keeps all of them busy itself */
    if (is_cpu && getloadavg(&load, 1) == 1 && cpus > 0 && load > 1.5 * (double)cpus)
        add(f, "CPU_SHARED", load,
            "the load is %.1f on %ld CPUs: close other programs, which share them", load, cpus);
}

static void find_build(const struct finding *f)
{
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__)
    add(f, "DEBUG_BUILD", 1, "clnorm was built without optimisation or with a sanitizer: rebuild");
#endif
    if (strstr(f->machine->device->platform_name, "Oclgrind"))
        add(f, "SIMULATOR", 1, "Oclgrind simulates a device: its times mean nothing");
}

json_t *bench_warnings_of(const struct bench_report *report, const struct bench_row *row,
                          const struct bench_numbers *numbers)
{
    static void (*const finders[])(const struct finding *) = {find_noise, find_rounds, find_launch,
                                                              find_cache, find_clock,  find_form,
                                                              find_load,  find_build};
    const struct finding f = {.report = report,
                              .row = row,
                              .numbers = numbers,
                              .machine = &report->machines[row->machine],
                              .list = json_array()};
    for (size_t i = 0; i < sizeof(finders) / sizeof(finders[0]); i++)
        finders[i](&f);
    return f.list;
}

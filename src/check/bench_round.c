/* SPDX-License-Identifier: MIT */
#include "check/bench_parts.h"

#include <math.h>
#include <stdlib.h>

enum { WARM_UP = 3 };

typedef struct {
    clnorm_bench *bench;
    clnorm_ring ring;
    clnorm_bench_round *round;
    uint64_t copied; /* sets, one after the other, again and again */
} course;

static clnorm_status time_calls(course *k, double *event, double *host, clnorm_error *error)
{
    const unsigned calls = k->bench->calls;
    clnorm_stretch stretch;
    clnorm_status status;
    TRY(clnorm_stretch_begin(&stretch, k->bench->device, error));
    for (unsigned i = 0; i < calls; i++)
        TRY(clnorm_bench_call(k->bench, &k->ring,
                              clnorm_bench_called_set(k->ring.sets, k->copied + i),
                              i + 1 == calls ? clnorm_stretch_last(&stretch) : NULL, error));
    TRY(clnorm_stretch_end(&stretch, event, host, error));
    *event /= calls;
    *host /= calls;
fail:
    clnorm_stretch_release(&stretch);
    return status;
}

/* 0: the clock that counts gave no time. */
static double counted(const course *k, double event, double host)
{
    return k->bench->device->timer == CLNORM_TIMER_EVENT ? event : host;
}

static clnorm_status time_copies(course *k, double *seconds, clnorm_error *error)
{
    const unsigned calls = k->bench->calls;
    clnorm_stretch stretch;
    double event, host;
    clnorm_status status;
    TRY(clnorm_stretch_begin(&stretch, k->bench->device, error));
    for (unsigned i = 0; i < calls; i++) {
        const uint64_t set = (k->copied + i) % k->ring.sets;
        const clnorm_stream_place place = clnorm_ring_place(&k->ring, set);
        const clnorm_events events = {0, NULL,
                                      i + 1 == calls ? clnorm_stretch_last(&stretch) : NULL};
        TRY(clnorm_companion_run(&k->bench->copy, k->bench->device->queue, &place, events, error));
    }
    TRY(clnorm_stretch_end(&stretch, &event, &host, error));
    *seconds = counted(k, event, host) / calls;
fail:
    clnorm_stretch_release(&stretch);
    return status;
}

static uint64_t last_set(const course *k)
{
    return clnorm_bench_called_set(k->ring.sets, k->copied + k->bench->calls - 1);
}

/* The copy comes first: what the last call of a round wrote is compared, and nothing of that may be
 * left from an earlier one. */
static clnorm_status take_sample(course *k, clnorm_bench_sample *sample, clnorm_error *error)
{
    clnorm_status status;
    TRY(clnorm_ring_spoil(&k->ring, last_set(k), error));
    TRY_CL(clFinish(k->ring.queue));
    TRY(time_copies(k, &sample->copy_seconds, error));
    TRY(time_calls(k, &sample->event_seconds, &sample->host_seconds, error));
    sample->seconds = counted(k, sample->event_seconds, sample->host_seconds);
    k->round->last = last_set(k);
    k->copied += k->bench->calls;
fail:
    return status;
}

static clnorm_status warm_up(course *k, double *least, clnorm_error *error)
{
    clnorm_bench_sample sample;
    clnorm_status status = CLNORM_OK;
    *least = INFINITY;
    for (int i = 0; i < WARM_UP; i++) {
        TRY(take_sample(k, &sample, error));
        *least = fmin(*least, sample.host_seconds);
    }
fail:
    return status;
}

/* So many that a sample is long beside a clock's tick and what starts and ends it, but no more than
 * calls stay behind the copies. All rounds of a case have as many. */
static unsigned calls_for(const course *k, double seconds)
{
    const double ticks = 1000 * 1e-9 * (double)k->bench->device->resolution_ns;
    const double calls = fmax(5e-4, ticks) / seconds;
    const double most = k->ring.sets > 1 ? (double)clnorm_bench_behind(k->ring.sets) : 1000;
    return calls < 1 ? 1 : (unsigned)fmin(calls, most);
}

static clnorm_status prepare(course *k, clnorm_error *error)
{
    clnorm_bench *b = k->bench;
    const bool is_first = b->calls == 0;
    double seconds;
    clnorm_status status;
    if (is_first)
        b->calls = 1;
    TRY(warm_up(k, &seconds, error));
    if (is_first && calls_for(k, seconds) > 1) {
        b->calls = calls_for(k, seconds);
        TRY(warm_up(k, &seconds, error));
    }
    k->round->calls = b->calls;
fail:
    return status;
}

static bool is_enough(const clnorm_bench *b, const clnorm_bench_round *round, double seconds)
{
    return round->count == CLNORM_MOST_SAMPLES ||
           (round->count >= b->options.least_samples && seconds >= b->options.round_seconds);
}

/* A sample that an event gave no time for is taken again, not put beside others by another clock.
 */
static clnorm_status keep_sample(clnorm_bench_round *round, unsigned *lost, clnorm_error *error)
{
    enum { MOST_LOST = 20 };
    const clnorm_bench_sample *sample = &round->samples[round->count];
    const bool has_times = sample->seconds > 0 && sample->copy_seconds > 0;
    round->count += has_times;
    *lost += !has_times;
    return *lost <= MOST_LOST ? CLNORM_OK
                              : clnorm_fail(error, CLNORM_UNSUPPORTED,
                                            "%u of %u events gave no time: use the host's clock",
                                            *lost, *lost + round->count);
}

static clnorm_status take_samples(course *k, clnorm_error *error)
{
    const clnorm_bench *b = k->bench;
    clnorm_bench_round *round = k->round;
    clnorm_status status = CLNORM_OK;
    unsigned lost = 0;
    double seconds = 0;
    while (!is_enough(b, round, seconds)) {
        clnorm_bench_sample *sample = &round->samples[round->count];
        if (b->options.goes_on && !b->options.goes_on(b->options.user))
            return clnorm_fail(error, CLNORM_CANCELLED, "interrupted");
        TRY(take_sample(k, sample, error));
        seconds += sample->host_seconds * b->calls;
        TRY(keep_sample(round, &lost, error));
    }
fail:
    return status;
}

static uint64_t sets_of(const clnorm_bench *b)
{
    const clnorm_device *device = &b->device->context->device;
    const uint64_t set = clnorm_ring_set_bytes(&b->shape), cold = clnorm_bench_cold_bytes(device);
    const uint64_t wanted = ((cold + set - 1) / set) | 1, room = clnorm_bench_room(device) / set;
    if (b->c.warm)
        return 1;
    /* an odd number, as far as there is room: see clnorm_bench_behind */
    const uint64_t sets = wanted < 3 ? 3 : wanted;
    return sets <= room ? sets : room < 3 ? room : (room - 1) | 1;
}

uint64_t clnorm_bench_behind(uint64_t sets) { return sets < 3 ? sets - 1 : (sets - 1) / 2; }

uint64_t clnorm_bench_called_set(uint64_t sets, uint64_t copied)
{
    return (copied + sets - clnorm_bench_behind(sets)) % sets;
}

clnorm_status clnorm_bench_run_round(clnorm_bench *b, clnorm_bench_round *round,
                                     clnorm_error *error)
{
    course k = {.bench = b, .round = round};
    clnorm_status status;
    *round = (clnorm_bench_round){.calls = 0};
    round->samples = calloc(CLNORM_MOST_SAMPLES, sizeof(*round->samples));
    if (!round->samples)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for samples");
    TRY(clnorm_ring_make(&k.ring, b->device->context, b->device->queue, &b->shape, sets_of(b),
                         error));
    round->sets = k.ring.sets;
    round->is_cold = k.ring.sets * clnorm_ring_set_bytes(&b->shape) >=
                     clnorm_bench_cold_bytes(&b->device->context->device);
    if (!b->copy.way) {
        const clnorm_stream_place place = clnorm_ring_place(&k.ring, 0);
        TRY(clnorm_companion_choose(&b->copy, b->device->queue, &place, k.ring.sets,
                                    clnorm_ring_pitch(&k.ring), error));
    }
    TRY(prepare(&k, error));
    TRY(take_samples(&k, error));
    TRY(clnorm_bench_compare(b, &k.ring, round->last, &round->differs, error));
fail:
    clnorm_ring_release(&k.ring);
    return status;
}

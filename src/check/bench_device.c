/* SPDX-License-Identifier: MIT */
#include "check/bench_device.h"
#include "base/random.h"
#include "check/clock.h"
#include "check/ring.h"
#include "check/statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MIB ((uint64_t)1 << 20)

enum { ROUNDS = 7, LAUNCHES = 200 };

uint64_t clnorm_bench_room(const clnorm_device *device) { return device->global_bytes / 2; }

/* A cache may be larger than the device tells, or not told of at all. */
uint64_t clnorm_bench_cold_bytes(const clnorm_device *device)
{
    const uint64_t least = 256 * MIB, caches = 4 * device->cache_bytes;
    const uint64_t wanted = caches > least ? caches : least, room = clnorm_bench_room(device);
    return wanted < room ? wanted : room;
}

/* ---- stretches ----------------------------------------------------------------------------- */

clnorm_status clnorm_stretch_begin(clnorm_stretch *s, clnorm_bench_device *device,
                                   clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    *s = (clnorm_stretch){.device = device};
    if (device->has_events && device->timer != CLNORM_TIMER_HOST)
        TRY(clnorm_companion_nothing(&device->copy, device->queue,
                                     (clnorm_events){0, NULL, &s->mark}, error));
    s->host_begin = clnorm_clock();
fail:
    return status;
}

cl_event *clnorm_stretch_last(clnorm_stretch *s) { return s->mark ? &s->last : NULL; }

static double end_of(cl_event event)
{
    cl_ulong ns = 0;
    if (!event || clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof(ns), &ns, NULL))
        return 0;
    return 1e-9 * (double)ns;
}

clnorm_status clnorm_stretch_end(clnorm_stretch *s, double *event, double *host,
                                 clnorm_error *error)
{
    clnorm_status status;
    TRY_CL(clFinish(s->device->queue));
    *host = clnorm_clock() - s->host_begin;
    const double begin = end_of(s->mark), end = end_of(s->last);
    *event = begin > 0 && end > begin ? end - begin : 0;
fail:
    return status;
}

void clnorm_stretch_release(clnorm_stretch *s)
{
    if (s->mark)
        clReleaseEvent(s->mark);
    if (s->last)
        clReleaseEvent(s->last);
}

double clnorm_bench_time(const clnorm_bench_device *device, double event, double host)
{
    return device->timer == CLNORM_TIMER_EVENT && event > 0 ? event : host;
}

/* ---- copies -------------------------------------------------------------------------------- */

/* A buffer to read and one to write, of which places of one size are used in turns. */
typedef struct {
    cl_mem in, out;
    uint64_t bytes; /* of each */
    uint64_t turn; /* among the places */
} copy_buffers;

/* Memory that is compressed would move zeros or a pattern faster than numbers. */
static clnorm_status fill(const clnorm_bench_device *d, cl_mem buffer, size_t bytes,
                          clnorm_error *error)
{
    enum { NUMBERS = 1 << 14 };
    static const size_t most = NUMBERS * sizeof(uint64_t);
    const size_t chunk = bytes < most ? bytes : most;
    clnorm_random random = clnorm_random_seed(1, 0);
    clnorm_status status = CLNORM_OK;
    uint64_t *numbers = malloc(most);
    if (!numbers)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu bytes", most);
    for (int i = 0; i < NUMBERS; i++)
        numbers[i] = clnorm_random_bits(&random);
    TRY_CL(clEnqueueWriteBuffer(d->queue, buffer, CL_TRUE, 0, chunk, numbers, 0, NULL, NULL));
    TRY(clnorm_spread(d->queue, buffer, 0, chunk, bytes, error));
    TRY_CL(clFinish(d->queue));
fail:
    free(numbers);
    return status;
}

static clnorm_status make_buffers(const clnorm_bench_device *d, copy_buffers *b,
                                  clnorm_error *error)
{
    const clnorm_device *device = &d->context->device;
    const uint64_t half = clnorm_bench_cold_bytes(device) / 2;
    clnorm_status status;
    cl_int code;
    b->bytes = (half < device->max_alloc_bytes ? half : device->max_alloc_bytes) / 64 * 64;
    b->in = clCreateBuffer(d->context->cl, CL_MEM_READ_WRITE, (size_t)b->bytes, NULL, &code);
    TRY(clnorm_cl_check(code, "clCreateBuffer", error));
    b->out = clCreateBuffer(d->context->cl, CL_MEM_READ_WRITE, (size_t)b->bytes, NULL, &code);
    TRY(clnorm_cl_check(code, "clCreateBuffer", error));
    TRY(fill(d, b->in, (size_t)b->bytes, error));
    TRY(fill(d, b->out, (size_t)b->bytes, error));
fail:
    return status;
}

static void release_buffers(copy_buffers *b)
{
    if (b->in)
        clReleaseMemObject(b->in);
    if (b->out)
        clReleaseMemObject(b->out);
}

static clnorm_status time_copies(clnorm_bench_device *d, copy_buffers *b,
                                 const clnorm_stream_place *place, unsigned calls, double *event,
                                 double *host, clnorm_error *error)
{
    clnorm_stretch stretch;
    clnorm_stream_place at = *place;
    clnorm_status status;
    TRY(clnorm_stretch_begin(&stretch, d, error));
    for (unsigned i = 0; i < calls; i++) {
        const clnorm_events events = {0, NULL,
                                      i + 1 == calls ? clnorm_stretch_last(&stretch) : NULL};
        at.first = b->turn++ % (b->bytes / 4 / place->elements) * place->elements;
        TRY(clnorm_companion_run(&d->copy, d->queue, &at, events, error));
    }
    TRY(clnorm_stretch_end(&stretch, event, host, error));
    *event /= calls;
    *host /= calls;
fail:
    clnorm_stretch_release(&stretch);
    return status;
}

typedef struct {
    double event[ROUNDS], host[ROUNDS];
} copy_times;

static clnorm_status measure_copies(clnorm_bench_device *d, copy_buffers *b, uint64_t bytes,
                                    copy_times *times, clnorm_error *error)
{
    const clnorm_stream_place place = {.in = {b->in}, .out = {b->out}, .elements = bytes / 8};
    const uint64_t sets = b->bytes / (bytes / 2);
    const unsigned calls = bytes < 4 * MIB ? (unsigned)(4 * MIB / bytes) : 1;
    clnorm_status status;
    TRY(clnorm_companion_choose(&d->copy, d->queue, &place, sets, place.elements, error));
    for (int i = 0; i < ROUNDS; i++)
        TRY(time_copies(d, b, &place, calls, &times->event[i], &times->host[i], error));
fail:
    return status;
}

/* ---- which clock --------------------------------------------------------------------------- */

static unsigned failures_of(const double *events)
{
    unsigned failures = 0;
    for (int i = 0; i < ROUNDS; i++)
        failures += !(events[i] > 0);
    return failures;
}

static void explain(clnorm_bench_device *d, clnorm_timer timer, const char *why)
{
    d->timer = timer;
    snprintf(d->why, sizeof(d->why), "%s", why);
}

/* Events tell what a kernel takes, but some drivers' are made up: they must agree with what the
 * host sees of a long copy. */
static void judge_clock(clnorm_bench_device *d, clnorm_timer wanted, copy_times *times)
{
    const unsigned failures = d->has_events ? failures_of(times->event) : ROUNDS;
    char text[160];
    if (failures == 0)
        d->event_host_ratio =
            clnorm_median(times->event, ROUNDS) / clnorm_median(times->host, ROUNDS);
    const double off = fabs(d->event_host_ratio - 1);
    if (wanted != CLNORM_TIMER_AUTO) {
        explain(d, wanted, "asked for");
    } else if (!d->has_events) {
        explain(d, CLNORM_TIMER_HOST, "the device gives no times of events");
    } else if (failures > 0) {
        snprintf(text, sizeof(text), "%u of %d events end before they begin", failures, ROUNDS);
        explain(d, CLNORM_TIMER_HOST, text);
    } else {
        snprintf(text, sizeof(text), "events and host %s: %.3f of it for a long copy",
                 off <= 0.1 ? "agree" : "disagree", d->event_host_ratio);
        explain(d, off <= 0.1 ? CLNORM_TIMER_EVENT : CLNORM_TIMER_HOST, text);
    }
}

static clnorm_status measure_launch(clnorm_bench_device *d, clnorm_error *error)
{
    const clnorm_events none = {0, NULL, NULL};
    double seconds[LAUNCHES];
    clnorm_status status = CLNORM_OK;
    for (int i = 0; i < LAUNCHES; i++) {
        const double begin = clnorm_clock();
        TRY(clnorm_companion_nothing(&d->copy, d->queue, none, error));
        TRY_CL(clFinish(d->queue));
        seconds[i] = clnorm_clock() - begin;
    }
    d->launch_seconds = clnorm_median(seconds, LAUNCHES);
fail:
    return status;
}

/* As calls are timed, many in a stretch. */
static clnorm_status measure_empty(clnorm_bench_device *d, clnorm_error *error)
{
    enum { KERNELS = 64 };
    double seconds[ROUNDS], event, host;
    clnorm_stretch stretch;
    clnorm_status status = CLNORM_OK;
    for (int i = 0; i < ROUNDS; i++) {
        TRY(clnorm_stretch_begin(&stretch, d, error));
        for (int k = 0; k < KERNELS && status == CLNORM_OK; k++) {
            const clnorm_events events = {0, NULL,
                                          k + 1 == KERNELS ? clnorm_stretch_last(&stretch) : NULL};
            status = clnorm_companion_nothing(&d->copy, d->queue, events, error);
        }
        if (status == CLNORM_OK)
            status = clnorm_stretch_end(&stretch, &event, &host, error);
        clnorm_stretch_release(&stretch);
        TRY(status);
        seconds[i] = clnorm_bench_time(d, event, host) / KERNELS;
    }
    d->empty_seconds = clnorm_median(seconds, ROUNDS);
fail:
    return status;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static clnorm_status make_queue(clnorm_bench_device *d, clnorm_error *error)
{
    const cl_device_id device = d->context->device.device_id;
    clnorm_status status;
    cl_int code;
    size_t resolution = 0;
    cl_uint clock = 0;
    d->queue = clCreateCommandQueue(d->context->cl, device, CL_QUEUE_PROFILING_ENABLE, &code);
    d->has_events = code == CL_SUCCESS;
    if (code)
        d->queue = clCreateCommandQueue(d->context->cl, device, 0, &code);
    TRY(clnorm_cl_check(code, "clCreateCommandQueue", error));
    TRY_CL(clGetDeviceInfo(device, CL_DEVICE_PROFILING_TIMER_RESOLUTION, sizeof(resolution),
                           &resolution, NULL));
    TRY_CL(clGetDeviceInfo(device, CL_DEVICE_MAX_CLOCK_FREQUENCY, sizeof(clock), &clock, NULL));
    d->has_subgroups = d->context->subgroups.intel > 0 || d->context->subgroups.khr;
    d->resolution_ns = resolution;
    d->clock_mhz = clock;
fail:
    return status;
}

static void add_point(clnorm_bench_device *d, uint64_t bytes, copy_times *times)
{
    const double event = failures_of(times->event) ? 0 : clnorm_median(times->event, ROUNDS);
    const double host = clnorm_median(times->host, ROUNDS);
    d->copy_bytes_per_second = (double)bytes / clnorm_bench_time(d, event, host);
    d->curve[d->n_curve++] =
        (clnorm_copy_point){bytes, d->copy_bytes_per_second, clnorm_companion_way_name(&d->copy)};
}

/* The largest footprint tells of the clocks. */
static clnorm_status measure_curve(clnorm_bench_device *d, clnorm_timer timer, copy_buffers *b,
                                   clnorm_error *error)
{
    const uint64_t least = MIB / 8;
    clnorm_status status = CLNORM_OK;
    copy_times times;
    uint64_t bytes = least;
    while (bytes * 4 <= 2 * b->bytes)
        bytes *= 4;
    TRY(measure_copies(d, b, bytes, &times, error));
    judge_clock(d, timer, &times);
    for (uint64_t size = least; size <= bytes; size *= 4) {
        TRY(measure_copies(d, b, size, &times, error));
        add_point(d, size, &times);
    }
fail:
    return status;
}

clnorm_status clnorm_bench_device_open(clnorm_bench_device *d, clnorm_context *context,
                                       clnorm_timer timer, clnorm_error *error)
{
    const clnorm_streams copy = {1, 1, {4}, {4}};
    copy_buffers buffers = {NULL, NULL, 0, 0};
    clnorm_status status;
    *d = (clnorm_bench_device){.context = context};
    TRY(make_queue(d, error));
    TRY(clnorm_companion_init(&d->copy, context, &copy, error));
    TRY(make_buffers(d, &buffers, error));
    TRY(measure_launch(d, error));
    TRY(measure_curve(d, timer, &buffers, error));
    TRY(measure_empty(d, error));
fail:
    release_buffers(&buffers);
    return status;
}

void clnorm_bench_device_release(clnorm_bench_device *d)
{
    clnorm_companion_release(&d->copy);
    if (d->queue)
        clReleaseCommandQueue(d->queue);
    *d = (clnorm_bench_device){.context = NULL};
}

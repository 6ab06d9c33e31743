/* SPDX-License-Identifier: MIT */
/* A device as bench needs it: its queue, which clock to trust, and what its memory gives. */
#ifndef CLNORM_CHECK_BENCH_DEVICE_H
#define CLNORM_CHECK_BENCH_DEVICE_H

#include "check/companion.h"

typedef enum clnorm_timer { CLNORM_TIMER_AUTO, CLNORM_TIMER_EVENT, CLNORM_TIMER_HOST } clnorm_timer;

enum { CLNORM_MOST_FOOTPRINTS = 16 };

/* What a copy reaches that reads and writes so many bytes in all, out of any smaller cache. */
typedef struct clnorm_copy_point {
    uint64_t bytes;
    double bytes_per_second;
    const char *way;
} clnorm_copy_point;

typedef struct clnorm_bench_device {
    clnorm_context *context; /* borrowed */
    cl_command_queue queue; /* in-order, with profiling where the device has it */
    clnorm_companion copy; /* one stream in, one out */
    bool has_events, has_subgroups;
    clnorm_timer timer; /* never AUTO */
    char why[160]; /* that one */
    double event_host_ratio; /* of a long copy; 0: not known */
    uint64_t resolution_ns;
    unsigned clock_mhz;
    /* Of a kernel that does nothing: by the host's clock, waited for; and one of many in a row, by
     * the clock that counts. */
    double launch_seconds, empty_seconds;
    clnorm_copy_point curve[CLNORM_MOST_FOOTPRINTS];
    unsigned n_curve;
    double copy_bytes_per_second; /* of the largest footprint */
} clnorm_bench_device;

/* Takes about two seconds. Zeros may be released. */
clnorm_status clnorm_bench_device_open(clnorm_bench_device *device, clnorm_context *context,
                                       clnorm_timer timer, clnorm_error *error);
void clnorm_bench_device_release(clnorm_bench_device *device);

/* Bytes of sets that a ring needs to be cold, and the most that there is room for. */
uint64_t clnorm_bench_cold_bytes(const clnorm_device *device);
uint64_t clnorm_bench_room(const clnorm_device *device);

/* ---- a stretch of commands, by both clocks ---- */

typedef struct clnorm_stretch {
    clnorm_bench_device *device;
    cl_event mark, last;
    double host_begin;
} clnorm_stretch;

/* Enqueues a kernel that does nothing, if events count: what follows begins where that one ends, as
 * a call may be several commands, and gives the event of the last one only. */
clnorm_status clnorm_stretch_begin(clnorm_stretch *stretch, clnorm_bench_device *device,
                                   clnorm_error *error);
/* Where the last command is to put its event. */
cl_event *clnorm_stretch_last(clnorm_stretch *stretch);
/* Waits. *event is 0 where the device's clock is not to be had, or makes no sense. */
clnorm_status clnorm_stretch_end(clnorm_stretch *stretch, double *event, double *host,
                                 clnorm_error *error);
/* Also after a failure. */
void clnorm_stretch_release(clnorm_stretch *stretch);
/* The one of the two that the device is timed by; the host's where there is no other. */
double clnorm_bench_time(const clnorm_bench_device *device, double event, double host);

#endif

/* SPDX-License-Identifier: MIT */
#include "common/profile.h"
#include "common/trace.h"

#include <math.h>
#include <stdlib.h>

enum { BY_KERNEL, BY_COMMAND, IN_PLACE, WAYS };

void ex_floor_open(struct ex_floor *floor, struct ex_device *device, size_t bytes, size_t room)
{
    floor->n = ex_padded(room / 2 / sizeof(float));
    floor->share = 2.0 * (double)(floor->n * sizeof(float)) / (double)bytes;
    floor->from = ex_buffer(device, floor->n * sizeof(float), NULL);
    floor->to = ex_buffer(device, floor->n * sizeof(float), NULL);
    floor->place = ex_buffer(device, 2 * floor->n * sizeof(float), NULL);
}

void ex_floor_close(struct ex_floor *floor)
{
    clReleaseMemObject(floor->from);
    clReleaseMemObject(floor->to);
    clReleaseMemObject(floor->place);
}

static void move(struct ex_floor *floor, struct ex_train *train, int way)
{
    if (way == BY_KERNEL)
        ex_copy(train, way, floor->from, floor->to, floor->n);
    else if (way == IN_PLACE)
        ex_negate(train, way, floor->place, 2 * floor->n);
    else
        ex_must_cl(clEnqueueCopyBuffer(train->device->queue, floor->from, floor->to, 0, 0,
                                       floor->n * sizeof(float), 0, NULL,
                                       ex_event(train->device, way)),
                   "clEnqueueCopyBuffer");
}

double ex_floor_seconds(struct ex_floor *floor, struct ex_train *train, unsigned repeats)
{
    double seconds[WAYS] = {0};
    for (int way = 0; way < WAYS; way++) {
        move(floor, train, way); /* the caches may hold something else */
        ex_trace_begin(train->device);
        for (unsigned i = 0; i < repeats; i++)
            move(floor, train, way);
        ex_trace_end(train->device, seconds, WAYS, NULL);
    }
    const double copying = fmin(seconds[BY_KERNEL], seconds[BY_COMMAND]);
    return fmin(copying, seconds[IN_PLACE] / 2) / repeats / floor->share;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double ex_median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), compare);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

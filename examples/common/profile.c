/* SPDX-License-Identifier: MIT */
#include "common/profile.h"
#include "common/trace.h"

#include <math.h>
#include <stdlib.h>

enum { BY_KERNEL, BY_COMMAND, IN_PLACE };

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

void ex_floor_move(struct ex_floor *floor, struct ex_train *train, int way, int label)
{
    if (way == BY_KERNEL)
        ex_copy(train, label, floor->from, floor->to, floor->n);
    else if (way == IN_PLACE)
        ex_negate(train, label, floor->place, 2 * floor->n);
    else
        ex_must_cl(clEnqueueCopyBuffer(train->device->queue, floor->from, floor->to, 0, 0,
                                       floor->n * sizeof(float), 0, NULL,
                                       ex_event(train->device, label)),
                   "clEnqueueCopyBuffer");
}

double ex_floor_seconds(const struct ex_floor *floor, const double seconds[EX_FLOOR_WAYS])
{
    const double copying = fmin(seconds[BY_KERNEL], seconds[BY_COMMAND]);
    return fmin(copying, seconds[IN_PLACE] / 2) / floor->share;
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

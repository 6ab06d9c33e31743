/* SPDX-License-Identifier: MIT */
#include "runtime/device.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A CPU that plays another device: of every type at once (Oclgrind), an FPGA, or the many units of
 * a GPU (llvmpipe, hundreds of times slower than other CPU runtimes). Behind all real devices. */
static bool is_stand_in(const clnorm_device *device)
{
    static const char *const names[] = {"llvmpipe", "FPGA Emulation"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strstr(device->name, names[i]))
            return true;
    return (device->type & CL_DEVICE_TYPE_GPU) && (device->type & CL_DEVICE_TYPE_CPU);
}

static int rank_of(const clnorm_device *device)
{
    static const cl_device_type types[] = {CL_DEVICE_TYPE_GPU, CL_DEVICE_TYPE_ACCELERATOR,
                                           CL_DEVICE_TYPE_CPU};
    const int count = (int)(sizeof(types) / sizeof(types[0]));
    if (is_stand_in(device))
        return count;
    for (int i = 0; i < count; i++) {
        if (device->type & types[i])
            return i;
    }
    return count + 1;
}

static int less_or_more(unsigned a, unsigned b) { return (a > b) - (a < b); }

static int compare(const void *left, const void *right)
{
    const clnorm_device *a = left, *b = right;
    const int orders[] = {
        !a->usable - !b->usable,
        (a->alias_of >= 0) - (b->alias_of >= 0),
        rank_of(a) - rank_of(b),
        less_or_more(b->compute_units, a->compute_units),
        strcmp(a->platform_name, b->platform_name),
        /* The order of platforms is the loader's, and may change: last. */
        less_or_more(a->ordinal, b->ordinal),
        less_or_more(a->platform, b->platform),
    };
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        if (orders[i])
            return orders[i];
    }
    return 0;
}

/* Until here, index is the position before sorting. */
static int position_of(const clnorm_device *devices, size_t count, int index)
{
    for (size_t i = 0; i < count; i++) {
        if (index >= 0 && devices[i].index == (unsigned)index)
            return (int)i;
    }
    return -1;
}

void clnorm_devices_sort(clnorm_device *devices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        devices[i].index = (unsigned)i;
    if (count > 1)
        qsort(devices, count, sizeof(*devices), compare);
    for (size_t i = 0; i < count; i++)
        devices[i].alias_of = position_of(devices, count, devices[i].alias_of);
    for (size_t i = 0; i < count; i++)
        devices[i].index = (unsigned)i;
}

/* SPDX-License-Identifier: MIT */
#include "runtime/device.h"

#include <stdbool.h>
#include <string.h>

/* Runtimes that put another's hardware behind them, the better first; a vendor's own is none. */
static const char *const layers[] = {"rusticl", "Portable Computing Language", "clvk", "OpenCLOn12",
                                     "Clover"};

static size_t layer_of(const clnorm_device *device)
{
    const size_t count = sizeof(layers) / sizeof(layers[0]);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(device->platform_name, layers[i]) == 0)
            return i + 1;
    }
    return 0;
}

static bool is_same_type(const clnorm_device *a, const clnorm_device *b)
{
    return ((a->type ^ b->type) & ~(cl_device_type)CL_DEVICE_TYPE_DEFAULT) == 0;
}

/* In order of proof. Names prove nothing: two devices of PoCL have the same. */
static bool is_same_hardware(const clnorm_device *a, const clnorm_device *b)
{
    if (!a->device_id || !b->device_id)
        return false;
    if (a->device_id == b->device_id)
        return true;
    if (!is_same_type(a, b))
        return false;
    if (a->uuid[0] && strcmp(a->uuid, b->uuid) == 0)
        return true;
    /* On one platform, the parts of one card have its address in common. */
    return a->platform_id != b->platform_id && a->pci[0] && strcmp(a->pci, b->pci) == 0 &&
           a->compute_units == b->compute_units;
}

/* Is a the original and b the alias, with a at position i and b at position j? */
static bool is_preferred(const clnorm_device *a, size_t i, const clnorm_device *b, size_t j)
{
    if (!a->usable != !b->usable)
        return a->usable;
    if (layer_of(a) != layer_of(b))
        return layer_of(a) < layer_of(b);
    return i < j;
}

static int original_of(const clnorm_device *devices, size_t count, size_t position)
{
    size_t best = position;
    for (size_t i = 0; i < count; i++) {
        if (is_same_hardware(&devices[i], &devices[position]) &&
            is_preferred(&devices[i], i, &devices[best], best))
            best = i;
    }
    return best == position ? -1 : (int)best;
}

void clnorm_devices_mark_aliases(clnorm_device *devices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        devices[i].alias_of = original_of(devices, count, i);
    /* Proofs differ, so an original may be the alias of a third: point at the last of the chain. */
    for (size_t i = 0; i < count; i++) {
        while (devices[i].alias_of >= 0 && devices[devices[i].alias_of].alias_of >= 0)
            devices[i].alias_of = devices[devices[i].alias_of].alias_of;
    }
}

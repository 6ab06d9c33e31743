/* SPDX-License-Identifier: MIT */
/* What one device is and whether clnorm can use it. */
#ifndef CLNORM_RUNTIME_DEVICE_H
#define CLNORM_RUNTIME_DEVICE_H

#include "base/status.h"

/* Fills *device: CLNORM_OK also for a device that lacks what clnorm needs: see usable and problem.
 * On a failing OpenCL call *device holds what was read until then, and is not usable.
 * index, platform and ordinal are 0: only a list knows them. */
clnorm_status clnorm_device_query(cl_device_id id, clnorm_device *device, clnorm_error *error);

/* A name for the device's platform, "?" if it does not tell. */
void clnorm_platform_name(cl_platform_id platform, char *name, size_t capacity);

/* Sets alias_of of every entry, in any order: the position in the array of the entry that stands
 * for the same hardware, or -1. Usable before not usable, then the vendor's own runtime before
 * rusticl before layers such as PoCL, then the earlier one stays the original. */
void clnorm_devices_mark_aliases(clnorm_device *devices, size_t count);

/* Sorts as clnorm_devices_list promises, with aliases behind the usable originals; sets index, and
 * moves alias_of along. */
void clnorm_devices_sort(clnorm_device *devices, size_t count);

#endif

/* SPDX-License-Identifier: MIT */
#include "runtime/subgroup.h"

#include "runtime/device_facts.h"
#include "runtime/quirks.h"

#include <stdlib.h>
#include <string.h>

/* Extensions' numbers: not every system's headers have them. */
enum { DEVICE_MAX_NUM_SUB_GROUPS = 0x105C, DEVICE_SUB_GROUP_SIZES_INTEL = 0x4108, MOST_SIZES = 16 };

static char *extensions_of(cl_device_id device)
{
    size_t bytes = 0;
    if (clGetDeviceInfo(device, CL_DEVICE_EXTENSIONS, 0, NULL, &bytes) || bytes == 0)
        return NULL;
    char *text = calloc(1, bytes + 1);
    if (text && clGetDeviceInfo(device, CL_DEVICE_EXTENSIONS, bytes, text, NULL)) {
        free(text);
        text = NULL;
    }
    return text;
}

/* 32, of which slices of groups are made, or the largest that divides it; on CPUs that of a vector,
 * as Intel's compiler takes four times as long for 32 as for 8. */
static unsigned best_size(const clnorm_device *device)
{
    size_t sizes[MOST_SIZES] = {0}, bytes = 0;
    cl_uint most = 32;
    unsigned best = 0;
    if (clGetDeviceInfo(device->device_id, DEVICE_SUB_GROUP_SIZES_INTEL, sizeof(sizes), sizes,
                        &bytes))
        return 0;
    if (device->type & CL_DEVICE_TYPE_CPU)
        clGetDeviceInfo(device->device_id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof(most), &most,
                        NULL);
    for (size_t i = 0; i < bytes / sizeof(sizes[0]); i++)
        if (sizes[i] > best && sizes[i] > 1 && sizes[i] <= most && 32 % sizes[i] == 0)
            best = (unsigned)sizes[i];
    return best;
}

/* OpenCL 3.0 has them without the extension, which promises more than is needed here. */
static bool has_core(const clnorm_device *device)
{
    cl_uint most = 0;
    const bool is_old = !strncmp(device->version, "OpenCL 1", strlen("OpenCL 1")) ||
                        !strncmp(device->version, "OpenCL 2", strlen("OpenCL 2"));
    return !is_old &&
           !clGetDeviceInfo(device->device_id, DEVICE_MAX_NUM_SUB_GROUPS, sizeof(most), &most,
                            NULL) &&
           most > 0;
}

clnorm_subgroups clnorm_subgroups_of(const clnorm_device *device)
{
    clnorm_subgroups subgroups = {0, false};
    if (clnorm_quirk_reason(device, CLNORM_QUIRK_NO_SUBGROUPS))
        return subgroups;
    char *text = extensions_of(device->device_id);
    const struct device_facts facts = {.extensions = text};
    if (!text)
        return subgroups;
    if (clnorm_device_has_extension(&facts, "cl_intel_subgroups") &&
        clnorm_device_has_extension(&facts, "cl_intel_required_subgroup_size"))
        subgroups.intel = best_size(device);
    subgroups.khr = clnorm_device_has_extension(&facts, "cl_khr_subgroups") || has_core(device);
    free(text);
    return subgroups;
}

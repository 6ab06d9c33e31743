/* SPDX-License-Identifier: MIT */
#include "runtime/device_facts.h"

#include <stdio.h>
#include <string.h>

static bool is_new_enough(const char *version)
{
    unsigned major = 0, minor = 0;
    return sscanf(version, "OpenCL %u.%u", &major, &minor) == 2 &&
           (major > 1 || (major == 1 && minor >= 2));
}

void clnorm_device_judge(clnorm_device *device, const struct device_facts *facts)
{
    const struct {
        bool holds;
        const char *otherwise, *detail;
    } needs[] = {
        {strcmp(device->platform_name, "Clover") != 0,
         "Mesa's clover lacks too much of OpenCL; its successor is rusticl", ""},
        {is_new_enough(device->version), "clnorm needs OpenCL 1.2, this device has ",
         device->version},
        {facts->available, "its driver says that it is not available", ""},
        {facts->has_compiler, "its driver has no compiler for kernels", ""},
        {facts->is_little_endian, "it is big-endian", ""},
        {!clnorm_device_is_embedded(facts) || clnorm_device_has_extension(facts, "cles_khr_int64"),
         "it has no 64-bit integers (cles_khr_int64)", ""},
        {(facts->single_config & CL_FP_ROUND_TO_NEAREST) != 0,
         "its float arithmetic does not round to nearest", ""},
    };
    device->usable = 1;
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]) && device->usable; i++) {
        if (needs[i].holds)
            continue;
        device->usable = 0;
        snprintf(device->problem, sizeof(device->problem), "%s%s", needs[i].otherwise,
                 needs[i].detail);
    }
}

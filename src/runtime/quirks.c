/* SPDX-License-Identifier: MIT */
#include "runtime/quirks.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define CLANG_REASON                                                                               \
    "its compiler is clang down to the machine code: prefetches and stores past the cache gain a " \
    "quarter (rusticl is clang too, but goes through SPIR-V)"

/* Where a field is NULL or 0, any will do. */
typedef struct {
    clnorm_quirk_id id;
    const char *platform; /* the name of the platform */
    const char *device; /* its name has this in it */
    const char *driver; /* the driver's version has this in it, with MAJOR.MINOR behind it */
    unsigned below[2]; /* which is below this one */
    cl_device_type type, other_type; /* the device has this type, and has not the other */
    const char *reason;
} quirk_rule;

static const quirk_rule quirks[] = {
    {.id = CLNORM_QUIRK_CLANG,
     .platform = "Portable Computing Language",
     .other_type = CL_DEVICE_TYPE_GPU,
     .reason = CLANG_REASON},
    {.id = CLNORM_QUIRK_CLANG,
     .platform = "Intel(R) OpenCL",
     .other_type = CL_DEVICE_TYPE_GPU,
     .reason = CLANG_REASON},
    {.id = CLNORM_QUIRK_CLANG,
     .platform = "Intel(R) FPGA Emulation Platform for OpenCL(TM)",
     .other_type = CL_DEVICE_TYPE_GPU,
     .reason = CLANG_REASON},
    {.id = CLNORM_QUIRK_SHORT_LOOPS,
     .device = "llvmpipe",
     .reason = "it ends the loops of a work-item after 65535 iterations in all, without a word "
               "(LP_MAX_TGSI_LOOP_ITERATIONS of Mesa): longer rows are refused"},
    {.id = CLNORM_QUIRK_NO_BINARIES,
     .platform = "Oclgrind",
     .reason = "a simulator, which builds in 0.1 s and may die of a binary"},
    {.id = CLNORM_QUIRK_SLOW,
     .platform = "Oclgrind",
     .reason = "a simulator, which takes a thousand times as long: it is tested with fewer rows"},
    {.id = CLNORM_QUIRK_HOST,
     .platform = "Intel(R) FPGA Emulation Platform for OpenCL(TM)",
     .reason = "the host's CPU emulates it: other programs share its time"},
    {.id = CLNORM_QUIRK_NO_SUBGROUPS,
     .device = "Adreno",
     .driver = "E031.",
     .below = {38, 11},
     .reason = "compilers before E031.38.11 crash on sums of a sub-group"},
    {.id = CLNORM_QUIRK_LONE_ITEMS,
     .platform = "Apple",
     .type = CL_DEVICE_TYPE_CPU,
     .reason = "its groups have one work-item where a kernel has barriers, whatever it reports"},
};
enum { QUIRKS = sizeof(quirks) / sizeof(quirks[0]) };

static bool has_driver(const quirk_rule *quirk, const char *driver)
{
    const char *at = quirk->driver ? strstr(driver, quirk->driver) : driver;
    unsigned major = 0, minor = 0;
    if (!at || !quirk->driver)
        return at != NULL;
    return sscanf(at + strlen(quirk->driver), "%u.%u", &major, &minor) == 2 &&
           (major < quirk->below[0] || (major == quirk->below[0] && minor < quirk->below[1]));
}

static bool applies(const quirk_rule *quirk, const clnorm_device *device)
{
    return (!quirk->platform || !strcmp(device->platform_name, quirk->platform)) &&
           (!quirk->device || strstr(device->name, quirk->device)) &&
           (!quirk->type || (device->type & quirk->type)) && !(device->type & quirk->other_type) &&
           has_driver(quirk, device->driver);
}

const char *clnorm_quirk_reason(const clnorm_device *device, clnorm_quirk_id id)
{
    for (size_t i = 0; i < QUIRKS; i++)
        if (quirks[i].id == id && applies(&quirks[i], device))
            return quirks[i].reason;
    return NULL;
}

const char *clnorm_device_quirk(const clnorm_device *device, size_t index)
{
    for (size_t i = 0; i < QUIRKS; i++)
        if (applies(&quirks[i], device) && index-- == 0)
            return quirks[i].reason;
    return NULL;
}

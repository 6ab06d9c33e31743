/* SPDX-License-Identifier: MIT */
#ifndef CLNORM_RUNTIME_SUBGROUP_H
#define CLNORM_RUNTIME_SUBGROUP_H

#include "runtime/opencl.h"

#include <stdbool.h>

typedef struct clnorm_subgroups {
    unsigned
        intel; /* work-items, a size that kernels ask for: cl_intel_required_subgroup_size; or 0 */
    bool khr; /* cl_khr_subgroups: of a size that only the compiler knows */
} clnorm_subgroups;

/* Those that are for use. */
clnorm_subgroups clnorm_subgroups_of(const clnorm_device *device);

#endif

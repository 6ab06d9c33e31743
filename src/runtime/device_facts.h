/* SPDX-License-Identifier: MIT */
/* The parts of clnorm_device_query. */
#ifndef CLNORM_RUNTIME_DEVICE_FACTS_H
#define CLNORM_RUNTIME_DEVICE_FACTS_H

#include "runtime/opencl.h"

#include <stdbool.h>

/* What clnorm_device does not keep. */
struct device_facts {
    char *extensions, *profile;
    cl_bool available, has_compiler, is_little_endian;
    cl_uint local_type;
    cl_device_fp_config single_config;
};

/* "FULL_PROFILE" lacks nothing; embedded devices may lack 64-bit integers. */
bool clnorm_device_is_embedded(const struct device_facts *facts);

/* Is `name` a whole word of facts->extensions? */
bool clnorm_device_has_extension(const struct device_facts *facts, const char *name);

/* Sets has_fp16, has_fp64, uuid and pci. */
void clnorm_device_read_extensions(clnorm_device *device, const struct device_facts *facts);

/* Sets usable and problem. */
void clnorm_device_judge(clnorm_device *device, const struct device_facts *facts);

#endif

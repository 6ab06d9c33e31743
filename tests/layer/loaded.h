/* SPDX-License-Identifier: MIT */
/* For tests under the layer. Included after device.h. */
#ifndef CLNORM_TESTS_LAYER_LOADED_H
#define CLNORM_TESTS_LAYER_LOADED_H

#include "layer.h"

#include <dlfcn.h>

/* The layer that the OpenCL loader has loaded: a failure if it did not, or passes calls around it.
 * Not before the first OpenCL call, at which the loader does so. */
static inline const struct layer *layer_find(void)
{
    const char *path = getenv("OPENCL_LAYERS");
    void *library = path ? dlopen(path, RTLD_NOW | RTLD_NOLOAD) : NULL;
    const struct layer *layer = library ? dlsym(library, "clnorm_test_layer") : NULL;
    if (!layer)
        fail_msg("OPENCL_LAYERS=%s is not loaded", path ? path : "(unset)");
    dlclose(library); /* the loader's own reference stays */
    const unsigned long before = layer->calls("clGetPlatformIDs");
    cl_uint platforms;
    clGetPlatformIDs(0, NULL, &platforms);
    if (layer->calls("clGetPlatformIDs") != before + 1)
        fail_msg("no call goes through %s", path);
    return layer;
}

#endif

/* SPDX-License-Identifier: MIT */
#include "runtime/program_key.h"
#include "base/host_cpu.h"

#include <stdio.h>
#include <string.h>

static void add_text(clnorm_sha256 *hash, const char *text)
{
    clnorm_sha256_add(hash, text, strlen(text) + 1); /* the NUL keeps texts apart */
}

static bool add_platform_text(clnorm_sha256 *hash, cl_platform_id platform, cl_platform_info what)
{
    char text[1024];
    const bool ok = !clGetPlatformInfo(platform, what, sizeof(text) - 1, text, NULL);
    text[sizeof(text) - 1] = '\0';
    if (ok)
        add_text(hash, text);
    return ok;
}

static bool add_device_fact(clnorm_sha256 *hash, cl_device_id device, cl_device_info what)
{
    unsigned char value[1024];
    size_t bytes = 0;
    if (clGetDeviceInfo(device, what, sizeof(value), value, &bytes) || bytes > sizeof(value))
        return false;
    const unsigned char length[2] = {(unsigned char)bytes, (unsigned char)(bytes >> 8)};
    clnorm_sha256_add(hash, length, sizeof(length));
    clnorm_sha256_add(hash, value, bytes);
    return true;
}

/* Nothing that changes from run to run, as the size of PoCL's memory does. */
static bool add_driver(clnorm_sha256 *hash, const clnorm_context *context)
{
    static const cl_device_info facts[] = {
        CL_DEVICE_NAME,    CL_DEVICE_VENDOR_ID, CL_DEVICE_VERSION,     CL_DEVICE_OPENCL_C_VERSION,
        CL_DRIVER_VERSION, CL_DEVICE_TYPE,      CL_DEVICE_ADDRESS_BITS};
    const clnorm_device *device = &context->device;
    bool ok = add_platform_text(hash, device->platform_id, CL_PLATFORM_NAME) &&
              add_platform_text(hash, device->platform_id, CL_PLATFORM_VERSION);
    for (size_t i = 0; ok && i < sizeof(facts) / sizeof(facts[0]); i++)
        ok = add_device_fact(hash, device->device_id, facts[i]);
    return ok;
}

bool clnorm_program_key(const clnorm_context *context, const char *const *texts, cl_uint count,
                        const char *options, clnorm_cache_key *key)
{
    clnorm_sha256 hash;
    char format[16];
    snprintf(format, sizeof(format), "%d", CLNORM_CACHE_FORMAT);
    clnorm_sha256_begin(&hash);
    add_text(&hash, format);
    add_text(&hash, clnorm_version());
    add_text(&hash, options);
    for (cl_uint i = 0; i < count; i++)
        add_text(&hash, texts[i]);
    clnorm_host_cpu_add(&hash);
    const bool ok = add_driver(&hash, context);
    clnorm_sha256_end(&hash, key->bytes);
    return ok;
}

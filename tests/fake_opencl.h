/* SPDX-License-Identifier: MIT */
/* An OpenCL of made-up platforms and devices: the four functions that a list of devices needs, for
 * a test program that includes this once. They take the place of the loader's. */
#ifndef CLNORM_TESTS_FAKE_OPENCL_H
#define CLNORM_TESTS_FAKE_OPENCL_H

#include "clnorm/clnorm.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { UUID = 0x106A, PCI_KHR = 0x410F, TOPOLOGY_AMD = 0x4037, BUS_NV = 0x4008, SLOT_NV = 0x4009 };

struct fake_device {
    const char *name, *version, *extensions, *profile;
    cl_device_type type;
    cl_uint units;
    int is_unavailable, has_no_compiler, is_big_endian;
    cl_device_fp_config single_config, double_config; /* 0: as usual; none */
    cl_device_info fails; /* this question gives -30 */
    unsigned char uuid[16];
    cl_uint pci[4];
    unsigned char topology[24];
    cl_uint bus, slot;
};

struct fake_platform {
    const char *name;
    cl_int code; /* of clGetDeviceIDs */
    const struct fake_device *devices;
    cl_uint count;
};

static struct {
    cl_int code; /* of clGetPlatformIDs */
    struct fake_platform platforms[4];
    cl_uint count;
} world;

static cl_int answer(const void *value, size_t size, size_t bytes, void *out, size_t *needed)
{
    if (out && bytes < size)
        return CL_INVALID_VALUE;
    if (out)
        memcpy(out, value, size);
    if (needed)
        *needed = size;
    return CL_SUCCESS;
}

static cl_int answer_text(const char *text, size_t bytes, void *out, size_t *needed)
{
    return answer(text, strlen(text) + 1, bytes, out, needed);
}

/* A failing call leaves the count as it was, as drivers do. */
cl_int clGetPlatformIDs(cl_uint room, cl_platform_id *platforms, cl_uint *count)
{
    if (world.code != CL_SUCCESS)
        return world.code;
    if (count)
        *count = world.count;
    for (cl_uint i = 0; platforms && i < room && i < world.count; i++)
        platforms[i] = (cl_platform_id)&world.platforms[i];
    return CL_SUCCESS;
}

cl_int clGetPlatformInfo(cl_platform_id platform, cl_platform_info param, size_t bytes, void *out,
                         size_t *needed)
{
    const char *name = ((const struct fake_platform *)platform)->name;
    if (param != CL_PLATFORM_NAME || !name)
        return CL_INVALID_VALUE;
    return answer_text(name, bytes, out, needed);
}

cl_int clGetDeviceIDs(cl_platform_id platform, cl_device_type type, cl_uint room, cl_device_id *ids,
                      cl_uint *count)
{
    const struct fake_platform *fake = (const struct fake_platform *)platform;
    if (type != CL_DEVICE_TYPE_ALL)
        return CL_INVALID_DEVICE_TYPE;
    if (fake->code != CL_SUCCESS)
        return fake->code;
    if (count && fake->count) /* some forget to say 0 */
        *count = fake->count;
    for (cl_uint i = 0; ids && i < room && i < fake->count; i++)
        ids[i] = (cl_device_id)&fake->devices[i];
    return CL_SUCCESS;
}

static cl_platform_id platform_of(const struct fake_device *device)
{
    for (cl_uint p = 0; p < world.count; p++)
        for (cl_uint d = 0; d < world.platforms[p].count; d++)
            if (&world.platforms[p].devices[d] == device)
                return (cl_platform_id)&world.platforms[p];
    return NULL;
}

static cl_int device_text(const struct fake_device *device, cl_device_info param, const char **text)
{
    const struct {
        cl_device_info param;
        const char *text;
    } texts[] = {
        {CL_DEVICE_NAME, device->name ? device->name : "a device"},
        {CL_DEVICE_VENDOR, "a vendor"},
        {CL_DEVICE_VERSION, device->version ? device->version : "OpenCL 1.2 fake"},
        {CL_DRIVER_VERSION, "7"},
        {CL_DEVICE_PROFILE, device->profile ? device->profile : "FULL_PROFILE"},
        {CL_DEVICE_EXTENSIONS, device->extensions ? device->extensions : ""},
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        if (texts[i].param == param) {
            *text = texts[i].text;
            return CL_SUCCESS;
        }
    return CL_INVALID_VALUE;
}

cl_int clGetDeviceInfo(cl_device_id id, cl_device_info param, size_t bytes, void *out,
                       size_t *needed)
{
    const struct fake_device *device = (const struct fake_device *)id;
    const cl_platform_id platform = platform_of(device);
    const cl_device_type type = device->type ? device->type : CL_DEVICE_TYPE_GPU;
    const cl_uint units = device->units ? device->units : 4, local_type = CL_LOCAL;
    const cl_bool is_available = !device->is_unavailable, has_compiler = !device->has_no_compiler;
    const cl_bool is_little = !device->is_big_endian, is_shared = CL_TRUE;
    const cl_ulong bytes_of_memory = (cl_ulong)5 << 30;
    const size_t work_group = 256;
    const cl_device_fp_config single_config =
        device->single_config ? device->single_config : CL_FP_ROUND_TO_NEAREST | CL_FP_INF_NAN;
    const struct {
        cl_device_info param;
        const void *value;
        size_t size;
    } values[] = {
        {CL_DEVICE_PLATFORM, &platform, sizeof(platform)},
        {CL_DEVICE_TYPE, &type, sizeof(type)},
        {CL_DEVICE_MAX_COMPUTE_UNITS, &units, sizeof(units)},
        {CL_DEVICE_AVAILABLE, &is_available, sizeof(is_available)},
        {CL_DEVICE_COMPILER_AVAILABLE, &has_compiler, sizeof(has_compiler)},
        {CL_DEVICE_ENDIAN_LITTLE, &is_little, sizeof(is_little)},
        {CL_DEVICE_HOST_UNIFIED_MEMORY, &is_shared, sizeof(is_shared)},
        {CL_DEVICE_GLOBAL_MEM_SIZE, &bytes_of_memory, sizeof(bytes_of_memory)},
        {CL_DEVICE_MAX_MEM_ALLOC_SIZE, &bytes_of_memory, sizeof(bytes_of_memory)},
        {CL_DEVICE_LOCAL_MEM_SIZE, &bytes_of_memory, sizeof(bytes_of_memory)},
        {CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, &bytes_of_memory, sizeof(bytes_of_memory)},
        {CL_DEVICE_LOCAL_MEM_TYPE, &local_type, sizeof(local_type)},
        {CL_DEVICE_MAX_WORK_GROUP_SIZE, &work_group, sizeof(work_group)},
        {CL_DEVICE_SINGLE_FP_CONFIG, &single_config, sizeof(single_config)},
        {0x1032, &device->double_config, sizeof(device->double_config)},
        {UUID, device->uuid, sizeof(device->uuid)},
        {PCI_KHR, device->pci, sizeof(device->pci)},
        {TOPOLOGY_AMD, device->topology, sizeof(device->topology)},
        {BUS_NV, &device->bus, sizeof(device->bus)},
        {SLOT_NV, &device->slot, sizeof(device->slot)},
    };
    const char *text;
    if (param == device->fails)
        return CL_INVALID_VALUE;
    if (device_text(device, param, &text) == CL_SUCCESS)
        return answer_text(text, bytes, out, needed);
    for (size_t i = 0; i < COUNT(values); i++)
        if (values[i].param == param)
            return answer(values[i].value, values[i].size, bytes, out, needed);
    return CL_INVALID_VALUE;
}

#endif

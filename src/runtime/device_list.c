/* SPDX-License-Identifier: MIT */
#include "runtime/device.h"

#include "runtime/opencl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What loaders answer when they find no driver, and platforms that have no device. */
enum { PLATFORM_NOT_FOUND = -1001, DEVICE_NOT_FOUND = -1 };

struct list {
    clnorm_device *devices;
    size_t count;
};

/* The new entry is all zero. */
static clnorm_status list_add(struct list *list, clnorm_device **added, clnorm_error *error)
{
    clnorm_device *grown = realloc(list->devices, (list->count + 1) * sizeof(*grown));
    if (!grown)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no memory for a list of %zu devices",
                           list->count + 1);
    list->devices = grown;
    *added = &grown[list->count++];
    **added = (clnorm_device){.struct_size = sizeof(**added), .alias_of = -1};
    return CLNORM_OK;
}

static void set_place(clnorm_device *device, cl_platform_id platform, unsigned p, unsigned d)
{
    device->platform_id = platform;
    device->platform = p;
    device->ordinal = d;
    if (!device->platform_name[0])
        clnorm_platform_name(platform, device->platform_name, sizeof(device->platform_name));
}

static void set_problem(clnorm_device *device, const clnorm_error *failure)
{
    device->usable = 0;
    snprintf(device->problem, sizeof(device->problem), "%.*s", (int)sizeof(device->problem) - 1,
             failure->text);
}

/* An entry that only says why the platform has no other. */
static clnorm_status add_failure(struct list *list, cl_platform_id platform, unsigned p,
                                 const clnorm_error *failure, clnorm_error *error)
{
    clnorm_device *device = NULL;
    const clnorm_status status = list_add(list, &device, error);
    if (status != CLNORM_OK)
        return status;
    set_place(device, platform, p, 0);
    set_problem(device, failure);
    return CLNORM_OK;
}

static clnorm_status add_device(struct list *list, cl_platform_id platform, unsigned p, unsigned d,
                                cl_device_id id, clnorm_error *error)
{
    clnorm_device *device = NULL;
    clnorm_error failure;
    const clnorm_status status = list_add(list, &device, error);
    if (status != CLNORM_OK)
        return status;
    if (clnorm_device_query(id, device, &failure) != CLNORM_OK)
        set_problem(device, &failure);
    set_place(device, platform, p, d);
    return CLNORM_OK;
}

static clnorm_status add_platform(struct list *list, cl_platform_id platform, unsigned p,
                                  clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    clnorm_error failure;
    cl_uint count = 0;
    cl_device_id *ids = NULL;
    cl_int code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &count);
    if (code == DEVICE_NOT_FOUND || (code == CL_SUCCESS && count == 0))
        return CLNORM_OK;
    if (code == CL_SUCCESS) {
        ids = calloc(count, sizeof(*ids));
        if (!ids)
            return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no memory for %u device handles",
                               (unsigned)count);
        code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, count, ids, NULL);
    }
    if (code != CL_SUCCESS) {
        clnorm_cl_check(code, "clGetDeviceIDs", &failure);
        status = add_failure(list, platform, p, &failure, error);
    }
    for (cl_uint d = 0; code == CL_SUCCESS && status == CLNORM_OK && d < count; d++)
        status = add_device(list, platform, p, d, ids[d], error);
    free(ids);
    return status;
}

static clnorm_status add_all(struct list *list, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    cl_platform_id *platforms = NULL;
    cl_uint count = 0;
    const cl_int code = clGetPlatformIDs(0, NULL, &count);
    if (code == PLATFORM_NOT_FOUND || (code == CL_SUCCESS && count == 0))
        return CLNORM_OK;
    TRY(clnorm_cl_check(code, "clGetPlatformIDs", error));
    platforms = calloc(count, sizeof(*platforms));
    if (!platforms)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no memory for %u platform handles",
                           (unsigned)count);
    TRY_CL(clGetPlatformIDs(count, platforms, NULL));
    for (cl_uint p = 0; p < count; p++)
        TRY(add_platform(list, platforms[p], p, error));
fail:
    free(platforms);
    return status;
}

clnorm_status clnorm_devices_list(clnorm_device **devices, size_t *count, clnorm_error *error)
{
    struct list list = {NULL, 0};
    if (!devices || !count)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL", !devices ? "devices" : "count");
    const clnorm_status status = add_all(&list, error);
    if (status != CLNORM_OK) {
        free(list.devices);
        return status;
    }
    clnorm_devices_mark_aliases(list.devices, list.count);
    clnorm_devices_sort(list.devices, list.count);
    *devices = list.devices;
    *count = list.count;
    return CLNORM_OK;
}

void clnorm_devices_free(clnorm_device *devices) { free(devices); }

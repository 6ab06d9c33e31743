/* SPDX-License-Identifier: MIT */
#include "runtime/device.h"

#include "runtime/device_facts.h"
#include "runtime/opencl.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Where an answer goes. */

struct field {
    cl_device_info param;
    const char *call;
    size_t offset, bytes;
    bool is_optional;
};

#define FIELD(type, member, param, is_optional)                                                    \
    {                                                                                              \
        param, "clGetDeviceInfo " #param, offsetof(type, member), sizeof(((type *)0)->member),     \
            is_optional                                                                            \
    }

static const struct field device_numbers[] = {
    FIELD(clnorm_device, platform_id, CL_DEVICE_PLATFORM, false),
    FIELD(clnorm_device, type, CL_DEVICE_TYPE, false),
    FIELD(clnorm_device, compute_units, CL_DEVICE_MAX_COMPUTE_UNITS, false),
    FIELD(clnorm_device, global_bytes, CL_DEVICE_GLOBAL_MEM_SIZE, false),
    FIELD(clnorm_device, max_alloc_bytes, CL_DEVICE_MAX_MEM_ALLOC_SIZE, false),
    FIELD(clnorm_device, local_bytes, CL_DEVICE_LOCAL_MEM_SIZE, false),
    FIELD(clnorm_device, max_work_group, CL_DEVICE_MAX_WORK_GROUP_SIZE, false),
    FIELD(clnorm_device, cache_bytes, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, true),
    FIELD(clnorm_device, shares_host_memory, CL_DEVICE_HOST_UNIFIED_MEMORY, true),
};

static const struct field fact_numbers[] = {
    FIELD(struct device_facts, available, CL_DEVICE_AVAILABLE, false),
    FIELD(struct device_facts, has_compiler, CL_DEVICE_COMPILER_AVAILABLE, false),
    FIELD(struct device_facts, is_little_endian, CL_DEVICE_ENDIAN_LITTLE, false),
    FIELD(struct device_facts, local_type, CL_DEVICE_LOCAL_MEM_TYPE, false),
    FIELD(struct device_facts, single_config, CL_DEVICE_SINGLE_FP_CONFIG, false),
};

static clnorm_status read_numbers(cl_device_id id, const struct field *fields, size_t count,
                                  void *into, clnorm_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        char value[sizeof(uint64_t)] = {0};
        const cl_int code = clGetDeviceInfo(id, field->param, field->bytes, value, NULL);
        if (code != CL_SUCCESS && !field->is_optional)
            return clnorm_cl_check(code, field->call, error);
        if (code == CL_SUCCESS)
            memcpy((char *)into + field->offset, value, field->bytes);
    }
    return CLNORM_OK;
}

/* clGetDeviceInfo and clGetPlatformInfo as one type. */
typedef cl_int (*info_fn)(void *object, cl_uint param, size_t bytes, void *value, size_t *needed);

static cl_int device_info(void *id, cl_uint param, size_t bytes, void *value, size_t *needed)
{
    return clGetDeviceInfo(id, param, bytes, value, needed);
}

static cl_int platform_info(void *id, cl_uint param, size_t bytes, void *value, size_t *needed)
{
    return clGetPlatformInfo(id, param, bytes, value, needed);
}

/* Printable ASCII with single blanks: names come with newlines, runs of blanks, broken UTF-8. */
static void tidy(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        const bool is_blank = *from == ' ' || (*from >= '\t' && *from <= '\r');
        if (is_blank && (to == text || to[-1] == ' '))
            continue;
        *to++ = is_blank ? ' ' : (*from > ' ' && *from <= '~') ? *from : '?';
    }
    if (to > text && to[-1] == ' ')
        to--;
    *to = '\0';
}

static clnorm_status read_text(info_fn info, void *object, cl_uint param, const char *call,
                               char **text, clnorm_error *error)
{
    size_t bytes = 0;
    *text = NULL;
    cl_int code = info(object, param, 0, NULL, &bytes);
    if (code != CL_SUCCESS)
        return clnorm_cl_check(code, call, error);
    char *read = calloc(bytes + 1, 1);
    if (!read)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no memory for the %zu bytes of %s", bytes,
                           call);
    code = bytes ? info(object, param, bytes, read, NULL) : CL_SUCCESS;
    if (code != CL_SUCCESS) {
        free(read);
        return clnorm_cl_check(code, call, error);
    }
    tidy(read);
    *text = read;
    return CLNORM_OK;
}

void clnorm_platform_name(cl_platform_id platform, char *name, size_t capacity)
{
    char *text = NULL;
    read_text(platform_info, platform, CL_PLATFORM_NAME, "", &text, NULL);
    snprintf(name, capacity, "%s", text && text[0] ? text : "?");
    free(text);
}

static const struct field device_texts[] = {
    FIELD(clnorm_device, name, CL_DEVICE_NAME, false),
    FIELD(clnorm_device, vendor, CL_DEVICE_VENDOR, false),
    FIELD(clnorm_device, version, CL_DEVICE_VERSION, false),
    FIELD(clnorm_device, driver, CL_DRIVER_VERSION, false),
};

static clnorm_status read_texts(cl_device_id id, clnorm_device *device, clnorm_error *error)
{
    for (size_t i = 0; i < COUNT(device_texts); i++) {
        char *text = NULL;
        const clnorm_status status =
            read_text(device_info, id, device_texts[i].param, device_texts[i].call, &text, error);
        if (status != CLNORM_OK)
            return status;
        snprintf((char *)device + device_texts[i].offset, device_texts[i].bytes, "%s", text);
        free(text);
    }
    return CLNORM_OK;
}

clnorm_status clnorm_device_query(cl_device_id id, clnorm_device *device, clnorm_error *error)
{
    clnorm_status status;
    struct device_facts facts = {0};
    *device = (clnorm_device){.struct_size = sizeof(*device), .device_id = id, .alias_of = -1};
    TRY(read_numbers(id, device_numbers, COUNT(device_numbers), device, error));
    clnorm_platform_name(device->platform_id, device->platform_name, sizeof(device->platform_name));
    TRY(read_numbers(id, fact_numbers, COUNT(fact_numbers), &facts, error));
    TRY(read_texts(id, device, error));
    TRY(read_text(device_info, id, CL_DEVICE_PROFILE, "clGetDeviceInfo CL_DEVICE_PROFILE",
                  &facts.profile, error));
    TRY(read_text(device_info, id, CL_DEVICE_EXTENSIONS, "clGetDeviceInfo CL_DEVICE_EXTENSIONS",
                  &facts.extensions, error));
    device->local_is_global = facts.local_type != CL_LOCAL;
    clnorm_device_read_extensions(device, &facts);
    clnorm_device_judge(device, &facts);
fail:
    free(facts.profile);
    free(facts.extensions);
    return status;
}

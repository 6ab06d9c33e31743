/* SPDX-License-Identifier: MIT */
#include "runtime/context.h"
#include "runtime/device.h"
#include "runtime/mem_table.h"
#include "runtime/program.h"
#include "runtime/program_cache.h"
#include "runtime/queue.h"

#include <stdlib.h>

#ifdef _WIN32
static long process_id(void) { return 0; } /* no fork */
#else
#include <unistd.h>
static long process_id(void) { return (long)getpid(); }
#endif

static unsigned float_width(cl_device_id device)
{
    cl_uint width = 0;
    clGetDeviceInfo(device, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof(width), &width, NULL);
    return width;
}

/* Takes over one reference of `cl`, also on failure. */
static clnorm_status make(cl_context cl, const clnorm_device *device, clnorm_log_fn log, void *user,
                          clnorm_context **out, clnorm_error *error)
{
    clnorm_context *context = calloc(1, sizeof(*context));
    clnorm_mem_table *mems = clnorm_mem_table_create(cl);
    if (!context || !mems) {
        free(context);
        clnorm_mem_table_release(mems);
        clReleaseContext(cl);
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for a context");
    }
    *context = (clnorm_context){.cl = cl,
                                .device = *device,
                                .float_width = float_width(device->device_id),
                                .subgroups = clnorm_subgroups_of(device),
                                .log = log,
                                .user = user,
                                .process = process_id(),
                                .lock = CLNORM_LOCK_INIT,
                                .queues = {.lock = CLNORM_LOCK_INIT},
                                .mems = mems};
    clnorm_log(context, CLNORM_LOG_INFO, "device: %s (%s, driver %s)", device->name,
               device->platform_name, device->driver);
    *out = context;
    return CLNORM_OK;
}

static clnorm_status find_device(const char *selector, clnorm_device *device, clnorm_error *error)
{
    clnorm_device *list = NULL;
    size_t *chosen = NULL;
    size_t count = 0, n_chosen = 0;
    clnorm_status status = clnorm_devices_list(&list, &count, error);
    if (status != CLNORM_OK)
        return status;
    chosen = malloc((count + 1) * sizeof(*chosen));
    status =
        chosen ? clnorm_devices_select(list, count, selector, chosen, &n_chosen, error)
               : clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu devices", count);
    if (status == CLNORM_OK)
        *device = list[chosen[0]];
    free(chosen);
    clnorm_devices_free(list);
    return status;
}

clnorm_status clnorm_context_create(const char *selector, clnorm_log_fn log, void *user,
                                    clnorm_context **context, clnorm_error *error)
{
    clnorm_device device;
    cl_context cl;
    cl_int code;
    clnorm_status status;
    if (!context)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "context is NULL: nowhere to put the result");
    TRY(find_device(selector, &device, error));
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM,
                                                (cl_context_properties)device.platform_id, 0};
    cl = clCreateContext(properties, 1, &device.device_id, NULL, NULL, &code);
    TRY(clnorm_cl_check(code, "clCreateContext", error));
    return make(cl, &device, log, user, context, error);
fail:
    return status;
}

static clnorm_status check_member(cl_context cl, cl_device_id device, clnorm_error *error)
{
    clnorm_status status;
    size_t bytes = 0;
    cl_device_id *members = NULL;
    bool found = false;
    TRY_CL(clGetContextInfo(cl, CL_CONTEXT_DEVICES, 0, NULL, &bytes));
    members = malloc(bytes);
    if (!members)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu bytes", bytes);
    TRY_CL(clGetContextInfo(cl, CL_CONTEXT_DEVICES, bytes, members, NULL));
    for (size_t i = 0; i < bytes / sizeof(*members); i++)
        found |= members[i] == device;
    if (!found)
        status = clnorm_fail(error, CLNORM_BAD_ARGS,
                             "the device is none of the %zu devices of the OpenCL context",
                             bytes / sizeof(*members));
fail:
    free(members);
    return status;
}

clnorm_status clnorm_context_wrap(cl_context cl, cl_device_id device, clnorm_log_fn log, void *user,
                                  clnorm_context **context, clnorm_error *error)
{
    clnorm_device info = {.struct_size = sizeof(info), .alias_of = -1};
    clnorm_status status;
    if (!cl || !device || !context)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL",
                           !cl       ? "cl"
                           : !device ? "device"
                                     : "context");
    TRY(check_member(cl, device, error));
    TRY(clnorm_device_query(device, &info, error));
    if (!info.usable)
        return clnorm_fail(error, CLNORM_UNSUPPORTED, "device %s: %s", info.name, info.problem);
    TRY_CL(clRetainContext(cl));
    return make(cl, &info, log, user, context, error);
fail:
    return status;
}

void clnorm_context_destroy(clnorm_context *context)
{
    if (!context)
        return;
    clnorm_programs_release(context);
    clnorm_program_cache_close(context);
    clnorm_tuning_table_release(&context->tuning);
    clnorm_queues_forget(context);
    clnorm_mem_table_release(context->mems);
    clReleaseContext(context->cl);
    free(context);
}

clnorm_status clnorm_context_set_self_test(clnorm_context *context, clnorm_self_test_policy policy,
                                           clnorm_error *error)
{
    if (!context)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "context is NULL");
    if ((int)policy < 0 || policy > CLNORM_SELF_TEST_ALWAYS)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "policy is %d: must be CLNORM_SELF_TEST_FIRST_USE (0), _OFF (1) or "
                           "_ALWAYS (2)",
                           (int)policy);
    lock_take(&context->lock);
    context->self_test = policy;
    lock_give(&context->lock);
    return CLNORM_OK;
}

clnorm_self_test_policy clnorm_context_self_test(clnorm_context *context)
{
    lock_take(&context->lock);
    const clnorm_self_test_policy policy = context->self_test;
    lock_give(&context->lock);
    return policy;
}

cl_context clnorm_context_cl(const clnorm_context *context) { return context->cl; }

const clnorm_device *clnorm_context_device(const clnorm_context *context)
{
    return &context->device;
}

clnorm_status clnorm_context_check(const clnorm_context *context, clnorm_error *error)
{
    if (context->process == process_id())
        return CLNORM_OK;
    return clnorm_fail(error, CLNORM_FORKED,
                       "the context was made in process %ld and cannot be used in its child %ld: "
                       "create it after the fork",
                       context->process, process_id());
}

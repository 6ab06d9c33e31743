/* SPDX-License-Identifier: MIT */
/* An OpenCL layer for tests: counts calls, falsifies what a kernel writes, loses launches. See
 * layer.h. */
#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_0_APIS
#define CL_USE_DEPRECATED_OPENCL_1_1_APIS
#include <CL/cl_layer.h>

#include "layer.h"

#include <algorithm>
#include <atomic>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace
{
#define FUNCTIONS(F)                                                                               \
    F(clGetPlatformIDs)                                                                            \
    F(clGetPlatformInfo)                                                                           \
    F(clGetDeviceIDs)                                                                              \
    F(clGetDeviceInfo)                                                                             \
    F(clCreateSubDevices)                                                                          \
    F(clRetainDevice)                                                                              \
    F(clReleaseDevice)                                                                             \
    F(clCreateContext)                                                                             \
    F(clCreateContextFromType)                                                                     \
    F(clRetainContext)                                                                             \
    F(clReleaseContext)                                                                            \
    F(clGetContextInfo)                                                                            \
    F(clCreateCommandQueue)                                                                        \
    F(clRetainCommandQueue)                                                                        \
    F(clReleaseCommandQueue)                                                                       \
    F(clGetCommandQueueInfo)                                                                       \
    F(clCreateBuffer)                                                                              \
    F(clCreateSubBuffer)                                                                           \
    F(clCreateImage)                                                                               \
    F(clRetainMemObject)                                                                           \
    F(clReleaseMemObject)                                                                          \
    F(clSetMemObjectDestructorCallback)                                                            \
    F(clGetMemObjectInfo)                                                                          \
    F(clGetImageInfo)                                                                              \
    F(clCreateProgramWithSource)                                                                   \
    F(clCreateProgramWithBinary)                                                                   \
    F(clCreateProgramWithBuiltInKernels)                                                           \
    F(clRetainProgram)                                                                             \
    F(clReleaseProgram)                                                                            \
    F(clBuildProgram)                                                                              \
    F(clCompileProgram)                                                                            \
    F(clLinkProgram)                                                                               \
    F(clUnloadPlatformCompiler)                                                                    \
    F(clGetProgramInfo)                                                                            \
    F(clGetProgramBuildInfo)                                                                       \
    F(clCreateKernel)                                                                              \
    F(clCreateKernelsInProgram)                                                                    \
    F(clRetainKernel)                                                                              \
    F(clReleaseKernel)                                                                             \
    F(clSetKernelArg)                                                                              \
    F(clGetKernelInfo)                                                                             \
    F(clGetKernelArgInfo)                                                                          \
    F(clGetKernelWorkGroupInfo)                                                                    \
    F(clWaitForEvents)                                                                             \
    F(clGetEventInfo)                                                                              \
    F(clCreateUserEvent)                                                                           \
    F(clRetainEvent)                                                                               \
    F(clReleaseEvent)                                                                              \
    F(clSetUserEventStatus)                                                                        \
    F(clSetEventCallback)                                                                          \
    F(clGetEventProfilingInfo)                                                                     \
    F(clFlush)                                                                                     \
    F(clFinish)                                                                                    \
    F(clEnqueueReadBuffer)                                                                         \
    F(clEnqueueReadBufferRect)                                                                     \
    F(clEnqueueWriteBuffer)                                                                        \
    F(clEnqueueWriteBufferRect)                                                                    \
    F(clEnqueueFillBuffer)                                                                         \
    F(clEnqueueCopyBuffer)                                                                         \
    F(clEnqueueCopyBufferRect)                                                                     \
    F(clEnqueueMapBuffer)                                                                          \
    F(clEnqueueUnmapMemObject)                                                                     \
    F(clEnqueueMigrateMemObjects)                                                                  \
    F(clEnqueueNDRangeKernel)                                                                      \
    F(clEnqueueTask)                                                                               \
    F(clEnqueueNativeKernel)                                                                       \
    F(clEnqueueMarkerWithWaitList)                                                                 \
    F(clEnqueueBarrierWithWaitList)                                                                \
    F(clEnqueueMarker)                                                                             \
    F(clEnqueueWaitForEvents)                                                                      \
    F(clEnqueueBarrier)                                                                            \
    F(clGetExtensionFunctionAddressForPlatform)

enum function {
#define NUMBER(name) N_##name,
    FUNCTIONS(NUMBER) FUNCTION_COUNT
#undef NUMBER
};

const char *const names[] = {
#define NAME(name) #name,
    FUNCTIONS(NAME)
#undef NAME
};

cl_icd_dispatch target, table; /* what we call, and what the loader calls */
std::atomic<unsigned long> counts[FUNCTION_COUNT], falsified_count;

/* The function of the table that counts and passes on. */
template <auto entry, function number> struct counted;
template <class Result, class... Args, Result (*cl_icd_dispatch::*entry)(Args...), function number>
struct counted<entry, number> {
    static Result call(Args... args)
    {
        counts[number]++;
        return (target.*entry)(args...);
    }
};

/* ---- falsifying ---------------------------------------------------------------------------- */

struct output {
    cl_mem mem;
    cl_ulong offset;
};

std::mutex lock; /* of what follows */
std::string rule_kernel, rule_options;
std::map<cl_kernel, output> outputs;

void falsify(const char *rule)
{
    const std::lock_guard<std::mutex> hold(lock);
    const std::string text = rule ? rule : "";
    const size_t colon = std::min(text.find(':'), text.size());
    rule_kernel = text.substr(0, colon);
    rule_options = text.substr(std::min(colon + 1, text.size()));
}

/* Zero for an argument of another type. */
template <class T> T argument(size_t bytes, const void *value)
{
    T result = {};
    if (value && bytes == sizeof(result))
        memcpy(&result, value, bytes);
    return result;
}

cl_int set_arg(cl_kernel kernel, cl_uint index, size_t bytes, const void *value)
{
    {
        const std::lock_guard<std::mutex> hold(lock);
        /* each stays as it is until it is set again */
        if (index == 0)
            outputs[kernel].mem = argument<cl_mem>(bytes, value);
        if (index == 1)
            outputs[kernel].offset = argument<cl_ulong>(bytes, value);
    }
    return counted<&cl_icd_dispatch::clSetKernelArg, N_clSetKernelArg>::call(kernel, index, bytes,
                                                                             value);
}

std::string name_of(cl_kernel kernel)
{
    char name[256] = "";
    target.clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof(name), name, nullptr);
    return name;
}

std::string options_of(cl_command_queue queue, cl_kernel kernel)
{
    cl_program program = nullptr;
    cl_device_id device = nullptr;
    char options[4096] = "";
    target.clGetKernelInfo(kernel, CL_KERNEL_PROGRAM, sizeof(program), &program, nullptr);
    target.clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof(device), &device, nullptr);
    target.clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_OPTIONS, sizeof(options),
                                 options, nullptr);
    return std::string(" ") + options + " ";
}

/* The output to overwrite; without a buffer: none. */
output wanted(cl_command_queue queue, cl_kernel kernel)
{
    const std::lock_guard<std::mutex> hold(lock);
    const auto found = outputs.find(kernel);
    if (rule_kernel.empty() || found == outputs.end() || name_of(kernel) != rule_kernel ||
        options_of(queue, kernel).find(rule_options) == std::string::npos)
        return {};
    return found->second;
}

/* Each byte becomes one that makes a plausible number in any type. */
cl_int overwrite(cl_command_queue queue, output out, cl_event after, cl_event *event)
{
    const unsigned char pattern = 0x41;
    size_t bytes = 0;
    target.clGetMemObjectInfo(out.mem, CL_MEM_SIZE, sizeof(bytes), &bytes, nullptr);
    const size_t first = out.offset < bytes ? static_cast<size_t>(out.offset) : 0;
    falsified_count++;
    return target.clEnqueueFillBuffer(queue, out.mem, &pattern, sizeof(pattern), first,
                                      bytes - first, 1, &after, event);
}

cl_int enqueue(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
               const size_t *global, const size_t *local, cl_uint n_wait, const cl_event *wait_list,
               cl_event *event)
{
    const output out = wanted(queue, kernel);
    cl_event done = nullptr;
    cl_int code = counted<&cl_icd_dispatch::clEnqueueNDRangeKernel, N_clEnqueueNDRangeKernel>::call(
        queue, kernel, dimensions, offset, global, local, n_wait, wait_list,
        out.mem ? &done : event);
    if (code || !out.mem)
        return code;
    code = overwrite(queue, out, done, event);
    target.clReleaseEvent(done);
    return code;
}

/* ---- losing -------------------------------------------------------------------------------- */

std::string lost_kernel;
unsigned long left; /* launches of it that are not lost */

void lose(const char *rule)
{
    const char *const colon = rule ? strchr(rule, ':') : nullptr;
    if (!colon)
        return;
    lost_kernel = std::string(rule, colon);
    left = strtoul(colon + 1, nullptr, 10);
}

bool is_lost(cl_kernel kernel)
{
    const std::lock_guard<std::mutex> hold(lock);
    if (lost_kernel.empty() || name_of(kernel) != lost_kernel)
        return false;
    return left == 0 || left-- == 0;
}

cl_int launch(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
              const size_t *global, const size_t *local, cl_uint n_wait, const cl_event *wait_list,
              cl_event *event)
{
    return is_lost(kernel) ? target.clEnqueueMarkerWithWaitList(queue, n_wait, wait_list, event)
                           : enqueue(queue, kernel, dimensions, offset, global, local, n_wait,
                                     wait_list, event);
}

/* ---- what tests see ------------------------------------------------------------------------ */

unsigned long calls(const char *name)
{
    for (int i = 0; i < FUNCTION_COUNT; i++)
        if (!strcmp(names[i], name))
            return counts[i];
    return ULONG_MAX;
}

unsigned long all_calls()
{
    unsigned long sum = 0;
    for (const auto &count : counts)
        sum += count;
    return sum;
}

void reset()
{
    for (auto &count : counts)
        count = 0;
    falsified_count = 0;
}

void write_to(FILE *file)
{
    for (int i = 0; i < FUNCTION_COUNT; i++)
        if (counts[i])
            fprintf(file, "%s %lu\n", names[i], counts[i].load());
    fprintf(file, "falsified %lu\n", falsified_count.load());
}

void print() { write_to(stdout); }
unsigned long falsified() { return falsified_count; }

struct report {
    ~report()
    {
        const char *path = getenv("CLNORM_LAYER_REPORT");
        FILE *file = path ? fopen(path, "w") : nullptr;
        if (!file)
            return;
        write_to(file);
        fclose(file);
    }
} at_end;

cl_int init(cl_uint entries, const cl_icd_dispatch *theirs, cl_uint *entries_ret,
            const cl_icd_dispatch **table_ret)
{
    if (!theirs || !entries_ret || !table_ret)
        return CL_INVALID_VALUE;
    /* a loader that is older has a shorter table */
    memcpy(&target, theirs, std::min(entries * sizeof(void *), sizeof(target)));
#define COUNTED(name) table.name = counted<&cl_icd_dispatch::name, N_##name>::call;
    FUNCTIONS(COUNTED)
#undef COUNTED
    table.clSetKernelArg = set_arg;
    table.clEnqueueNDRangeKernel = launch;
    falsify(getenv("CLNORM_LAYER_FALSIFY"));
    lose(getenv("CLNORM_LAYER_LOSE"));
    *entries_ret = sizeof(table) / sizeof(void *);
    *table_ret = &table;
    return CL_SUCCESS;
}
} // namespace

EXPORT const struct layer clnorm_test_layer = {calls, all_calls, reset, print, falsify, falsified};

EXPORT cl_int clGetLayerInfo(cl_layer_info info, size_t room, void *value, size_t *bytes_ret)
{
    const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
    const char name[] = "clnorm test layer";
    const void *from = info == CL_LAYER_API_VERSION ? static_cast<const void *>(&version) : name;
    const size_t bytes = info == CL_LAYER_API_VERSION ? sizeof(version) : sizeof(name);
    if ((info != CL_LAYER_API_VERSION && info != CL_LAYER_NAME) || (value && room < bytes))
        return CL_INVALID_VALUE;
    if (value)
        memcpy(value, from, bytes);
    if (bytes_ret)
        *bytes_ret = bytes;
    return CL_SUCCESS;
}

EXPORT cl_int clInitLayer(cl_uint entries, const cl_icd_dispatch *theirs, cl_uint *entries_ret,
                          const cl_icd_dispatch **table_ret)
{
    return init(entries, theirs, entries_ret, table_ret);
}

/* What loaders since 2024 ask for instead. */
EXPORT cl_int clInitLayerWithProperties(cl_uint entries, const cl_icd_dispatch *theirs,
                                        cl_uint *entries_ret, const cl_icd_dispatch **table_ret,
                                        const cl_bitfield *)
{
    return init(entries, theirs, entries_ret, table_ret);
}

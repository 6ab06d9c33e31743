/* SPDX-License-Identifier: MIT */
#include "common/device.h"
#include "common/trace.h"

#include <stdio.h>
#include <stdlib.h>

enum { GPU_GROUP = 64, STRETCHES_PER_CORE = 16, GPU_ITEMS_PER_UNIT = 1024 };

extern const char ex_each_cl[];

static void print_warning(void *user, clnorm_log_level level, const char *text)
{
    (void)user;
    if (level == CLNORM_LOG_WARNING)
        fprintf(stderr, "clnorm: %s\n", text);
}

static void choose_launch(struct ex_device *device)
{
    const clnorm_device *about = clnorm_context_device(device->context);
    const size_t units = about->compute_units ? about->compute_units : 1;
    device->stretches = !(about->type & CL_DEVICE_TYPE_GPU);
    device->group = device->stretches ? 1 : GPU_GROUP;
    while (device->group > about->max_work_group)
        device->group /= 2;
    device->items = units * (device->stretches ? STRETCHES_PER_CORE : GPU_ITEMS_PER_UNIT);
}

void ex_device_open(struct ex_device *device, const char *selector, bool profiling)
{
    clnorm_error error;
    cl_int code;
    *device = (struct ex_device){0};
    ex_must(clnorm_context_create(selector, print_warning, NULL, &device->context, &error), &error);
    ex_must(clnorm_context_set_cache(device->context, getenv("CLNORM_CACHE_DIR"), 0, &error),
            &error);
    ex_must(clnorm_context_set_tuning(device->context, getenv("CLNORM_TUNE_FILE"), &error), &error);
    device->cl = clnorm_context_cl(device->context);
    device->id = clnorm_context_device(device->context)->device_id;
    device->queue = clCreateCommandQueue(device->cl, device->id,
                                         profiling ? CL_QUEUE_PROFILING_ENABLE : 0, &code);
    ex_must_cl(code, "clCreateCommandQueue");
    choose_launch(device);
}

void ex_device_close(struct ex_device *device)
{
    ex_finish(device);
    clReleaseCommandQueue(device->queue);
    clnorm_context_destroy(device->context);
    *device = (struct ex_device){0};
}

void ex_finish(struct ex_device *device) { ex_must_cl(clFinish(device->queue), "clFinish"); }

cl_mem ex_buffer(struct ex_device *device, size_t bytes, const void *data)
{
    cl_int code;
    void *zeros = data ? NULL : ex_alloc(bytes, 1);
    cl_mem buffer = clCreateBuffer(device->cl, CL_MEM_READ_WRITE, bytes ? bytes : 1, NULL, &code);
    if (code != CL_SUCCESS)
        ex_die(EX_DEVICE, "no buffer of %zu bytes: OpenCL error %d", bytes, code);
    if (bytes)
        ex_write(device, buffer, 0, bytes, data ? data : zeros);
    free(zeros);
    return buffer;
}

cl_mem ex_sub_buffer(cl_mem buffer, size_t at, size_t bytes)
{
    const cl_buffer_region region = {at, bytes};
    cl_int code;
    cl_mem part =
        clCreateSubBuffer(buffer, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    ex_must_cl(code, "clCreateSubBuffer");
    return part;
}

size_t ex_alignment(const struct ex_device *device)
{
    cl_uint bits = 0;
    ex_must_cl(
        clGetDeviceInfo(device->id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof(bits), &bits, NULL),
        "clGetDeviceInfo");
    return bits >= 8 ? bits / 8 : 1;
}

clnorm_tensor ex_tensor(cl_mem buffer, uint64_t offset)
{
    const clnorm_tensor tensor = {buffer, offset, 0};
    return tensor;
}

void ex_read(struct ex_device *device, cl_mem from, size_t offset, size_t bytes, void *to)
{
    ex_must_cl(clEnqueueReadBuffer(device->queue, from, CL_TRUE, offset, bytes, to, 0, NULL, NULL),
               "clEnqueueReadBuffer");
}

void ex_write(struct ex_device *device, cl_mem to, size_t offset, size_t bytes, const void *from)
{
    ex_must_cl(clEnqueueWriteBuffer(device->queue, to, CL_TRUE, offset, bytes, from, 0, NULL, NULL),
               "clEnqueueWriteBuffer");
}

/* ---- kernels ---- */

static _Noreturn void die_of_build(struct ex_device *device, cl_program program, const char *name)
{
    size_t bytes = 0;
    clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &bytes);
    char *log = ex_alloc(bytes + 1, 1);
    clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, bytes, log, NULL);
    ex_die(EX_DEVICE, "%s does not compile:\n%s", name, log);
}

const char *ex_build_options(const struct ex_device *device)
{
    return device->stretches ? "-DVEC=16 -DSTRETCHES=1" : "-DVEC=4 -DSTRETCHES=0";
}

size_t ex_vector_width(const struct ex_device *device) { return device->stretches ? 16 : 4; }

cl_program ex_program(struct ex_device *device, const char *name, const char *text,
                      const char *options)
{
    cl_int code;
    const char *const texts[] = {ex_each_cl, "#line 1\n", text};
    const cl_uint n = sizeof(texts) / sizeof(texts[0]);
    cl_program program =
        clCreateProgramWithSource(device->cl, n, (const char **)(uintptr_t)texts, NULL, &code);
    ex_must_cl(code, "clCreateProgramWithSource");
    if (clBuildProgram(program, 1, &device->id, options, NULL, NULL) != CL_SUCCESS)
        die_of_build(device, program, name);
    return program;
}

cl_kernel ex_kernel(cl_program program, const char *name)
{
    cl_int code;
    cl_kernel kernel = clCreateKernel(program, name, &code);
    if (code != CL_SUCCESS)
        ex_die(EX_DEVICE, "no kernel %s: OpenCL error %d", name, code);
    return kernel;
}

void ex_launch(struct ex_device *device, int label, cl_kernel kernel, size_t items, size_t group,
               const struct ex_value *values, size_t n)
{
    const size_t global = (items + group - 1) / group * group;
    for (size_t i = 0; i < n; i++)
        ex_must_cl(clSetKernelArg(kernel, (cl_uint)i, values[i].bytes, values[i].at),
                   "clSetKernelArg");
    ex_must_cl(clEnqueueNDRangeKernel(device->queue, kernel, 1, NULL, &global, &group, 0, NULL,
                                      ex_event(device, label)),
               "clEnqueueNDRangeKernel");
}

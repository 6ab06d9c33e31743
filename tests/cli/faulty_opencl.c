/* SPDX-License-Identifier: MIT */
/* Loaded before the OpenCL library (LD_PRELOAD): a driver with one fault, that CLNORM_TEST_FAULT
 * names. */
#define _GNU_SOURCE
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static int has_fault(const char *name)
{
    const char *fault = getenv("CLNORM_TEST_FAULT");
    return fault && strcmp(fault, name) == 0;
}

static int is_basic(cl_command_queue queue)
{
    cl_device_id device;
    char name[256] = "";
    clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof(device), &device, NULL);
    clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof(name) - 1, name, NULL);
    return strstr(name, "basic") != NULL;
}

/* "lazy": kernels are accepted and do nothing; "lazy basic": on PoCL's basic device. */
cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
                              const size_t *offset, const size_t *global, const size_t *local,
                              cl_uint n_wait, const cl_event *wait_list, cl_event *event)
{
    cl_int (*real)(cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *,
                   const size_t *, cl_uint, const cl_event *, cl_event *);
    if (has_fault("lazy") || (has_fault("lazy basic") && is_basic(queue)))
        return clEnqueueMarkerWithWaitList(queue, n_wait, wait_list, event);
    *(void **)&real = dlsym(RTLD_NEXT, "clEnqueueNDRangeKernel");
    return real(queue, kernel, dimensions, offset, global, local, n_wait, wait_list, event);
}

/* "source": programs are made from binaries only. */
cl_program clCreateProgramWithSource(cl_context context, cl_uint count, const char **texts,
                                     const size_t *lengths, cl_int *code)
{
    cl_program (*real)(cl_context, cl_uint, const char **, const size_t *, cl_int *);
    if (has_fault("source")) {
        *code = CL_INVALID_OPERATION;
        return NULL;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "clCreateProgramWithSource");
    return real(context, count, texts, lengths, code);
}

/* "build": no program compiles; "build log": and the log says where. */
cl_int clBuildProgram(cl_program program, cl_uint n_devices, const cl_device_id *devices,
                      const char *options, void (*notify)(cl_program, void *), void *user)
{
    cl_int (*real)(cl_program, cl_uint, const cl_device_id *, const char *,
                   void (*)(cl_program, void *), void *);
    if (has_fault("build") || has_fault("build log"))
        return CL_BUILD_PROGRAM_FAILURE;
    *(void **)&real = dlsym(RTLD_NEXT, "clBuildProgram");
    return real(program, n_devices, devices, options, notify, user);
}

cl_int clGetProgramBuildInfo(cl_program program, cl_device_id device, cl_program_build_info what,
                             size_t bytes, void *value, size_t *needed)
{
    static const char log[] = "Compilation started\n"
                              "row_norm.cl:12:3: error: of the test\n"
                              "   12 | int x = y;\n"
                              "row_norm.cl:13:3: error: another\n"
                              "Compilation failed\n";
    cl_int (*real)(cl_program, cl_device_id, cl_program_build_info, size_t, void *, size_t *);
    if (has_fault("build log") && what == CL_PROGRAM_BUILD_LOG) {
        if (needed)
            *needed = sizeof(log);
        if (value && bytes >= sizeof(log))
            memcpy(value, log, sizeof(log));
        return CL_SUCCESS;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "clGetProgramBuildInfo");
    return real(program, device, what, bytes, value, needed);
}

/* "memory": no buffer can be had. */
cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t bytes, void *host,
                      cl_int *code)
{
    cl_mem (*real)(cl_context, cl_mem_flags, size_t, void *, cl_int *);
    if (has_fault("memory")) {
        if (code)
            *code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
        return NULL;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "clCreateBuffer");
    return real(context, flags, bytes, host, code);
}

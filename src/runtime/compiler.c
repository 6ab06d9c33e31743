/* SPDX-License-Identifier: MIT */
#include "runtime/compiler.h"
#include "base/lock.h"

#include <stdlib.h>

/* Several drivers' compilers are not safe in two threads at once. */
static clnorm_lock build_lock = CLNORM_LOCK_INIT;

cl_int clnorm_compiler_build(cl_program program, cl_device_id device, const char *options)
{
    lock_take(&build_lock);
    const cl_int code = clBuildProgram(program, 1, &device, options, NULL, NULL);
    lock_give(&build_lock);
    return code;
}

/* The i-th of a program's n devices: an application's context may have several. */
static unsigned char *binary_of(cl_program program, size_t i, size_t n, size_t *bytes)
{
    unsigned char *binary = NULL;
    size_t *sizes = calloc(n, sizeof(*sizes));
    unsigned char **binaries = calloc(n, sizeof(*binaries)); /* NULL: not wanted */
    if (sizes && binaries &&
        !clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, n * sizeof(*sizes), sizes, NULL) &&
        sizes[i] > 0)
        binary = malloc(sizes[i]);
    if (binary) {
        binaries[i] = binary;
        *bytes = sizes[i];
        /* exactly that size: rusticl ends the process when there is room for more */
        if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, n * sizeof(*binaries), binaries, NULL)) {
            free(binary);
            binary = NULL;
        }
    }
    free(sizes);
    free(binaries);
    return binary;
}

unsigned char *clnorm_compiler_binary(cl_program program, cl_device_id device, size_t *bytes)
{
    size_t room = 0, i = 0;
    unsigned char *binary = NULL;
    if (clGetProgramInfo(program, CL_PROGRAM_DEVICES, 0, NULL, &room) || room == 0)
        return NULL;
    cl_device_id *devices = malloc(room);
    const size_t n = room / sizeof(*devices);
    if (devices && !clGetProgramInfo(program, CL_PROGRAM_DEVICES, room, devices, NULL)) {
        while (i < n && devices[i] != device)
            i++;
        lock_take(&build_lock);
        binary = i < n ? binary_of(program, i, n, bytes) : NULL;
        lock_give(&build_lock);
    }
    free(devices);
    return binary;
}

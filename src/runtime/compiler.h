/* SPDX-License-Identifier: MIT */
/* What runs a driver's compiler: one call at a time. */
#ifndef CLNORM_RUNTIME_COMPILER_H
#define CLNORM_RUNTIME_COMPILER_H

#include "runtime/opencl.h"

cl_int clnorm_compiler_build(cl_program program, cl_device_id device, const char *options);

/* The program's binary for that device, which the caller frees; NULL if there is none. PoCL
 * compiles once more to answer. */
unsigned char *clnorm_compiler_binary(cl_program program, cl_device_id device, size_t *bytes);

#endif

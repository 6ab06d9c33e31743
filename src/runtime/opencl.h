/* SPDX-License-Identifier: MIT */
/* OpenCL with its failures turned into a clnorm_status and a text. Only OpenCL 1.2 entry points are
 * linked: newer ones would be missing in drivers and loaders of today. */
#ifndef CLNORM_RUNTIME_OPENCL_H
#define CLNORM_RUNTIME_OPENCL_H

#include "base/status.h"

#ifdef __APPLE__
#include <OpenCL/opencl.h>
#else
#include <CL/cl.h>
#include <CL/cl_ext.h>
#endif

/* "CL_OUT_OF_RESOURCES" for -5; "unknown OpenCL error" for what no specification names. */
const char *clnorm_cl_error_name(cl_int code);

/* CLNORM_OK for CL_SUCCESS; else the status that fits the code, with "CALL failed: NAME (code)". */
clnorm_status clnorm_cl_check(cl_int code, const char *call, clnorm_error *error);

/* Jumps to `fail` when an OpenCL call does not succeed; `status` and `error` are the function's. */
#define TRY_CL(call)                                                                               \
    do {                                                                                           \
        status = clnorm_cl_check((call), #call, error);                                            \
        if (status != CLNORM_OK)                                                                   \
            goto fail;                                                                             \
    } while (0)
#define TRY(call)                                                                                  \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != CLNORM_OK)                                                                   \
            goto fail;                                                                             \
    } while (0)

#endif

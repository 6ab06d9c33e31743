/* SPDX-License-Identifier: MIT */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT(x) #x
#define DOTTED(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

const char *clnorm_version(void)
{
    return DOTTED(CLNORM_VERSION_MAJOR, CLNORM_VERSION_MINOR, CLNORM_VERSION_PATCH);
}

const char *clnorm_status_name(clnorm_status status)
{
    static const char *const names[] = {
        [CLNORM_OK] = "CLNORM_OK",
        [CLNORM_BAD_DESC] = "CLNORM_BAD_DESC",
        [CLNORM_BAD_ARGS] = "CLNORM_BAD_ARGS",
        [CLNORM_NO_DEVICE] = "CLNORM_NO_DEVICE",
        [CLNORM_UNSUPPORTED] = "CLNORM_UNSUPPORTED",
        [CLNORM_OUT_OF_MEMORY] = "CLNORM_OUT_OF_MEMORY",
        [CLNORM_BUILD_FAILED] = "CLNORM_BUILD_FAILED",
        [CLNORM_OPENCL] = "CLNORM_OPENCL",
        [CLNORM_FORKED] = "CLNORM_FORKED",
        [CLNORM_CANCELLED] = "CLNORM_CANCELLED",
    };
    const size_t count = sizeof(names) / sizeof(names[0]);
    return (size_t)status < count ? names[status] : "unknown status";
}

clnorm_status clnorm_fail(clnorm_error *error, clnorm_status status, const char *format, ...)
{
    if (!error)
        return status;
    error->status = status;
    error->opencl_code = 0;
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return status;
}

void clnorm_fail_more(clnorm_error *error, const char *format, ...)
{
    if (!error)
        return;
    const size_t used = strlen(error->text);
    va_list args;
    va_start(args, format);
    vsnprintf(error->text + used, sizeof(error->text) - used, format, args);
    va_end(args);
}

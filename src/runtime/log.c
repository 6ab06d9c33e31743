/* SPDX-License-Identifier: MIT */
#include "runtime/context.h"

#include <stdarg.h>
#include <stdio.h>

void clnorm_log(const clnorm_context *context, clnorm_log_level level, const char *format, ...)
{
    if (!context->log)
        return;
    char text[8192]; /* a build log has no end; its beginning tells most */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    context->log(context->user, level, text);
}

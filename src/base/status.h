/* SPDX-License-Identifier: MIT */
/* Status and error text: see clnorm.h. */
#ifndef CLNORM_BASE_STATUS_H
#define CLNORM_BASE_STATUS_H

#include "clnorm/clnorm.h"

#if defined(__GNUC__)
#define CLNORM_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define CLNORM_PRINTF(text, first)
#endif

/* Fills *error, which may be NULL, and returns `status`, so that a check is one line. */
clnorm_status clnorm_fail(clnorm_error *error, clnorm_status status, const char *format, ...)
    CLNORM_PRINTF(3, 4);

/* Appends to a text that clnorm_fail wrote; what does not fit is cut. */
void clnorm_fail_more(clnorm_error *error, const char *format, ...) CLNORM_PRINTF(2, 3);

#endif

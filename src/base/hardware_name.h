/* SPDX-License-Identifier: MIT */
/* Names of hardware as drivers tell them, without what depends on the driver. */
#ifndef CLNORM_BASE_HARDWARE_NAME_H
#define CLNORM_BASE_HARDWARE_NAME_H

#include <stddef.h>

/* Without PoCL's "pthread-haswell-" and its like, (R), (TM), and what Mesa says of its versions in
 * parentheses; single spaces, no control characters. What does not fit is cut. */
void clnorm_hardware_name(const char *name, char *text, size_t bytes);

#endif

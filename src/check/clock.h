/* SPDX-License-Identifier: MIT */
#ifndef CLNORM_CHECK_CLOCK_H
#define CLNORM_CHECK_CLOCK_H

/* Seconds from some moment on; never goes back. */
double clnorm_clock(void);

#endif

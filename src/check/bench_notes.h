/* SPDX-License-Identifier: MIT */
/* What a reader of a measurement should know of its device and its kernels. */
#ifndef CLNORM_CHECK_BENCH_NOTES_H
#define CLNORM_CHECK_BENCH_NOTES_H

#include "check/bench.h"

/* Other programs of the host take its time: a CPU, or what the host's CPU emulates. */
bool clnorm_bench_is_host(const clnorm_device *device);

/* Why the kernels of a case are not those that the device is meant to have; NULL: they are. */
const char *clnorm_bench_fallback(const clnorm_bench *bench);

#endif

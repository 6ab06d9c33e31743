/* SPDX-License-Identifier: MIT */
/* What code that was compiled on this machine may depend on. */
#ifndef CLNORM_BASE_HOST_CPU_H
#define CLNORM_BASE_HOST_CPU_H

#include "base/sha256.h"

/* Architecture and instruction set: a device's name may say no more than the maker of the CPU, as
 * Intel's does on virtual machines. The same for all cores, and in each run. */
void clnorm_host_cpu_add(clnorm_sha256 *hash);

#endif

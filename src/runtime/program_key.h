/* SPDX-License-Identifier: MIT */
#ifndef CLNORM_RUNTIME_PROGRAM_KEY_H
#define CLNORM_RUNTIME_PROGRAM_KEY_H

#include "base/cache_file.h"
#include "runtime/context.h"

#include <stdbool.h>

/* All that a binary depends on: texts, options, clnorm, platform, device, driver, the host's CPU.
 * False if the driver does not tell. */
bool clnorm_program_key(const clnorm_context *context, const char *const *texts, cl_uint count,
                        const char *options, clnorm_cache_key *key);

#endif

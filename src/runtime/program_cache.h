/* SPDX-License-Identifier: MIT */
/* Programs that were compiled before, kept as the driver's binaries in files: see
 * clnorm_context_set_cache. Nothing here fails: without the cache a program is compiled. */
#ifndef CLNORM_RUNTIME_PROGRAM_CACHE_H
#define CLNORM_RUNTIME_PROGRAM_CACHE_H

#include "base/cache_file.h"
#include "runtime/program.h"

#include <stdbool.h>

/* Of a program that is compiled from these texts with these options. False: it has no place in the
 * cache, or there is no cache. */
bool clnorm_program_cache_key(const clnorm_context *context, const char *const *texts,
                              cl_uint count, const char *options, clnorm_cache_key *key);

/* The program, built, with the verdict that it was saved with, or NULL. An entry that is damaged,
 * or that the driver refuses, is removed. */
cl_program clnorm_program_cache_load(const clnorm_context *context, const clnorm_cache_key *key,
                                     const char *options, clnorm_trial *trial);

/* Writes the entry if there is none. May take as long as compiling. */
void clnorm_program_cache_save(clnorm_context *context, const clnorm_cache_key *key,
                               cl_program program, clnorm_trial trial);

void clnorm_program_cache_remove(const clnorm_context *context, const clnorm_cache_key *key);

void clnorm_program_cache_close(clnorm_context *context);

#endif

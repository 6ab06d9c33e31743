/* SPDX-License-Identifier: MIT */
/* Windows has none of the calls that the cache is safe by. */
#include "runtime/program_cache.h"

clnorm_status clnorm_context_set_cache(clnorm_context *context, const char *directory,
                                       uint64_t max_bytes, clnorm_error *error)
{
    (void)max_bytes;
    if (!context || (directory && !*directory))
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s",
                           !context ? "context is NULL" : "the directory is an empty text");
    clnorm_log(context, CLNORM_LOG_INFO, "programs are not kept: not on Windows");
    return CLNORM_OK;
}

bool clnorm_program_cache_key(const clnorm_context *context, const char *const *texts,
                              cl_uint count, const char *options, clnorm_cache_key *key)
{
    (void)context, (void)texts, (void)count, (void)options, (void)key;
    return false;
}

cl_program clnorm_program_cache_load(const clnorm_context *context, const clnorm_cache_key *key,
                                     const char *options, clnorm_trial *trial)
{
    (void)context, (void)key, (void)options, (void)trial;
    return NULL;
}

void clnorm_program_cache_save(clnorm_context *context, const clnorm_cache_key *key,
                               cl_program program, clnorm_trial trial)
{
    (void)context, (void)key, (void)program, (void)trial;
}

void clnorm_program_cache_remove(const clnorm_context *context, const clnorm_cache_key *key)
{
    (void)context, (void)key;
}

void clnorm_program_cache_close(clnorm_context *context) { (void)context; }

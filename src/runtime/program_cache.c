/* SPDX-License-Identifier: MIT */
#include "runtime/program_cache.h"
#include "base/cache_guard.h"
#include "base/cache_upkeep.h"
#include "runtime/compiler.h"
#include "runtime/program_key.h"
#include "runtime/quirks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct clnorm_program_cache {
    clnorm_cache_dir dir;
    uint64_t max_bytes;
    bool has_grown;
};

/* ---- on and off ---------------------------------------------------------------------------- */

/* Programs are saved when the context ends, but for devices that have a quirk. From op to result, a
 * binary | the source, with a warm cache of the driver's if it has one, in ms:
 *
 *   PoCL                 6 |  85   has what a launch compiles only if saved after it, else the next
 *                                  process's first launch takes 500; asking for it takes a second
 *   Intel CPU           10 | 470   any time is good
 *   Intel FPGA emulator 12 | 550   the same
 *   rusticl             11 |  34   the same
 */

void clnorm_program_cache_close(clnorm_context *context)
{
    struct clnorm_program_cache *cache = context->cache;
    if (cache && cache->has_grown)
        clnorm_cache_trim(&cache->dir, cache->max_bytes);
    if (cache)
        clnorm_cache_close(&cache->dir);
    free(cache);
    context->cache = NULL;
}

/* NULL, with a line in the log, where nothing can be kept. */
static struct clnorm_program_cache *open_cache(const clnorm_context *context, const char *directory,
                                               uint64_t max_bytes)
{
    clnorm_error error;
    const char *reason = clnorm_quirk_reason(&context->device, CLNORM_QUIRK_NO_BINARIES);
    struct clnorm_program_cache *cache = reason ? NULL : calloc(1, sizeof(*cache));
    if (cache && clnorm_cache_open(&cache->dir, directory, true, &error)) {
        cache->max_bytes = max_bytes ? max_bytes : CLNORM_CACHE_DEFAULT_BYTES;
        return cache;
    }
    /* a default that a system does not allow is nobody's mistake */
    clnorm_log(context, cache && directory ? CLNORM_LOG_WARNING : CLNORM_LOG_INFO,
               "programs are not kept: %s",
               cache    ? error.text
               : reason ? reason
                        : "no host memory for a cache");
    free(cache);
    return NULL;
}

clnorm_status clnorm_context_set_cache(clnorm_context *context, const char *directory,
                                       uint64_t max_bytes, clnorm_error *error)
{
    if (!context || (directory && !*directory))
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s",
                           !context ? "context is NULL" : "the directory is an empty text");
    lock_take(&context->lock);
    clnorm_program_cache_close(context);
    context->cache = open_cache(context, directory, max_bytes);
    lock_give(&context->lock);
    return CLNORM_OK;
}

bool clnorm_program_cache_key(const clnorm_context *context, const char *const *texts,
                              cl_uint count, const char *options, clnorm_cache_key *key)
{
    return context->cache && clnorm_program_key(context, texts, count, options, key);
}

/* ---- loading ------------------------------------------------------------------------------- */

/* Mobile drivers compile when kernels are made, and rusticl finds there that a binary is not its
 * own. */
static cl_int make_kernels(cl_program program)
{
    cl_kernel kernels[8];
    cl_uint count = 0;
    const cl_uint room = sizeof(kernels) / sizeof(kernels[0]);
    cl_int code = clCreateKernelsInProgram(program, 0, NULL, &count);
    if (code == CL_SUCCESS && count > 0 && count <= room)
        code = clCreateKernelsInProgram(program, count, kernels, NULL);
    for (cl_uint i = 0; code == CL_SUCCESS && i < count && i < room; i++)
        clReleaseKernel(kernels[i]);
    return count > 0 ? code : CL_INVALID_BINARY;
}

/* The call that failed, or NULL and the program. */
static const char *give_to_driver(const clnorm_context *context,
                                  const clnorm_cache_content *content, const char *options,
                                  cl_program *program, cl_int *code)
{
    const cl_device_id device = context->device.device_id;
    cl_int status = CL_SUCCESS;
    *program =
        clCreateProgramWithBinary(context->cl, 1, &device, &content->payload_bytes,
                                  (const unsigned char *[]){content->payload}, &status, code);
    if (*code == CL_SUCCESS)
        *code = status;
    if (*code != CL_SUCCESS)
        return "clCreateProgramWithBinary";
    *code = clnorm_compiler_build(*program, device, options);
    if (*code != CL_SUCCESS)
        return "clBuildProgram";
    *code = make_kernels(*program);
    return *code == CL_SUCCESS ? NULL : "clCreateKernelsInProgram";
}

static cl_program load_good(const clnorm_context *context, const char *name,
                            const clnorm_cache_content *content, const char *options)
{
    const clnorm_cache_dir *dir = &context->cache->dir;
    cl_program program = NULL;
    cl_int code = CL_SUCCESS;
    const char *failed = give_to_driver(context, content, options, &program, &code);
    if (!failed) {
        clnorm_cache_touch(dir, name);
        clnorm_log(context, CLNORM_LOG_INFO, "loaded: %s", options);
        return program;
    }
    clnorm_cache_remove(dir, name);
    clnorm_log(context, CLNORM_LOG_WARNING, "%s/%s is compiled anew: %s gave %s (%d)", dir->path,
               name, failed, clnorm_cl_error_name(code), (int)code);
    if (program)
        clReleaseProgram(program);
    return NULL;
}

/* A byte before the binary. */
static bool take_verdict(clnorm_cache_content *content, clnorm_trial *trial)
{
    if (content->payload_bytes < 1 || content->payload[0] > CLNORM_DISABLED)
        return false;
    *trial = (clnorm_trial)content->payload[0];
    content->payload++;
    content->payload_bytes--;
    return true;
}

cl_program clnorm_program_cache_load(const clnorm_context *context, const clnorm_cache_key *key,
                                     const char *options, clnorm_trial *trial)
{
    const clnorm_cache_dir *dir = &context->cache->dir;
    cl_program program = NULL;
    clnorm_cache_blob blob;
    clnorm_cache_guard guard;
    char name[CLNORM_CACHE_NAME];
    clnorm_cache_name(key, "", name);
    const clnorm_cache_found found = clnorm_cache_read(dir, name, key, &blob);
    if (found == CLNORM_CACHE_BAD) {
        clnorm_cache_remove(dir, name);
        clnorm_log(context, CLNORM_LOG_WARNING, "%s/%s is compiled anew: it %s", dir->path, name,
                   blob.problem);
    }
    if (found != CLNORM_CACHE_GOOD)
        return NULL;
    if (!take_verdict(&blob.content, trial)) {
        free(blob.file);
        return NULL;
    }
    if (clnorm_cache_guard_begin(dir, key, &guard)) {
        program = load_good(context, name, &blob.content, options);
        clnorm_cache_guard_end(dir, &guard);
    } else {
        clnorm_log(context, CLNORM_LOG_WARNING,
                   "%s/%s is compiled anew: a process ended while its driver loaded it", dir->path,
                   name);
    }
    free(blob.file);
    return program;
}

/* ---- saving -------------------------------------------------------------------------------- */

/* What is wrong once, as a full disk is, is so for the next program, too. */
static void stop_saving(clnorm_context *context, const clnorm_error *error)
{
    clnorm_log(context, CLNORM_LOG_WARNING, "programs are not kept: %s", error->text);
    clnorm_program_cache_close(context);
}

/* Of the binary with the verdict before it; NULL without one, or without memory. */
static unsigned char *payload_of(const clnorm_context *context, cl_program program,
                                 clnorm_trial trial, size_t *bytes)
{
    unsigned char *binary = clnorm_compiler_binary(program, context->device.device_id, bytes);
    unsigned char *payload = binary ? malloc(*bytes + 1) : NULL;
    if (payload) {
        payload[0] = (unsigned char)trial;
        memcpy(payload + 1, binary, *bytes);
        ++*bytes;
    }
    free(binary);
    return payload;
}

void clnorm_program_cache_save(clnorm_context *context, const clnorm_cache_key *key,
                               cl_program program, clnorm_trial trial)
{
    struct clnorm_program_cache *cache = context->cache;
    clnorm_error error;
    char name[CLNORM_CACHE_NAME], label[CLNORM_CACHE_LABEL];
    clnorm_cache_name(key, "", name);
    /* drivers hang in a forked child */
    if (!cache || clnorm_context_check(context, NULL) || clnorm_cache_has(&cache->dir, name) ||
        clnorm_cache_is_quarantined(&cache->dir, key))
        return;
    snprintf(label, sizeof(label), "%s\n%s", context->device.platform_name, context->device.name);
    clnorm_cache_content content = {.label = label, .label_bytes = strlen(label)};
    unsigned char *payload = payload_of(context, program, trial, &content.payload_bytes);
    content.payload = payload;
    if (!payload)
        clnorm_log(context, CLNORM_LOG_INFO, "the driver gives no binary to keep");
    else if (content.payload_bytes > cache->max_bytes)
        clnorm_log(context, CLNORM_LOG_INFO, "a binary of %zu bytes is not kept: at most %llu",
                   content.payload_bytes, (unsigned long long)cache->max_bytes);
    else if (clnorm_cache_write(&cache->dir, key, &content, &error))
        cache->has_grown = true;
    else
        stop_saving(context, &error);
    free(payload);
}

void clnorm_program_cache_remove(const clnorm_context *context, const clnorm_cache_key *key)
{
    char name[CLNORM_CACHE_NAME];
    clnorm_cache_name(key, "", name);
    if (context->cache)
        clnorm_cache_remove(&context->cache->dir, name);
}

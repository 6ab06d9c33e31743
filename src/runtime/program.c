/* SPDX-License-Identifier: MIT */
#include "runtime/program.h"

#include "cl/kernels.h"
#include "runtime/compiler.h"
#include "runtime/program_cache.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct clnorm_program {
    struct clnorm_program *next;
    clnorm_source source;
    cl_program program;
    clnorm_cache_key file;
    bool has_place; /* in the cache, `file` */
    bool is_unsaved; /* and has a place */
    clnorm_trial trial;
    char defines[]; /* with `source` the key */
};

enum { MOST_TEXTS = 7 };

#define COMMON clnorm_kernel_element, clnorm_kernel_row_reduce
#define SETS COMMON, clnorm_kernel_set, clnorm_kernel_stats

static const struct {
    cl_uint count;
    const char *texts[MOST_TEXTS];
} sources[] = {
    [CLNORM_SOURCE_FORWARD] = {7,
                               {SETS, clnorm_kernel_forward, clnorm_kernel_split,
                                clnorm_kernel_narrow}},
    [CLNORM_SOURCE_BACKWARD] = {6, {SETS, clnorm_kernel_backward, clnorm_kernel_narrow_backward}},
    [CLNORM_SOURCE_SUMS] = {3, {COMMON, clnorm_kernel_sums}},
    [CLNORM_SOURCE_RECURRENT] = {6, {SETS, clnorm_kernel_cell, clnorm_kernel_recurrent}},
    [CLNORM_SOURCE_RECURRENT_BACKWARD] = {6,
                                          {SETS, clnorm_kernel_cell,
                                           clnorm_kernel_recurrent_backward}},
    [CLNORM_SOURCE_COMPANION] = {1, {clnorm_kernel_companion}},
};

/* The caller frees it; NULL if there is none. */
static char *build_log(cl_program program, cl_device_id device)
{
    size_t bytes = 0;
    if (clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, 0, NULL, &bytes) || bytes < 2)
        return NULL;
    char *log = calloc(1, bytes + 1);
    if (log && clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, bytes, log, NULL)) {
        free(log);
        log = NULL;
    }
    for (size_t end = log ? strlen(log) : 0; end > 0 && isspace((unsigned char)log[end - 1]); end--)
        log[end - 1] = '\0';
    return log;
}

static clnorm_status build(clnorm_context *context, cl_program program, const char *options,
                           clnorm_error *error)
{
    const cl_device_id device = context->device.device_id;
    cl_int code = clnorm_compiler_build(program, device, options);
    char *log = code ? build_log(program, device) : NULL;
    /* PoCL: processes that share a cold cache can fail without a word; a second try succeeds. */
    if (code && !log) {
        code = clnorm_compiler_build(program, device, options);
        log = code ? build_log(program, device) : NULL;
    }
    if (code == CL_SUCCESS)
        return CLNORM_OK;
    clnorm_log(context, CLNORM_LOG_INFO, "build with %s failed: %s", options, log ? log : "no log");
    clnorm_cl_check(code, "clBuildProgram", error);
    clnorm_fail_more(error, " on %s with %s: %s", context->device.name, options,
                     log ? log : "the compiler gave no log");
    free(log);
    if (error)
        error->status = CLNORM_BUILD_FAILED;
    return CLNORM_BUILD_FAILED;
}

static clnorm_status make(clnorm_context *context, clnorm_source source, const char *defines,
                          struct clnorm_program *out, clnorm_error *error)
{
    clnorm_status status;
    cl_program program = NULL;
    cl_int code;
    char options[1024];
    /* Without -cl-std some drivers compile as OpenCL C 3.0. Fast-math options of any kind would
     * cancel the low part of the mean and hide NaN. */
    const char *const standard = strstr(defines, "-cl-std=") ? "" : "-cl-std=CL1.2 ";
    const int used = snprintf(options, sizeof(options), "%s-w %s", standard, defines);
    if (used < 0 || (size_t)used >= sizeof(options))
        return clnorm_fail(error, CLNORM_BUILD_FAILED, "build options of %d bytes, at most %zu",
                           used, sizeof(options) - 1);
    const char *texts[MOST_TEXTS];
    memcpy(texts, sources[source].texts, sizeof(texts));
    out->has_place =
        clnorm_program_cache_key(context, texts, sources[source].count, options, &out->file);
    out->program = out->has_place
                       ? clnorm_program_cache_load(context, &out->file, options, &out->trial)
                       : NULL;
    out->is_unsaved = out->has_place && !out->program;
    if (!out->program)
        out->trial = CLNORM_UNTRIED;
    if (out->trial == CLNORM_DISABLED)
        clnorm_log(context, CLNORM_LOG_WARNING,
                   "a kernel that failed its self-test before is not used: %s", options);
    if (out->program)
        return CLNORM_OK;
    program = clCreateProgramWithSource(context->cl, sources[source].count, texts, NULL, &code);
    TRY(clnorm_cl_check(code, "clCreateProgramWithSource", error));
    TRY(build(context, program, options, error));
    clnorm_log(context, CLNORM_LOG_INFO, "built: %s", options);
    out->program = program;
    return CLNORM_OK;
fail:
    if (program)
        clReleaseProgram(program);
    return status;
}

static clnorm_status add(clnorm_context *context, clnorm_source source, const char *defines,
                         struct clnorm_program **out, clnorm_error *error)
{
    const size_t length = strlen(defines) + 1;
    struct clnorm_program *entry = malloc(sizeof(*entry) + length);
    if (!entry)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for a program");
    const clnorm_status status = make(context, source, defines, entry, error);
    if (status != CLNORM_OK) {
        free(entry);
        return status;
    }
    entry->source = source;
    memcpy(entry->defines, defines, length);
    entry->next = context->programs;
    context->programs = entry;
    *out = entry;
    return CLNORM_OK;
}

clnorm_status clnorm_program_get(clnorm_context *context, clnorm_source source, const char *defines,
                                 cl_program *program, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    lock_take(&context->lock);
    struct clnorm_program *p = context->programs;
    while (p && (p->source != source || strcmp(p->defines, defines) != 0))
        p = p->next;
    if (!p)
        status = add(context, source, defines, &p, error);
    if (status == CLNORM_OK)
        *program = p->program;
    lock_give(&context->lock);
    return status;
}

static struct clnorm_program *find(clnorm_context *context, cl_program program)
{
    struct clnorm_program *p = context->programs;
    while (p->program != program)
        p = p->next;
    return p;
}

clnorm_trial clnorm_program_trial(clnorm_context *context, cl_program program)
{
    lock_take(&context->lock);
    const clnorm_trial trial = find(context, program)->trial;
    lock_give(&context->lock);
    return trial;
}

void clnorm_program_judge(clnorm_context *context, cl_program program, clnorm_trial trial)
{
    lock_take(&context->lock);
    struct clnorm_program *p = find(context, program);
    if (p->has_place && !p->is_unsaved && p->trial != trial) {
        clnorm_program_cache_remove(context, &p->file);
        p->is_unsaved = trial != CLNORM_DISABLED;
    }
    p->trial = trial;
    lock_give(&context->lock);
}

void clnorm_programs_release(clnorm_context *context)
{
    while (context->programs) {
        struct clnorm_program *p = context->programs;
        context->programs = p->next;
        if (p->is_unsaved)
            clnorm_program_cache_save(context, &p->file, p->program, p->trial);
        clReleaseProgram(p->program);
        free(p);
    }
}

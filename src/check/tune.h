/* SPDX-License-Identifier: MIT */
/* The search for parameters: candidates are built, verified, and timed in turns with the best so
 * far. */
#ifndef CLNORM_CHECK_TUNE_H
#define CLNORM_CHECK_TUNE_H

#include "base/tuning_table.h"
#include "check/timing.h"

typedef struct clnorm_tune_case {
    bool stream; /* the size from which on output goes past the cache; else the kernel */
    clnorm_kind kind;
    clnorm_dtype dtype; /* of all tensors */
    uint64_t cols, least_cols, most_cols; /* measured, and taken to stand for */
} clnorm_tune_case;

typedef struct clnorm_tune_filter {
    int kind, dtype; /* -1: layer_norm and rms_norm; f32, f16 and bf16 */
    uint64_t cols; /* the band with these only; 0: all */
} clnorm_tune_filter;

enum { CLNORM_MOST_TUNE_CASES = 64 };

/* In the order of what matters most. Returns how many. */
size_t clnorm_tune_cases(clnorm_context *context, const clnorm_tune_filter *filter,
                         clnorm_tune_case cases[CLNORM_MOST_TUNE_CASES]);

typedef struct clnorm_tune_options {
    uint64_t max_bytes; /* of x, and of y, that is timed */
    /* Asked before each candidate: false ends the search with CLNORM_CANCELLED. */
    bool (*goes_on)(void *user);
    void *user;
} clnorm_tune_options;

typedef struct clnorm_tune_result {
    clnorm_tuning_record record; /* for the table; "form=auto" where nothing is better */
    clnorm_verdict verdict; /* of what the library chooses itself; wrong: nothing was timed */
    clnorm_timing timing; /* of the best; seconds 0 for `stream` */
    double gain; /* what the library's own choice takes over what the best takes beside it */
    unsigned tried, wrong; /* candidates; those that failed or were wrong never win */
    char problem[256]; /* of the first of these; "" */
} clnorm_tune_result;

/* A record of the device for whatever is done there, without parameters. */
clnorm_tuning_record clnorm_tune_device_record(const clnorm_device *device);
/* The record of a case as it is in a table, without parameters. */
clnorm_tuning_record clnorm_tune_record(const clnorm_device *device, const clnorm_tune_case *c);

/* The context must have no table of its own. */
clnorm_status clnorm_tune_run(clnorm_context *context, const clnorm_tune_case *c,
                              const clnorm_tune_options *options, clnorm_tune_result *result,
                              clnorm_error *error);

#endif

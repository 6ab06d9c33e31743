/* SPDX-License-Identifier: MIT */
/* One case on one device, proved: the command `check` and the tests go through here. */
#ifndef CLNORM_CHECK_RUNNER_H
#define CLNORM_CHECK_RUNNER_H

#include "check/cases.h"

typedef enum clnorm_outcome { CLNORM_PASSED, CLNORM_FAILED, CLNORM_SKIPPED } clnorm_outcome;

typedef struct clnorm_check_result {
    clnorm_outcome outcome;
    clnorm_error error; /* of the call that failed; its status is CLNORM_OK if results are wrong */
    clnorm_verdict verdict;
    char reason[512]; /* why it failed or was skipped: element, both numbers, seed */
} clnorm_check_result;

/* Fills poisoned outputs with guard bands, and asks: each element within its bound, nothing written
 * beside the outputs, the same bits when run again, with the rows in two calls, past the cache, in
 * a workspace of the caller's and in place. Never fails itself: a failing OpenCL call is
 * CLNORM_FAILED with the reason. */
void clnorm_check_run(clnorm_context *context, const clnorm_check_case *c,
                      clnorm_check_result *result);

#endif

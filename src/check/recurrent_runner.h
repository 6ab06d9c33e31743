/* SPDX-License-Identifier: MIT */
/* One recurrent net on one device, proved. */
#ifndef CLNORM_CHECK_RECURRENT_RUNNER_H
#define CLNORM_CHECK_RECURRENT_RUNNER_H

#include "check/recurrent_cases.h"
#include "check/runner.h"

/* Asks: each element of each output within its bound, nothing written beside outputs, `saved` and
 * the workspace, the same bits when run again, and forward when nothing is saved. verdict.max_ulp
 * is at what clnorm_recurrent_verdict says. A library without CLBlast is CLNORM_SKIPPED; a failing
 * call is CLNORM_FAILED with the reason. */
void clnorm_recurrent_check_run(clnorm_context *context, const clnorm_recurrent_case *c,
                                clnorm_check_result *result);

#endif

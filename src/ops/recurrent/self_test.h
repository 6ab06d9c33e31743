/* SPDX-License-Identifier: MIT */
/* Kernels of a step are not trusted before they were right once: ops/self_test.h. */
#ifndef CLNORM_OPS_RECURRENT_SELF_TEST_H
#define CLNORM_OPS_RECURRENT_SELF_TEST_H

#include "ops/recurrent/op.h"

/* Whether both may be used, by the policy of the context. Failures are in the log. */
bool clnorm_recurrent_passes(const clnorm_recurrent *op);

#endif

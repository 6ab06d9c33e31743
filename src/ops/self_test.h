/* SPDX-License-Identifier: MIT */
/* Kernels are not trusted before they were right once: a small problem on a queue of their own. */
#ifndef CLNORM_OPS_SELF_TEST_H
#define CLNORM_OPS_SELF_TEST_H

#include "ops/op.h"
#include "runtime/program.h"

typedef struct clnorm_finding {
    clnorm_trial trial; /* CLNORM_UNTRIED: the test itself did not come about */
    char text[256]; /* what is wrong, with numbers */
} clnorm_finding;

/* Runs the kernel of an op, whatever its verdict. Errors in the driver's doing are findings. */
clnorm_finding clnorm_self_test_kernel(const clnorm_op *op, clnorm_kernel_id id,
                                       const clnorm_built *built);

/* Whether the kernel may be used, by the policy of the context: by its verdict, or a test that
 * gives it one. Failures are in the log. */
bool clnorm_self_test_passes(const clnorm_op *op, clnorm_kernel_id id, const clnorm_built *built);

#endif

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

/* Of a test that an error ended: of the kernel's launch, or before it. */
clnorm_finding clnorm_finding_of(const clnorm_error *error, bool of_launch);

/* A program under test. */
typedef struct clnorm_candidate {
    const char *kernel; /* for the log */
    const clnorm_geometry *geometry;
    cl_program program;
} clnorm_candidate;

/* Whether the program may be used, by the policy of the context: by its verdict, or `test`, which
 * gives it one. Failures are in the log. */
typedef clnorm_finding (*clnorm_test_fn)(const void *subject);
bool clnorm_self_test_trusts(clnorm_context *context, const clnorm_candidate *candidate,
                             clnorm_test_fn test, const void *subject);

/* The same for a kernel of an op. */
bool clnorm_self_test_passes(const clnorm_op *op, clnorm_kernel_id id, const clnorm_built *built);

#endif

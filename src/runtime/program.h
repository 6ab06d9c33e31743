/* SPDX-License-Identifier: MIT */
/* Programs of a context: a kernel text and its build options, compiled on first use and kept. */
#ifndef CLNORM_RUNTIME_PROGRAM_H
#define CLNORM_RUNTIME_PROGRAM_H

#include "runtime/context.h"

typedef enum clnorm_source {
    CLNORM_SOURCE_FORWARD,
    CLNORM_SOURCE_BACKWARD,
    CLNORM_SOURCE_SUMS,
    CLNORM_SOURCE_RECURRENT,
    CLNORM_SOURCE_RECURRENT_BACKWARD,
    CLNORM_SOURCE_COMPANION
} clnorm_source;

/* The program, borrowed from the context. `defines` are -D options, separated by single spaces.
 * CLNORM_BUILD_FAILED: the text has the compiler's log, with file and line of the .cl file. */
clnorm_status clnorm_program_get(clnorm_context *context, clnorm_source source, const char *defines,
                                 cl_program *program, clnorm_error *error);

/* What a self-test said of a program: one that is disabled computes what is wrong on this device.
 */
typedef enum clnorm_trial { CLNORM_UNTRIED, CLNORM_TRUSTED, CLNORM_DISABLED } clnorm_trial;

clnorm_trial clnorm_program_trial(clnorm_context *context, cl_program program);
/* The verdict is kept in files with the program, for this driver. A binary from a file that turns
 * out to be wrong is removed instead: what is compiled from the text may be right. */
void clnorm_program_judge(clnorm_context *context, cl_program program, clnorm_trial trial);

void clnorm_programs_release(clnorm_context *context);

#endif

/* SPDX-License-Identifier: MIT */
/* What --validate looks at beside the form; private to numbers.c and case.c. */
#ifndef CLNORM_CLI_RESULT_NUMBERS_H
#define CLNORM_CLI_RESULT_NUMBERS_H

#include "cli/result/check.h"

struct result_problems {
    result_problem_fn *problem; /* NULL: they are counted only */
    void *user;
    size_t place; /* of the result in results */
    size_t found;
};

/* Of this key of the result. */
void result_say(struct result_problems *problems, const char *key, const char *format, ...)
    CLI_PRINTF(3, 4);

/* The fields that say what was measured, and the bytes, which follow from the text of the case.
 * Bytes that are counted by another model of traffic than this program's are not looked at. */
void result_check_case(struct result_problems *problems, const json_t *result, json_int_t model);

#endif

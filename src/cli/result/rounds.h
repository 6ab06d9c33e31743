/* SPDX-License-Identifier: MIT */
/* The rounds of a result: what all other numbers of it are made of. */
#ifndef CLNORM_CLI_RESULT_ROUNDS_H
#define CLNORM_CLI_RESULT_ROUNDS_H

#include "check/statistics.h"
#include "cli/cli.h"

struct result_rounds {
    size_t n; /* 0: the result has none */
    double *seconds, *copy_seconds; /* medians of the round's samples */
    double *of_copy; /* the call's bytes per second over the copy's: above 1 is faster than it */
};

/* Of a result whose form is right. false: out of memory. To be released in any case. */
bool result_rounds_read(struct result_rounds *rounds, const json_t *result, clnorm_error *error);
void result_rounds_release(struct result_rounds *rounds);

/* The numbers of an array; at least one is allocated. NULL: out of memory. To be freed. */
double *result_numbers(const json_t *array);

#endif

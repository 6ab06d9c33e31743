/* SPDX-License-Identifier: MIT */
/* A candidate is measured in a process of its own: some take minutes to compile, some never return,
 * and CLBlast keeps what it is given for the whole process. */
#ifndef CLNORM_CLI_TUNE_CANDIDATE_H
#define CLNORM_CLI_TUNE_CANDIDATE_H

#include "cli/tune/layers.h"

struct candidate_times {
    double seconds[MOST_PRODUCTS]; /* of each product; INFINITY where it is wrong or not known */
    int code; /* CLI_OK, CLI_WRONG, or the exit code for what kept it from being measured */
    char problem[200]; /* "" with CLI_OK */
};

/* Runs `clnorm tune --gemm LAYERS --candidate TUNING` and reads what it prints; kills it after
 * `limit` seconds, or once a signal asked to stop; on Linux it also ends with this process.
 * `device` is its place in the list. */
void candidate_run(const struct layers *layers, const clnorm_gemm_tuning *tuning, unsigned device,
                   double limit, struct candidate_times *times);

/* What that command does: measures in this process, and prints JSON, of an error too. Returns an
 * exit code. */
int candidate_measure(const struct layers *layers, const char *tuning, const char *selector);

#endif

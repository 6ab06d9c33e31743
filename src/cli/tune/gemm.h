/* SPDX-License-Identifier: MIT */
/* clnorm tune --gemm: the search for parameters of matrix products. */
#ifndef CLNORM_CLI_TUNE_GEMM_H
#define CLNORM_CLI_TUNE_GEMM_H

#include "cli/tune/candidate.h"

struct gemm_result {
    const clnorm_device *device;
    clnorm_gemm_tuning tuning; /* "" and 0 where nothing is better */
    double before[MOST_PRODUCTS], after[MOST_PRODUCTS]; /* seconds, measured in turns */
    unsigned tried, failed;
    char problem[256]; /* of the first that failed; "" */
};

/* Searches for `max_time` seconds or a little longer; each candidate has `limit` seconds. Returns
 * CLI_OK, or the exit code for what it told on stderr: CLBlast alone did not do the products, what
 * was found does not do them again or gives wrong results elsewhere, or a signal asked to stop.
 * Then there is no result. */
int gemm_search(const struct layers *layers, const clnorm_device *device, double max_time,
                double limit, struct gemm_result *result);

int gemm_report_table(const char *path, const struct layers *layers,
                      const struct gemm_result *results, size_t n, bool no_color);
int gemm_report_json(const char *path, const struct layers *layers,
                     const struct gemm_result *results, size_t n);

#endif

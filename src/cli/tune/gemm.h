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

/* Searches for `max_time` seconds or a little longer. false: CLBlast alone did not do it in
 * `limit` seconds, which each candidate has, or a signal asked to stop. */
bool gemm_search(const struct layers *layers, const clnorm_device *device, double max_time,
                 double limit, struct gemm_result *result, clnorm_error *error);

int gemm_report_table(const char *path, const struct layers *layers,
                      const struct gemm_result *results, size_t n, bool no_color);
int gemm_report_json(const char *path, const struct layers *layers,
                     const struct gemm_result *results, size_t n);

#endif

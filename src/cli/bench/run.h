/* SPDX-License-Identifier: MIT */
/* The cases of a plan on the devices, in rounds. */
#ifndef CLNORM_CLI_BENCH_RUN_H
#define CLNORM_CLI_BENCH_RUN_H

#include "cli/bench/plan.h"
#include "cli/bench/report.h"

/* Is told of each row, by its place in the report, as soon as nothing of it will change. */
struct bench_listener {
    void (*tell)(void *user, size_t row);
    void *user;
};

/* All rounds of the plan on one device, which is added to the report with a row for each case. A
 * device that fails, or a case that does, is part of the report. Ends after `max_seconds` with the
 * rounds that are whole, one at least, and where a signal came. false: no memory, or a setting of
 * the environment that cannot be used. */
bool bench_run(struct bench_report *report, const struct bench_plan *plan,
               const clnorm_device *device, double max_seconds,
               const struct bench_listener *listener, clnorm_error *error);

#endif

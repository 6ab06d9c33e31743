/* SPDX-License-Identifier: MIT */
/* What the command `check` found, and how it is printed. */
#ifndef CLNORM_CLI_CHECK_REPORT_H
#define CLNORM_CLI_CHECK_REPORT_H

#include "check/runner.h"
#include "cli/cli.h"

/* Whose cases a line has: a variant of an operator in a direction, with the same dtypes. Texts are
 * the library's, and stay. */
struct check_subject {
    const char *op, *variant, *direction; /* "-": the device could not be opened, no cases */
    const char *dtype; /* or "mixed" */
};

struct check_line {
    const clnorm_device *device;
    struct check_subject subject;
    size_t count[3]; /* by clnorm_outcome */
    uint64_t compared;
    double max_ulp, bound_share;
    double error_at_1e6; /* largest |error| / (1 + |y|) of rows with mean 1e6; -1: no such rows */
    char reason[640]; /* of the first case that failed, else of the first that was skipped */
};

struct check_report {
    struct check_line *lines;
    size_t n_lines;
    size_t count[3], left_out;
    size_t wrong; /* of those that failed: results outside of their bound */
    clnorm_status broken; /* of the first OpenCL failure */
};

/* name: the case's. at_1e6: its rows have mean 1e6. false if there is no memory. */
bool check_report_case(struct check_report *report, const clnorm_device *device,
                       const struct check_subject *subject, const char *name, bool at_1e6,
                       const clnorm_check_result *result);
bool check_report_broken(struct check_report *report, const clnorm_device *device,
                         const clnorm_error *error);

int check_report_table(const struct check_report *report, bool no_color);
int check_report_json(const struct check_report *report);
/* What check_report_json prints; NULL: out of memory. */
json_t *check_report_data(const struct check_report *report);
/* The table for a document. */
int check_report_markdown(const struct check_report *report);
/* CLI_WRONG if a result is wrong, else the code of what is broken, else CLI_DEVICE if nothing was
 * proved at all. */
int check_report_code(const struct check_report *report);

#endif

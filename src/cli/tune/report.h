/* SPDX-License-Identifier: MIT */
/* What the command `tune` measured, and how it is printed. */
#ifndef CLNORM_CLI_TUNE_REPORT_H
#define CLNORM_CLI_TUNE_REPORT_H

#include "check/tune.h"
#include "cli/cli.h"

enum tune_state { TUNE_OPEN, TUNE_KEPT, TUNE_MEASURED };

struct tune_line {
    const clnorm_device *device;
    clnorm_tune_case c;
    enum tune_state state; /* not measured yet; in the table already; measured now */
    clnorm_tune_result result; /* kept: of the record only */
};

struct tune_report {
    const char *path;
    struct tune_line *lines;
    size_t n_lines;
};

size_t tune_report_count(const struct tune_report *report, enum tune_state state);
int tune_report_table(const struct tune_report *report, bool no_color);
int tune_report_json(const struct tune_report *report);

#endif

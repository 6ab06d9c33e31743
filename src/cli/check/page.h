/* SPDX-License-Identifier: MIT */
/* What the command `check` found, as a page for a browser. */
#ifndef CLNORM_CLI_CHECK_PAGE_H
#define CLNORM_CLI_CHECK_PAGE_H

#include "cli/check/report.h"

bool check_page_write(const struct check_report *report, const char *path, uint64_t seed,
                      clnorm_error *error);

#endif

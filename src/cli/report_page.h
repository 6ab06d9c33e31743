/* SPDX-License-Identifier: MIT */
/* The page of `clnorm report`. */
#ifndef CLNORM_CLI_REPORT_PAGE_H
#define CLNORM_CLI_REPORT_PAGE_H

#include "cli/result/file.h"

/* It appears whole or not at all. title NULL: the file's own, or the devices. */
bool report_page_write(const char *path, const char *title, const struct result_files *files,
                       clnorm_error *error);

#endif

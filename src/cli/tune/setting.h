/* SPDX-License-Identifier: MIT */
/* Whether the command uses a table of parameters, and which: CLNORM_TUNE and CLNORM_TUNE_FILE. */
#ifndef CLNORM_CLI_TUNE_SETTING_H
#define CLNORM_CLI_TUNE_SETTING_H

#include "cli/cli.h"

struct tune_setting {
    bool on, is_default;
    char *path; /* NULL with on: there is no place for the default */
};

bool tune_setting_read(struct tune_setting *setting, clnorm_error *error);
void tune_setting_release(struct tune_setting *setting);
/* Gives the context the table, unless it is off. */
bool tune_setting_use(clnorm_context *context, clnorm_error *error);

#endif

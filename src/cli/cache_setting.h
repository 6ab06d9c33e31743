/* SPDX-License-Identifier: MIT */
/* Whether the command keeps compiled programs, and where: CLNORM_CACHE and CLNORM_CACHE_DIR. */
#ifndef CLNORM_CLI_CACHE_SETTING_H
#define CLNORM_CLI_CACHE_SETTING_H

#include "cli/cli.h"

struct cache_setting {
    bool on;
    const char *directory; /* NULL: the default */
};

bool cache_setting_read(struct cache_setting *setting, clnorm_error *error);
/* Gives the context a cache, unless it is off. */
bool cache_setting_use(clnorm_context *context, clnorm_error *error);

#endif

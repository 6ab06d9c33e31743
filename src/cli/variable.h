/* SPDX-License-Identifier: MIT */
/* Variables of the environment. */
#ifndef CLNORM_CLI_VARIABLE_H
#define CLNORM_CLI_VARIABLE_H

#include "cli/cli.h"

/* NULL if it is empty, too. */
const char *variable(const char *name);
/* *on is set to true where it is not set. Refuses what is neither on nor off. */
bool variable_switch(const char *name, bool *on, clnorm_error *error);

#endif

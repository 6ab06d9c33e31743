/* SPDX-License-Identifier: MIT */
/* The option --self-test of the command `check`. */
#ifndef CLNORM_CLI_CHECK_SELF_TEST_H
#define CLNORM_CLI_CHECK_SELF_TEST_H

#include "cli/cli.h"

/* Every kernel form on the devices of the selector, as a table or JSON. Returns an exit code. */
int self_test_devices(const char *selector, bool json, bool no_color);

#endif

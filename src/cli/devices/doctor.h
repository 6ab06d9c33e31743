/* SPDX-License-Identifier: MIT */
/* What is known about the OpenCL installation: for people whose device does not show up. */
#ifndef CLNORM_CLI_DEVICES_DOCTOR_H
#define CLNORM_CLI_DEVICES_DOCTOR_H

#include "cli/cli.h"

/* An array of {"topic", "name", "text", "ok"}, NULL when out of memory; the caller releases it.
 * Drivers are loaded in child processes only. *is_safe becomes false if one of them takes the
 * process down when devices are listed: then do not list them. */
json_t *doctor_examine(bool *is_safe);

/* Which package to install, by system: findings as above, appended. */
void doctor_advise(json_t *findings);

void doctor_print(const json_t *findings, bool color);

#endif

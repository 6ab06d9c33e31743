/* SPDX-License-Identifier: MIT */
/* The parts of doctor_examine: each appends to `findings`, whose entries are {"topic", "name",
 * "text", "ok"}. */
#ifndef CLNORM_CLI_FINDINGS_H
#define CLNORM_CLI_FINDINGS_H

#include "cli/cli.h"

void findings_add(json_t *findings, const char *topic, bool ok, const char *name,
                  const char *format, ...) CLI_PRINTF(5, 6);

/* The loader's drivers: which .icd files there are, and whether their libraries load. */
void findings_drivers(json_t *findings);
/* The platforms of the loader and how many devices each has. False if asking killed the process
 * that asked. */
bool findings_platforms(json_t *findings);

#endif

/* SPDX-License-Identifier: MIT */
/* What a document of the form clnorm.bench/1 must be. */
#ifndef CLNORM_CLI_RESULT_CHECK_H
#define CLNORM_CLI_RESULT_CHECK_H

#include "cli/cli.h"

/* path: "results[3].seconds.median", or "" for the document itself. text: what is there and what is
 * allowed. */
typedef void result_problem_fn(void *user, const char *path, const char *text);

/* What every reader relies on: the keys that must be there, types, ranges; a device for each
 * result; one result for each device and case; measurements of "ok" results alone. Other keys are
 * nobody's business. Returns the number of problems. problem may be NULL. */
size_t result_check_form(const json_t *document, result_problem_fn *problem, void *user);

/* What follows from the text of the case: its fields, and the bytes that it moves. What follows
 * from the rounds, within 1e-6 of it: medians, quartiles, intervals, rates, shares of the copy. For
 * a document whose form is right. */
size_t result_check_numbers(const json_t *document, result_problem_fn *problem, void *user);

#endif

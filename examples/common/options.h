/* SPDX-License-Identifier: MIT */
/* Options of a program, by popt. */
#ifndef EXAMPLES_COMMON_OPTIONS_H
#define EXAMPLES_COMMON_OPTIONS_H

#include <limits.h>
#include <popt.h>
#include <stdint.h>

/* What an int begins as whose option has another default than a number. */
enum { EX_NOT_GIVEN = INT_MIN };

/* Reads all options of a table, which ends with POPT_TABLEEND; --help and --usage are added.
 * The program ends where one is unknown, has no value, or is followed by other words. Texts that
 * POPT_ARG_STRING gives are on the heap. */
void ex_options(int argc, char **argv, const struct poptOption *table);
/* End the program unless the value, as popt read it, is in the range. name: "--batch" */
void ex_in_range(const char *name, long long value, long long least, long long most);
void ex_in_range_number(const char *name, double value, double least, double most);
/* The place of `text` in `names`, which ends with NULL, else the program ends. */
int ex_choice(const char *name, const char *text, const char *const *names);

#endif

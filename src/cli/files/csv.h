/* SPDX-License-Identifier: MIT */
/* Comma-separated values, as RFC 4180 has them. */
#ifndef CLNORM_CLI_FILES_CSV_H
#define CLNORM_CLI_FILES_CSV_H

#include <stdio.h>

struct csv {
    FILE *stream;
    size_t n_fields; /* of this line */
};

/* Adds a field, in quotes where it must be. NULL: an empty one. */
void csv_text(struct csv *csv, const char *text);
/* With 9 digits, whole numbers with all of theirs. What is not finite is an empty field. */
void csv_number(struct csv *csv, double value);
void csv_end_line(struct csv *csv);

#endif

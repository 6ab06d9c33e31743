/* SPDX-License-Identifier: MIT */
/* Tables for people: aligned columns that fit the terminal. */
#ifndef CLNORM_CLI_TABLE_H
#define CLNORM_CLI_TABLE_H

#include "cli/cli.h"

struct table_column {
    const char *title;
    bool right; /* numbers: aligned to the right */
    unsigned shrinks; /* names: cut with ".." where the terminal is too narrow, first all of 1, then
                         those of 2; 0: never */
};

enum table_tone { TONE_PLAIN = 0, TONE_GOOD, TONE_BAD, TONE_FAINT, TONE_BEST };

enum { TABLE_MOST_COLUMNS = 27 };

struct table {
    const struct table_column *columns;
    size_t n_columns;
    /* kept by the functions below */
    struct table_cell *cells; /* row by row */
    size_t n_cells;
    bool failed;
};

/* Adds the next cell of the current row; rows fill up from left to right. What is not printable
 * becomes '?'. */
void table_add(struct table *table, enum table_tone tone, const char *format, ...) CLI_PRINTF(3, 4);
/* "731 us" */
void table_add_seconds(struct table *table, double seconds);
/* width 0: as wide as it takes. Returns an exit code. */
int table_print(const struct table *table, FILE *stream, unsigned width, bool color);
/* As Markdown. Returns an exit code. */
int table_print_markdown(const struct table *table, FILE *stream);
/* So that Markdown shows it as it is. */
void markdown_text(FILE *stream, const char *text);
void table_release(struct table *table);

#endif

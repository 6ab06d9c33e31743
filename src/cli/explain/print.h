/* SPDX-License-Identifier: MIT */
/* What clnorm explain prints: headings, paragraphs and grids, for a terminal or as Markdown. */
#ifndef CLNORM_CLI_EXPLAIN_PRINT_H
#define CLNORM_CLI_EXPLAIN_PRINT_H

#include "cli/explain/explain.h"
#include "cli/table.h"

struct printer {
    bool markdown, color;
    unsigned width; /* 0: as wide as it takes */
    int code; /* an exit code: of the first failure */
};

struct printer printer_make(bool markdown, bool no_color);
/* level: 1 the document's, 2 a part's, 3 a step's. */
void print_heading(const struct printer *printer, int level, const char *format, ...)
    CLI_PRINTF(3, 4);
/* Broken into lines where they are too long. */
void print_paragraph(const struct printer *printer, const char *format, ...) CLI_PRINTF(2, 3);

/* Texts in rows and columns; row 0 has the titles, column 0 the names of the rows. */
enum { GRID_ROWS = EXPLAIN_ROWS + 8, GRID_COLS = EXPLAIN_COLS + 8, GRID_TEXT = 40 };

struct grid {
    unsigned rows, cols; /* as far as something was put */
    char text[GRID_ROWS][GRID_COLS][GRID_TEXT];
    enum table_tone tone[GRID_ROWS][GRID_COLS];
};

void grid_put(struct grid *grid, unsigned row, unsigned col, enum table_tone tone,
              const char *format, ...) CLI_PRINTF(5, 6);
/* "row 0", "column 0" and so on: the names of samples and features. */
void grid_name(struct grid *grid, unsigned rows, unsigned cols);
/* Columns that do not fit follow below, with the names of the rows again. */
void print_grid(struct printer *printer, const struct grid *grid);

enum { NUMBER_TEXT = 24 };
/* Four decimals, or an exponent where these tell little; 0 is never "-0". */
const char *number_text(char text[NUMBER_TEXT], double number);

#endif

/* SPDX-License-Identifier: MIT */
#include "cli/explain/print.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

enum { GAP = 2, TEXT_WIDTH = 100 };

struct printer printer_make(bool markdown, bool no_color)
{
    return (struct printer){.markdown = markdown,
                            .color = !markdown && use_color(stdout, no_color),
                            .width = terminal_width(stdout),
                            .code = CLI_OK};
}

/* ---- text ---------------------------------------------------------------------------------- */

void print_heading(const struct printer *printer, int level, const char *format, ...)
{
    va_list args;
    char text[256];
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (printer->markdown) {
        printf("%s%.*s %s\n\n", level > 1 ? "\n" : "", level, "###", text);
        return;
    }
    printf("%s%s%s%s\n", level > 1 ? "\n" : "", printer->color ? "\033[1m" : "", text,
           printer->color ? "\033[0m" : "");
    for (size_t i = 0; level == 2 && i < strlen(text); i++)
        putchar('-');
    if (level == 2)
        putchar('\n');
}

void print_paragraph(const struct printer *printer, const char *format, ...)
{
    char text[1024];
    size_t column = 0;
    const size_t width =
        printer->width && printer->width < TEXT_WIDTH ? printer->width : TEXT_WIDTH;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (const char *word = text; *word; word += strspn(word, " ")) {
        const size_t length = strcspn(word, " ");
        if (column > 0 && column + 1 + length > width) {
            putchar('\n');
            column = 0;
        }
        column += (size_t)printf("%s%.*s", column ? " " : "", (int)length, word);
        word += length;
    }
    puts(printer->markdown ? "\n" : "");
}

const char *number_text(char text[NUMBER_TEXT], double number)
{
    const double size = fabs(number);
    if (isnan(number))
        snprintf(text, NUMBER_TEXT, "NaN");
    else if (size == 0 || (size >= 1e-4 && size < 1e6))
        snprintf(text, NUMBER_TEXT, "%.4f", size == 0 ? 0 : number);
    else
        snprintf(text, NUMBER_TEXT, "%.3e", number);
    return text;
}

/* ---- grids --------------------------------------------------------------------------------- */

void grid_put(struct grid *grid, unsigned row, unsigned col, enum table_tone tone,
              const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(grid->text[row][col], GRID_TEXT, format, args);
    va_end(args);
    grid->tone[row][col] = tone;
    grid->rows = row >= grid->rows ? row + 1 : grid->rows;
    grid->cols = col >= grid->cols ? col + 1 : grid->cols;
}

void grid_name(struct grid *grid, unsigned rows, unsigned cols)
{
    for (unsigned r = 0; r < rows; r++)
        grid_put(grid, 1 + r, 0, TONE_FAINT, "row %u", r);
    for (unsigned c = 0; c < cols; c++)
        grid_put(grid, 0, 1 + c, TONE_PLAIN, "col %u", c);
}

static size_t width_of(const struct grid *grid, unsigned col)
{
    size_t width = 0;
    for (unsigned r = 0; r < grid->rows; r++)
        if (strlen(grid->text[r][col]) > width)
            width = strlen(grid->text[r][col]);
    return width;
}

/* Columns first .. last - 1, behind the names of the rows. */
static int print_columns(const struct printer *printer, const struct grid *grid, unsigned first,
                         unsigned last)
{
    struct table_column columns[GRID_COLS] = {{.title = grid->text[0][0]}};
    struct table table = {.columns = columns, .n_columns = 1 + last - first};
    for (unsigned c = first; c < last; c++)
        columns[1 + c - first] = (struct table_column){.title = grid->text[0][c], .right = true};
    for (unsigned r = 1; r < grid->rows; r++) {
        table_add(&table, grid->tone[r][0], "%s", grid->text[r][0]);
        for (unsigned c = first; c < last; c++)
            table_add(&table, grid->tone[r][c], "%s", grid->text[r][c]);
    }
    const int code = table_print(&table, stdout, 0, printer->color);
    table_release(&table);
    return code;
}

/* The first column that does not fit any more beside those from `first` on; at least one does. */
static unsigned columns_end(const struct printer *printer, const struct grid *grid, unsigned first)
{
    enum { MOST = 15 }; /* of a table, without the names */
    size_t width = width_of(grid, 0);
    unsigned last = first;
    while (last < grid->cols && last - first < MOST) {
        width += GAP + width_of(grid, last);
        if (last > first && printer->width && width > printer->width)
            break;
        last++;
    }
    return last;
}

static void print_markdown(const struct grid *grid)
{
    for (unsigned r = 0; r < grid->rows; r++) {
        for (unsigned c = 0; c < grid->cols; c++)
            printf("| %s ", grid->text[r][c]);
        puts("|");
        for (unsigned c = 0; r == 0 && c < grid->cols; c++)
            fputs(c ? "| ---: " : "| --- ", stdout);
        if (r == 0)
            puts("|");
    }
    putchar('\n');
}

void print_grid(struct printer *printer, const struct grid *grid)
{
    if (printer->markdown) {
        print_markdown(grid);
        return;
    }
    for (unsigned first = 1, last; first < grid->cols; first = last) {
        last = columns_end(printer, grid, first);
        const int code = print_columns(printer, grid, first, last);
        printer->code = printer->code == CLI_OK ? code : printer->code;
        putchar('\n');
    }
}

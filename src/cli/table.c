/* SPDX-License-Identifier: MIT */
#include "cli/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, LEAST_WIDTH = 8 };

struct table_cell {
    enum table_tone tone;
    char text[256];
};

void table_add(struct table *table, enum table_tone tone, const char *format, ...)
{
    if (table->n_cells % 64 == 0) {
        void *more = realloc(table->cells, (table->n_cells + 64) * sizeof(table->cells[0]));
        table->failed = table->failed || !more;
        if (table->failed)
            return;
        table->cells = more;
    }
    struct table_cell *cell = &table->cells[table->n_cells++];
    cell->tone = tone;
    va_list args;
    va_start(args, format);
    vsnprintf(cell->text, sizeof(cell->text), format, args);
    va_end(args);
    make_printable(cell->text);
}

void table_add_seconds(struct table *table, double seconds)
{
    static const struct {
        double unit;
        const char *name;
    } units[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}};
    size_t i = 0;
    while (i < 2 && seconds < units[i].unit)
        i++;
    table_add(table, TONE_PLAIN, "%.3g %s", seconds / units[i].unit, units[i].name);
}

void table_release(struct table *table)
{
    free(table->cells);
    table->cells = NULL;
    table->n_cells = 0;
}

static bool shrinks_before(const struct table *table, const size_t *widths, size_t a, size_t b)
{
    const unsigned order_a = table->columns[a].shrinks, order_b = table->columns[b].shrinks;
    return order_a != order_b ? order_a < order_b : widths[a] > widths[b];
}

/* The widest of the columns that are first to shrink gives way, until all fit or none can. */
static void shrink(const struct table *table, size_t *widths, size_t total, size_t limit)
{
    const size_t none = table->n_columns;
    while (total > limit) {
        size_t next = none;
        for (size_t i = 0; i < table->n_columns; i++)
            if (table->columns[i].shrinks && widths[i] > LEAST_WIDTH &&
                (next == none || shrinks_before(table, widths, i, next)))
                next = i;
        if (next == none)
            return;
        widths[next]--;
        total--;
    }
}

static void measure(const struct table *table, size_t *widths, unsigned limit)
{
    size_t total = 0;
    for (size_t i = 0; i < table->n_columns; i++) {
        widths[i] = strlen(table->columns[i].title);
        for (size_t k = i; k < table->n_cells; k += table->n_columns)
            if (strlen(table->cells[k].text) > widths[i])
                widths[i] = strlen(table->cells[k].text);
        total += widths[i] + (i ? GAP : 0);
    }
    if (limit > 0)
        shrink(table, widths, total, limit);
}

static void print_cell(FILE *stream, const char *text, size_t width, bool right, bool is_last,
                       const char *tone)
{
    const size_t length = strlen(text);
    const bool is_cut = length > width;
    const size_t shown = is_cut ? width - 2 : length;
    const size_t padding = is_cut ? 0 : width - length;
    if (right)
        fprintf(stream, "%*s", (int)padding, "");
    fprintf(stream, "%s%.*s%s%s", tone, (int)shown, text, is_cut ? ".." : "",
            *tone ? "\033[0m" : "");
    if (!right && !is_last)
        fprintf(stream, "%*s", (int)padding, "");
    fprintf(stream, "%*s", is_last ? 0 : GAP, "");
}

static bool is_broken(const struct table *table)
{
    const bool is_broken = table->failed || table->n_columns > TABLE_MOST_COLUMNS;
    if (is_broken)
        complain("out of memory for a table");
    return is_broken;
}

int table_print(const struct table *table, FILE *stream, unsigned width, bool color)
{
    static const char *const tones[] = {[TONE_PLAIN] = "",
                                        [TONE_GOOD] = "\033[32m",
                                        [TONE_BAD] = "\033[1;31m",
                                        [TONE_FAINT] = "\033[2m",
                                        [TONE_BEST] = "\033[1m"};
    size_t widths[TABLE_MOST_COLUMNS];
    if (is_broken(table))
        return CLI_DEVICE;
    measure(table, widths, width);
    const size_t n_lines = 1 + table->n_cells / table->n_columns;
    for (size_t line = 0; line < n_lines; line++) {
        for (size_t i = 0; i < table->n_columns; i++) {
            const struct table_column *column = &table->columns[i];
            const struct table_cell *cell =
                line ? &table->cells[(line - 1) * table->n_columns + i] : NULL;
            print_cell(stream, cell ? cell->text : column->title, widths[i], column->right,
                       i + 1 == table->n_columns,
                       color ? tones[cell ? cell->tone : TONE_FAINT] : "");
        }
        putc('\n', stream);
    }
    return CLI_OK;
}

/* ---- Markdown ------------------------------------------------------------------------------ */

void markdown_text(FILE *stream, const char *text)
{
    for (; *text; text++)
        fprintf(stream, "%s%c", strchr("|\\`<*[&", *text) ? "\\" : "", *text);
}

static void print_markdown_cell(FILE *stream, const char *text)
{
    fputs("| ", stream);
    markdown_text(stream, text);
    putc(' ', stream);
}

int table_print_markdown(const struct table *table, FILE *stream)
{
    if (is_broken(table))
        return CLI_DEVICE;
    for (size_t i = 0; i < table->n_columns; i++)
        print_markdown_cell(stream, table->columns[i].title);
    fputs("|\n", stream);
    for (size_t i = 0; i < table->n_columns; i++)
        fputs(table->columns[i].right ? "|--:" : "|---", stream);
    fputs("|\n", stream);
    for (size_t k = 0; k < table->n_cells; k++) {
        print_markdown_cell(stream, table->cells[k].text);
        if ((k + 1) % table->n_columns == 0)
            fputs("|\n", stream);
    }
    return CLI_OK;
}

/* SPDX-License-Identifier: MIT */
#include "cli/explain/print.h"
#include "cli/explain/text.h"

#include <math.h>
#include <string.h>

/* ---- which cells belong together ----------------------------------------------------------- */

static void draw_line(const struct explain_problem *problem, unsigned row, bool by_column)
{
    printf("row %-4u", row);
    for (unsigned c = 0; c < problem->cols; c++)
        printf("%s%c", c == 0 ? "" : by_column ? "  " : "--", 'a' + (int)(by_column ? c : row));
    putchar('\n');
}

/* Lines join the cells of a set. */
static void draw_sets(const struct printer *printer, const struct explain_problem *problem,
                      bool by_column)
{
    if (printer->markdown)
        puts("```");
    for (unsigned r = 0; r < problem->rows; r++) {
        for (unsigned c = 0; r > 0 && by_column && c < problem->cols; c++)
            printf("%*c", c == 0 ? 9 : 3, '|');
        if (r > 0 && by_column)
            putchar('\n');
        draw_line(problem, r, by_column);
    }
    puts(printer->markdown ? "```\n" : "");
}

static void tell_sets(const struct printer *printer, const struct explain *all)
{
    static const char *const walks[] = {"Along each row, the features of one sample: ",
                                        "Down each column, one feature of all samples: "};
    print_heading(printer, 2, "Which cells belong together");
    print_paragraph(printer, "Cells with the same letter are a set: they share one mean and one "
                             "variance.");
    for (int by_column = 0; by_column < 2; by_column++) {
        char names[64] = "";
        for (int i = 0; i < EXPLAIN_KINDS; i++)
            if (all->shown[i] && explain_kinds[i].by_column == by_column) {
                strcat(names, *names ? ", " : "");
                strcat(names, explain_kinds[i].name);
            }
        if (!*names)
            continue;
        print_paragraph(printer, "%s%s", walks[by_column], names);
        draw_sets(printer, &all->problem, by_column);
    }
}

/* ---- the steps of an operator -------------------------------------------------------------- */

struct view {
    struct printer *printer;
    const struct explain *all;
    const struct explain_kind *kind;
    const struct explain_steps *steps;
    const struct explain_result *result; /* NULL: no device */
};

static void begin_grid(const struct view *view, struct grid *grid, const double *cells)
{
    const struct explain_problem *problem = &view->all->problem;
    char text[NUMBER_TEXT];
    *grid = (struct grid){.rows = 0};
    grid_name(grid, problem->rows, problem->cols);
    for (unsigned i = 0; i < problem->rows * problem->cols; i++)
        if (cells)
            grid_put(grid, 1 + i / problem->cols, 1 + i % problem->cols, TONE_PLAIN, "%s",
                     number_text(text, cells[i]));
        else
            grid_put(grid, 1 + i / problem->cols, 1 + i % problem->cols, TONE_PLAIN, "%.7g",
                     problem->x[i]);
}

/* A number for each set, `place` columns behind its row or rows below its column. */
static void put_sets(const struct view *view, struct grid *grid, unsigned place, const char *title,
                     const double *values)
{
    const struct explain_problem *problem = &view->all->problem;
    const bool below = view->kind->by_column;
    const unsigned line = 1 + place + (below ? problem->rows : problem->cols);
    char text[NUMBER_TEXT];
    grid_put(grid, below ? line : 0, below ? 0 : line, TONE_GOOD, "%s", title);
    for (unsigned k = 0; k < explain_sets(view->kind, problem->rows, problem->cols); k++)
        grid_put(grid, below ? line : 1 + k, below ? 1 + k : line, TONE_GOOD, "%s",
                 number_text(text, values[k]));
}

static void tell_statistics(const struct view *view)
{
    const struct explain_problem *problem = &view->all->problem;
    const char *set = explain_set_name(view->kind);
    const unsigned n = view->kind->by_column ? problem->rows : problem->cols;
    struct grid grid;
    double sums[EXPLAIN_SETS];
    for (unsigned k = 0; k < EXPLAIN_SETS; k++)
        sums[k] = view->steps->variance[k] + problem->eps;
    if (view->kind->centres)
        print_paragraph(view->printer,
                        "x, and of each %s the mean (its sum / N, here N = %u), the variance (the "
                        "mean of squared distances from the mean: / N, not / (N - 1)), variance + "
                        "eps, and rstd = 1 / sqrt(variance + eps):",
                        set, n);
    else
        print_paragraph(view->printer,
                        "x, and of each %s the mean of squares (their sum / %u), that + eps, and "
                        "rstd = 1 / sqrt(mean of squares + eps). No mean is subtracted:",
                        set, n);
    begin_grid(view, &grid, NULL);
    unsigned place = 0;
    if (view->kind->centres)
        put_sets(view, &grid, place++, "mean", view->steps->mean);
    put_sets(view, &grid, place++, view->kind->centres ? "variance" : "mean of x^2",
             view->steps->variance);
    put_sets(view, &grid, place++, "+ eps", sums);
    put_sets(view, &grid, place, "rstd", view->steps->rstd);
    print_grid(view->printer, &grid);
}

static void tell_squares(const struct view *view)
{
    struct grid grid;
    if (view->kind->centres) {
        print_paragraph(view->printer, "Centred, x - mean:");
        begin_grid(view, &grid, view->steps->centred);
        print_grid(view->printer, &grid);
        print_paragraph(view->printer, "Squared, (x - mean)^2. Their mean is the variance:");
    } else {
        print_paragraph(view->printer, "Squared, x^2, and their mean:");
    }
    begin_grid(view, &grid, view->steps->squared);
    put_sets(view, &grid, 0, "mean", view->steps->variance);
    print_grid(view->printer, &grid);
}

static void tell_normalized(const struct view *view)
{
    const bool centres = view->kind->centres;
    struct grid grid;
    print_paragraph(view->printer,
                    centres ? "Normalized, (x - mean) * rstd. The proof: each %s "
                              "has mean 0 and variance 1 (eps keeps it a little "
                              "below):"
                            : "Normalized, x * rstd. The proof: the mean of squares "
                              "of each %s is 1 (eps keeps it a little below):",
                    explain_set_name(view->kind));
    begin_grid(view, &grid, view->steps->normalized);
    unsigned place = 0;
    if (centres) {
        double means[EXPLAIN_SETS];
        for (unsigned k = 0; k < EXPLAIN_SETS; k++) /* what rounding leaves of 0 */
            means[k] = fabs(view->steps->proof_mean[k]) < 1e-12 ? 0 : view->steps->proof_mean[k];
        put_sets(view, &grid, place++, "mean", means);
    }
    put_sets(view, &grid, place, centres ? "variance" : "mean of ^2", view->steps->proof_variance);
    print_grid(view->printer, &grid);
}

static void tell_params(const struct view *view)
{
    const struct explain_problem *problem = &view->all->problem;
    struct grid grid;
    if (!problem->has_params) {
        print_paragraph(view->printer,
                        "y = normalized * weight + bias. No --weight and no --bias is given, so "
                        "they are 1 and 0, and y is what stands above.");
        return;
    }
    print_paragraph(view->printer, "y = normalized * weight + bias, with a weight and a bias for "
                                   "each column:");
    begin_grid(view, &grid, view->steps->y);
    grid_put(&grid, problem->rows + 1, 0, TONE_FAINT, "weight");
    grid_put(&grid, problem->rows + 2, 0, TONE_FAINT, "bias");
    for (unsigned c = 0; c < problem->cols; c++) {
        grid_put(&grid, problem->rows + 1, 1 + c, TONE_FAINT, "%.7g", problem->weight[c]);
        grid_put(&grid, problem->rows + 2, 1 + c, TONE_FAINT, "%.7g", problem->bias[c]);
    }
    print_grid(view->printer, &grid);
}

/* The first cell that was edited, or the first one. */
static unsigned example_cell(const struct explain *all)
{
    const unsigned count = all->problem.rows * all->problem.cols;
    for (unsigned i = 0; i < count; i++)
        if (all->problem.x[i] != all->before.x[i])
            return i;
    return 0;
}

static void tell_cell(const struct view *view)
{
    const struct explain_problem *problem = &view->all->problem;
    const unsigned i = example_cell(view->all);
    const unsigned row = i / problem->cols, col = i % problem->cols;
    const unsigned k = explain_set_of(view->kind, row, col);
    char x[80], mean[NUMBER_TEXT], rstd[NUMBER_TEXT], y[NUMBER_TEXT], after[80] = "";
    if (view->kind->centres)
        snprintf(x, sizeof(x), "(%.7g - %s)", problem->x[i],
                 number_text(mean, view->steps->mean[k]));
    else
        snprintf(x, sizeof(x), "%.7g", problem->x[i]);
    if (problem->has_params)
        snprintf(after, sizeof(after), " * %.7g + %.7g", problem->weight[col], problem->bias[col]);
    print_paragraph(view->printer, "One cell, row %u, column %u: y = %s * %s%s = %s", row, col, x,
                    number_text(rstd, view->steps->rstd[k]), after,
                    number_text(y, view->steps->y[i]));
}

/* ---- a device beside it -------------------------------------------------------------------- */

static double most_ulps(const struct view *view, unsigned k)
{
    const struct explain_problem *problem = &view->all->problem;
    double most = 0;
    for (unsigned i = 0; i < problem->rows * problem->cols; i++) {
        const unsigned col = i % problem->cols;
        const double ulps =
            explain_ulps(view->result->y[i], view->steps->y[i], fabs(problem->weight[col]));
        if (explain_set_of(view->kind, i / problem->cols, col) == k && !(ulps <= most))
            most = ulps;
    }
    return most;
}

/* What the device gives for set k, its distance from the reference, both from column `col` on. */
static void put_pair(struct grid *grid, unsigned k, unsigned col, const char *name, double got,
                     double expected)
{
    grid_put(grid, 0, col, TONE_PLAIN, "%s", name);
    grid_put(grid, 1 + k, col, TONE_PLAIN, "%.9g", expected);
    grid_put(grid, 0, col + 1, TONE_PLAIN, "device");
    grid_put(grid, 1 + k, col + 1, TONE_PLAIN, "%.9g", got);
    grid_put(grid, 0, col + 2, TONE_PLAIN, "ULP");
    grid_put(grid, 1 + k, col + 2, TONE_PLAIN, "%.2f", explain_ulps(got, expected, 0));
}

static void tell_device(const struct view *view)
{
    const struct explain_problem *problem = &view->all->problem;
    const clnorm_verdict *verdict = &view->result->verdict;
    struct grid grid = {.rows = 0};
    print_paragraph(view->printer,
                    "The same on %s, in float32. 1 ULP is the distance from a number to the next "
                    "float32; half of one is lost by rounding alone:",
                    view->all->device->name);
    for (unsigned k = 0; k < explain_sets(view->kind, problem->rows, problem->cols); k++) {
        unsigned col = 1;
        grid_put(&grid, 1 + k, 0, TONE_FAINT, "%s %u", view->kind->by_column ? "col" : "row", k);
        if (view->kind->centres) {
            put_pair(&grid, k, col, "mean", view->result->mean[k], view->steps->mean[k]);
            col += 3;
        }
        put_pair(&grid, k, col, "rstd", view->result->rstd[k], view->steps->rstd[k]);
        grid_put(&grid, 0, col + 3, TONE_PLAIN, "y: most ULP");
        grid_put(&grid, 1 + k, col + 3, TONE_PLAIN, "%.2f", most_ulps(view, k));
    }
    print_grid(view->printer, &grid);
    print_paragraph(view->printer,
                    verdict->wrong ? "%llu of %llu numbers are WRONG: outside of what rounding "
                                     "can explain."
                                   : "%llu of %llu numbers are outside of what rounding can "
                                     "explain.",
                    (unsigned long long)verdict->wrong, (unsigned long long)verdict->compared);
}

/* ---- all of it ----------------------------------------------------------------------------- */

static void tell_kind(struct printer *printer, const struct explain *all, int i)
{
    static const char *const texts[EXPLAIN_KINDS] = {
        "A sample is normalized with its own mean and variance. Who else is in the batch does not "
        "matter.",
        "A feature is normalized with its mean and variance over the batch (training; for "
        "inference, running averages of them take their place). What becomes of a sample depends "
        "on the others.",
        "Like layer_norm without the mean: a sample is only scaled."};
    const struct explain_kind *kind = &explain_kinds[i];
    const struct view view = {printer, all, kind, &all->steps[i],
                              all->device ? &all->results[i] : NULL};
    print_heading(printer, 2, "%s: %s", kind->name,
                  kind->by_column ? "down each column" : "along each row");
    print_paragraph(printer, "%s", texts[i]);
    tell_statistics(&view);
    tell_squares(&view);
    tell_normalized(&view);
    tell_params(&view);
    tell_cell(&view);
    if (view.result)
        tell_device(&view);
}

int explain_text(const struct explain *all, bool markdown, bool no_color)
{
    struct printer printer = printer_make(markdown, no_color);
    print_heading(&printer, 1, "Normalization of %u samples with %u features, step by step",
                  all->problem.rows, all->problem.cols);
    print_paragraph(&printer,
                    "The matrix: %s. A row is a sample, a column is a feature, a cell is a "
                    "float32; rows and columns count from 0. What is calculated is in double, as "
                    "the host reference has it. eps is %g.",
                    all->source, all->problem.eps);
    tell_sets(&printer, all);
    for (int i = 0; i < EXPLAIN_KINDS; i++)
        if (all->shown[i])
            tell_kind(&printer, all, i);
    if (all->edited)
        explain_tell_edits(&printer, all);
    explain_tell_batch(&printer, all);
    if (all->has_cancel)
        explain_tell_cancel(&printer, &all->cancel, all->device);
    return printer.code;
}

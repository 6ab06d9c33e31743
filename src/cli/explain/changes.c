/* SPDX-License-Identifier: MIT */
#include "cli/explain/text.h"

#include <math.h>
#include <string.h>

/* ---- edits --------------------------------------------------------------------------------- */

/* " row 0, row 3" */
static void name_moved_sets(const struct explain *all, int i, char *names, size_t bytes)
{
    const struct explain_kind *kind = &explain_kinds[i];
    const unsigned cols = all->problem.cols;
    bool moved[EXPLAIN_SETS] = {false};
    size_t used = 0;
    for (unsigned c = 0; c < all->problem.rows * cols; c++)
        if (all->steps[i].y[c] != all->steps_before[i].y[c])
            moved[explain_set_of(kind, c / cols, c % cols)] = true;
    for (unsigned k = 0; k < EXPLAIN_SETS; k++)
        if (moved[k])
            used += (size_t)snprintf(names + used, bytes - used, "%s%s %u", used ? ", " : " ",
                                     explain_set_name(kind), k);
}

/* y after - y before; a dot where it is the same. */
static unsigned put_moved(const struct explain *all, int i, struct grid *grid)
{
    const unsigned cols = all->problem.cols;
    unsigned count = 0;
    char text[NUMBER_TEXT];
    *grid = (struct grid){.rows = 0};
    grid_name(grid, all->problem.rows, cols);
    for (unsigned c = 0; c < all->problem.rows * cols; c++) {
        const double moved = all->steps[i].y[c] - all->steps_before[i].y[c];
        count += moved != 0;
        grid_put(grid, 1 + c / cols, 1 + c % cols, moved != 0 ? TONE_BAD : TONE_FAINT, "%s%s",
                 moved > 0 ? "+" : "", moved != 0 ? number_text(text, moved) : ".");
    }
    return count;
}

static void tell_moved(struct printer *printer, const struct explain *all, int i)
{
    struct grid grid;
    char names[20 * EXPLAIN_SETS] = "";
    const unsigned count = put_moved(all, i, &grid);
    name_moved_sets(all, i, names, sizeof(names));
    print_paragraph(
        printer, "%s: %u of %u cells of y moved%s%s. y after less y before:", explain_kinds[i].name,
        count, all->problem.rows * all->problem.cols, count ? ", those of" : "", names);
    print_grid(printer, &grid);
}

void explain_tell_edits(struct printer *printer, const struct explain *all)
{
    const unsigned cols = all->problem.cols;
    print_heading(printer, 2, "What the edit moved");
    for (unsigned c = 0; c < all->problem.rows * cols; c++)
        if (all->problem.x[c] != all->before.x[c])
            print_paragraph(printer, "Row %u, column %u: %.7g became %.7g.", c / cols, c % cols,
                            all->before.x[c], all->problem.x[c]);
    for (int i = 0; i < EXPLAIN_KINDS; i++)
        if (all->shown[i])
            tell_moved(printer, all, i);
}

/* ---- the batch ----------------------------------------------------------------------------- */

static void put_sample(struct grid *grid, const struct explain *all, int i, unsigned rows,
                       const struct explain_steps *steps)
{
    const unsigned line = grid->rows ? grid->rows : 1;
    char text[NUMBER_TEXT];
    grid_put(grid, line, 0, TONE_PLAIN, "%s of %u", explain_kinds[i].name, rows);
    for (unsigned c = 0; c < all->problem.cols; c++) {
        const bool same = steps->y[c] == all->steps[i].y[c];
        grid_put(grid, line, 1 + c, same ? TONE_PLAIN : TONE_BAD, "%s",
                 number_text(text, steps->y[c]));
    }
    grid_put(grid, line, 1 + all->problem.cols, TONE_FAINT, "%s",
             steps == &all->steps[i]                                                 ? ""
             : memcmp(steps->y, all->steps[i].y, all->problem.cols * sizeof(double)) ? "moved"
                                                                                     : "the same");
}

void explain_tell_batch(struct printer *printer, const struct explain *all)
{
    struct grid grid = {.rows = 0};
    const bool is_one = all->first == 1;
    print_heading(printer, 2, "The batch shrinks to %u", all->first);
    print_paragraph(printer,
                    "y of row 0 in the batch of %u, and in a batch of %u that has the first rows "
                    "alone. layer_norm and rms_norm do not look at other rows.%s",
                    all->problem.rows, all->first,
                    is_one ? " For batch_norm a column of one cell is its own mean and has no "
                             "variance, so that y is the bias, whatever x is."
                           : "");
    grid_name(&grid, 0, all->problem.cols);
    for (int i = 0; i < EXPLAIN_KINDS; i++)
        if (all->shown[i]) {
            put_sample(&grid, all, i, all->problem.rows, &all->steps[i]);
            put_sample(&grid, all, i, all->first, &all->steps_first[i]);
        }
    print_grid(printer, &grid);
}

/* ---- a large mean -------------------------------------------------------------------------- */

static void put_error(struct grid *grid, unsigned row, unsigned col, const char *title,
                      double error)
{
    grid_put(grid, 0, col, TONE_PLAIN, "%s", title);
    if (isnan(error))
        grid_put(grid, row, col, TONE_BAD, "NaN");
    else
        grid_put(grid, row, col, error > 1e-3 ? TONE_BAD : TONE_PLAIN, "%.1e", error);
}

static void put_variances(struct grid *grid, const struct explain_cancel *cancel, unsigned k,
                          bool has_device)
{
    const struct explain_variances *set = &cancel->sets[k];
    const bool is_wrong = !(fabs(set->naive - set->exact) <= 1e-3 * set->exact);
    char text[NUMBER_TEXT];
    grid_put(grid, 1 + k, 0, TONE_FAINT, "%s %u", cancel->kind->by_column ? "col" : "row", k);
    grid_put(grid, 0, 1, TONE_PLAIN, "mean");
    grid_put(grid, 1 + k, 1, TONE_PLAIN, "%s", number_text(text, set->mean));
    grid_put(grid, 0, 2, TONE_PLAIN, "variance");
    grid_put(grid, 1 + k, 2, TONE_PLAIN, "%s", number_text(text, set->exact));
    grid_put(grid, 0, 3, TONE_PLAIN, "two passes");
    grid_put(grid, 1 + k, 3, TONE_PLAIN, "%s", number_text(text, set->two_pass));
    grid_put(grid, 0, 4, TONE_PLAIN, "naive");
    grid_put(grid, 1 + k, 4, is_wrong ? TONE_BAD : TONE_PLAIN, "%s", number_text(text, set->naive));
    put_error(grid, 1 + k, 5, "y off: two passes", set->two_pass_error);
    put_error(grid, 1 + k, 6, "naive", set->naive_error);
    if (has_device)
        put_error(grid, 1 + k, 7, "device", set->device_error);
}

void explain_tell_cancel(struct printer *printer, const struct explain_cancel *cancel,
                         const clnorm_device *device)
{
    const struct explain_problem *problem = &cancel->problem;
    struct grid grid = {.rows = 0};
    print_heading(printer, 2, "A large mean: every cell + %g, %s", cancel->offset,
                  cancel->kind->name);
    print_paragraph(printer,
                    "The spread is the same, so y should be, too. Naive is mean(x^2) - mean(x)^2 "
                    "in float32: of two numbers of about %.0e, which have 24 bits, the difference "
                    "is what rounding left. Two passes take the mean first and then mean((x - "
                    "mean)^2), also in float32; what is left is the rounding of the mean. A "
                    "negative variance gives NaN.",
                    cancel->offset * cancel->offset);
    for (unsigned k = 0; k < explain_sets(cancel->kind, problem->rows, problem->cols); k++)
        put_variances(&grid, cancel, k, device != NULL);
    print_grid(printer, &grid);
    if (device)
        print_paragraph(printer,
                        "device: y of clnorm on %s, which keeps the mean in two floats. y off: the "
                        "largest distance from the right y.",
                        device->name);
}

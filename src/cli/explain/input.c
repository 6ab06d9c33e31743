/* SPDX-License-Identifier: MIT */
#include "base/dtype.h"
#include "base/random.h"
#include "cli/explain/explain.h"
#include "cli/files/input_file.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

/* ---- without a file ------------------------------------------------------------------------ */

static void example(struct explain_problem *problem)
{
    enum { ROWS = 4, COLS = 6 };
    static const float x[ROWS * COLS] = {2, 1, 6, 3, 5, 4, 3, 0, 4, 2, 6, 5,
                                         5, 2, 5, 4, 7, 3, 7, 3, 2, 5, 4, 6};
    problem->rows = ROWS;
    problem->cols = COLS;
    memcpy(problem->x, x, sizeof(x));
}

bool explain_is_made_up(const struct explain_wishes *wishes)
{
    return !wishes->input &&
           (wishes->rows != EXPLAIN_NOT_GIVEN || wishes->cols != EXPLAIN_NOT_GIVEN);
}

/* Whole numbers from 0 to 9, the same ones in each run. */
static bool make_up(struct explain_problem *problem, const struct explain_wishes *wishes,
                    clnorm_error *error)
{
    const uint64_t rows = wishes->rows == EXPLAIN_NOT_GIVEN ? 4 : wishes->rows;
    const uint64_t cols = wishes->cols == EXPLAIN_NOT_GIVEN ? 6 : wishes->cols;
    clnorm_random random = clnorm_random_seed(1, 0);
    if (rows < 1 || rows > EXPLAIN_ROWS)
        return refuse(error, "--rows '%llu': must be 1 to %d", (unsigned long long)rows,
                      EXPLAIN_ROWS);
    if (cols < 1 || cols > EXPLAIN_COLS)
        return refuse(error, "--cols '%llu': must be 1 to %d", (unsigned long long)cols,
                      EXPLAIN_COLS);
    problem->rows = (unsigned)rows;
    problem->cols = (unsigned)cols;
    for (unsigned i = 0; i < problem->rows * problem->cols; i++)
        problem->x[i] = (float)clnorm_random_below(&random, 10);
    return true;
}

/* ---- weight and bias ----------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), n = strlen(end);
    return length >= n && strcmp(text + length - n, end) == 0;
}

const char *explain_params_path(const char *text)
{
    return text && ends_with(text, ".npy") ? text : NULL;
}

static bool params_of_file(const char *path, unsigned cols, float *values, clnorm_error *error)
{
    struct input_file file;
    char shape[SHAPE_TEXT];
    bool ok = input_file_open(&file, path, false, error);
    if (!ok)
        return false;
    shape_text(&file.shape, shape);
    if (file.shape.rank != 1 || file.shape.dims[0] != cols)
        ok = refuse(error, "%s: shape %s; must be (%u,): a number for each feature", path, shape,
                    cols);
    for (unsigned i = 0; ok && i < cols; i++) {
        const double number = clnorm_load(file.dtype, file.data, i);
        if (!explain_float(number, &values[i]))
            ok = refuse(error, "%s: number %u is %g; must be finite, up to %g", path, i, number,
                        FLT_MAX);
    }
    input_file_close(&file);
    return ok;
}

/* Numbers with commas between them; returns how many, 0 if it is no such list. */
static unsigned parse_list(const char *text, float *values)
{
    unsigned n = 0;
    for (;; text++) {
        double number;
        float value;
        if (!explain_number(&text, &number) || !explain_float(number, &value))
            return 0;
        if (n < EXPLAIN_COLS)
            values[n] = value;
        n++;
        if (*text != ',')
            return *text ? 0 : n;
    }
}

static bool read_params(const char *option, const char *text, unsigned cols, float *values,
                        clnorm_error *error)
{
    if (!text)
        return true;
    if (explain_params_path(text))
        return params_of_file(text, cols, values, error);
    const unsigned n = parse_list(text, values);
    for (unsigned i = 1; n == 1 && i < cols; i++)
        values[i] = values[0];
    return n == 1 || n == cols ||
           refuse(error,
                  "--%s '%s': must be %u finite numbers with commas between them, one for each "
                  "feature, or one for all, or a .npy file of them",
                  option, text, cols);
}

void explain_no_params(struct explain_problem *problem)
{
    problem->has_params = false;
    for (unsigned i = 0; i < EXPLAIN_COLS; i++) {
        problem->weight[i] = 1;
        problem->bias[i] = 0;
    }
}

/* ---- all of it ----------------------------------------------------------------------------- */

bool explain_problem_read(struct explain_problem *problem, const struct explain_wishes *wishes,
                          clnorm_error *error)
{
    bool ok = true;
    *problem = (struct explain_problem){.eps = wishes->eps};
    explain_no_params(problem);
    problem->has_params = wishes->weight || wishes->bias;
    if (wishes->input)
        ok = explain_file_read(problem, wishes, error);
    else if (explain_is_made_up(wishes))
        ok = make_up(problem, wishes, error);
    else
        example(problem);
    return ok && read_params("weight", wishes->weight, problem->cols, problem->weight, error) &&
           read_params("bias", wishes->bias, problem->cols, problem->bias, error);
}

bool explain_edit(struct explain_problem *problem, const char *edit, clnorm_error *error)
{
    const char *text = edit;
    uint64_t row = 0, col = 0;
    double number = 0;
    float cell;
    if (!parse_digits(&text, &row) || *text++ != ',' || !parse_digits(&text, &col) ||
        *text++ != '=' || !explain_number(&text, &number) || *text)
        return refuse(error, "--set '%s': must be ROW,COLUMN=NUMBER, such as 0,2=9, counted from 0",
                      edit);
    if (row >= problem->rows || col >= problem->cols)
        return refuse(error,
                      "--set '%s': there is no such cell; the row must be 0 to %u, the "
                      "column 0 to %u",
                      edit, problem->rows - 1, problem->cols - 1);
    if (!explain_float(number, &cell))
        return refuse(error, "--set '%s': %g must be a finite number of float32, up to %g", edit,
                      number, FLT_MAX);
    problem->x[row * problem->cols + col] = cell;
    return true;
}

/* SPDX-License-Identifier: MIT */
/* clnorm explain: what its files have in common. A small matrix of samples (rows) and features
 * (columns) is normalized step by step by three operators, of which each walks another way. */
#ifndef CLNORM_CLI_EXPLAIN_EXPLAIN_H
#define CLNORM_CLI_EXPLAIN_EXPLAIN_H

#include "cli/cli.h"

/* What fits on a screen. */
enum {
    EXPLAIN_ROWS = 16,
    EXPLAIN_COLS = 12,
    EXPLAIN_CELLS = EXPLAIN_ROWS * EXPLAIN_COLS,
    EXPLAIN_SETS = EXPLAIN_ROWS /* the larger one: a set is a row or a column */
};

/* ---- what is normalized (explain_input.c, explain_file.c, explain_csv.c) ------------------- */

struct explain_problem {
    unsigned rows, cols;
    float x[EXPLAIN_CELLS]; /* [rows, cols] */
    float weight[EXPLAIN_COLS], bias[EXPLAIN_COLS]; /* 1 and 0 if they are not given */
    bool has_params; /* one of them is given */
    double eps;
};

/* Weight 1 and bias 0. */
void explain_no_params(struct explain_problem *problem);

#define EXPLAIN_NOT_GIVEN UINT64_MAX

struct explain_wishes {
    int op; /* 0: all; else one more than the place in explain_kinds */
    /* of the made up matrix, or that many of the file's first; or EXPLAIN_NOT_GIVEN */
    uint64_t rows, cols;
    uint64_t first;
    double eps, offset;
    char *input, *weight, *bias, *device, *html;
    struct cli_texts edits;
    bool json, markdown, no_color;
};

/* Neither the matrix of the example nor a file's. */
bool explain_is_made_up(const struct explain_wishes *wishes);
/* The file that --weight or --bias names; NULL where it is a list, or not given. */
const char *explain_params_path(const char *text);
/* Reads the matrix, and what goes with it, before any edit. */
bool explain_problem_read(struct explain_problem *problem, const struct explain_wishes *wishes,
                          clnorm_error *error);
/* Puts a number in a cell: "R,C=V", counted from 0. */
bool explain_edit(struct explain_problem *problem, const char *edit, clnorm_error *error);

/* Reads wishes->input: a .npy, idx or CSV file, or the part of it that is asked for. */
bool explain_file_read(struct explain_problem *problem, const struct explain_wishes *wishes,
                       clnorm_error *error);

/* Numbers in the lines of a text. */
struct explain_csv {
    double *x; /* [rows, cols] */
    uint64_t rows, cols;
};
/* Lines of numbers with commas between them, and empty ones. text: ends with a 0 behind `bytes`;
 * csv->x: freed by the caller, also after a failure. */
bool explain_csv_parse(const char *name, const char *text, size_t bytes, struct explain_csv *csv,
                       clnorm_error *error);
/* A number that ends where *text is left. false if there is none. */
bool explain_number(const char **text, double *number);
/* false if it is not finite as a float. */
bool explain_float(double number, float *cell);

/* ---- the steps (explain_steps.c) ----------------------------------------------------------- */

struct explain_kind {
    clnorm_kind kind;
    const char *name;
    bool by_column; /* a set is a column, one feature of all samples; else a row */
    bool centres; /* the mean is subtracted */
};
enum { EXPLAIN_KINDS = 3 };
extern const struct explain_kind explain_kinds[EXPLAIN_KINDS]; /* layer, batch, RMS norm */

unsigned explain_sets(const struct explain_kind *kind, unsigned rows, unsigned cols);
/* The set that a cell belongs to. */
unsigned explain_set_of(const struct explain_kind *kind, unsigned row, unsigned col);
/* "row" or "column". */
const char *explain_set_name(const struct explain_kind *kind);

/* Of float32 matrices. */
clnorm_desc explain_desc(const struct explain_kind *kind, const struct explain_problem *problem);

/* All of them as the reference has them, in double. */
struct explain_steps {
    double mean[EXPLAIN_SETS]; /* 0 if it is not subtracted */
    double variance[EXPLAIN_SETS]; /* or the mean of squares; divided by N */
    double rstd[EXPLAIN_SETS];
    double proof_mean[EXPLAIN_SETS], proof_variance[EXPLAIN_SETS]; /* of the normalized cells */
    double centred[EXPLAIN_CELLS], squared[EXPLAIN_CELLS];
    double normalized[EXPLAIN_CELLS], y[EXPLAIN_CELLS];
};

/* Of the first `rows` rows of the problem. */
bool explain_steps_make(struct explain_steps *steps, const struct explain_kind *kind,
                        const struct explain_problem *problem, unsigned rows, clnorm_error *error);

/* ---- a large mean (explain_cancel.c) ------------------------------------------------------- */

struct explain_variances {
    double mean;
    double exact; /* of the same cells in double */
    double two_pass, naive; /* float: mean((x - mean)^2), mean(x^2) - mean(x)^2 */
    /* largest |y - exact y| without weight and bias; NaN where y is, or is not known */
    double two_pass_error, naive_error, device_error;
};

struct explain_cancel {
    double offset; /* added to each cell */
    const struct explain_kind *kind;
    struct explain_problem problem; /* with the offset, rounded to float */
    struct explain_steps steps; /* the right ones */
    struct explain_variances sets[EXPLAIN_SETS];
};

/* kind: one that centres. */
bool explain_cancel_make(struct explain_cancel *cancel, const struct explain_kind *kind,
                         const struct explain_problem *problem, double offset, clnorm_error *error);
/* y: of a device, for the problem with the offset. */
void explain_cancel_device(struct explain_cancel *cancel, const float *y);

/* ---- on a device (explain_device.c) -------------------------------------------------------- */

struct explain_result {
    float mean[EXPLAIN_SETS], rstd[EXPLAIN_SETS], y[EXPLAIN_CELLS];
    clnorm_verdict verdict;
};

/* *context is NULL without an error where the device is not wanted, or where none was asked for by
 * name and there is none: that is said on stderr. */
bool explain_device_open(const char *selector, clnorm_context **context, clnorm_error *error);
bool explain_device_run(clnorm_context *context, const struct explain_kind *kind,
                        const struct explain_problem *problem, struct explain_result *result,
                        clnorm_error *error);
/* |got - expected| in units of the last place of a float as large as the larger one of |expected|
 * and `size`. */
double explain_ulps(double got, double expected, double size);

/* ---- all that is told ---------------------------------------------------------------------- */

struct explain {
    char source[256]; /* "an example", "made up", or the file */
    struct explain_problem problem, before; /* before: without edits */
    bool shown[EXPLAIN_KINDS], edited;
    struct explain_steps steps[EXPLAIN_KINDS], steps_before[EXPLAIN_KINDS];
    unsigned first; /* rows that are left when the batch shrinks */
    struct explain_steps steps_first[EXPLAIN_KINDS];
    bool has_cancel;
    struct explain_cancel cancel;
    const clnorm_device *device; /* NULL: none */
    struct explain_result results[EXPLAIN_KINDS], cancel_result;
};

/* Exit codes. The text is Markdown, or fits the terminal (explain_text.c); with explain_json, which
 * gives NULL if memory runs out (explain_json.c). */
int explain_text(const struct explain *all, bool markdown, bool no_color);
json_t *explain_json(const struct explain *all);

#endif

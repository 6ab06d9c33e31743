/* SPDX-License-Identifier: MIT */
#include "cli/explain/explain.h"

#include <string.h>

const struct explain_kind explain_kinds[EXPLAIN_KINDS] = {
    {CLNORM_LAYER_NORM, "layer_norm", false, true},
    {CLNORM_BATCH_NORM, "batch_norm", true, true},
    {CLNORM_RMS_NORM, "rms_norm", false, false},
};

unsigned explain_sets(const struct explain_kind *kind, unsigned rows, unsigned cols)
{
    return kind->by_column ? cols : rows;
}

unsigned explain_set_of(const struct explain_kind *kind, unsigned row, unsigned col)
{
    return kind->by_column ? col : row;
}

const char *explain_set_name(const struct explain_kind *kind)
{
    return kind->by_column ? "column" : "row";
}

clnorm_desc explain_desc(const struct explain_kind *kind, const struct explain_problem *problem)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    desc.kind = kind->kind;
    desc.cols = problem->cols;
    desc.channels = kind->by_column ? problem->cols : 0;
    desc.eps = problem->eps;
    return desc;
}

/* The numbers that are no steps: y as it is with weight and bias, and without. */
static bool evaluate(struct explain_steps *steps, const struct explain_kind *kind,
                     const struct explain_problem *problem, unsigned rows, clnorm_error *error)
{
    const clnorm_desc desc = explain_desc(kind, problem);
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.x.data = problem->x;
    args.y.data = steps->normalized;
    args.mean.data = kind->centres ? steps->mean : NULL;
    args.rstd.data = steps->rstd;
    if (clnorm_reference(&desc, CLNORM_FORWARD, rows, &args, error) != CLNORM_OK)
        return false;
    args.y.data = steps->y;
    args.weight.data = problem->weight;
    args.bias.data = problem->bias;
    return clnorm_reference(&desc, CLNORM_FORWARD, rows, &args, error) == CLNORM_OK;
}

/* Means over the cells of each set. */
static void average(const double *cells, const struct explain_kind *kind, unsigned rows,
                    unsigned cols, double *means)
{
    const unsigned n_sets = explain_sets(kind, rows, cols);
    const double size = kind->by_column ? rows : cols;
    memset(means, 0, n_sets * sizeof(means[0]));
    for (unsigned i = 0; i < rows * cols; i++)
        means[explain_set_of(kind, i / cols, i % cols)] += cells[i];
    for (unsigned k = 0; k < n_sets; k++)
        means[k] /= size;
}

/* mean((a - mean)^2), with the squares in `squared`. */
static void deviate(const double *cells, const double *means, const struct explain_kind *kind,
                    unsigned rows, unsigned cols, double *squared, double *variances)
{
    for (unsigned i = 0; i < rows * cols; i++) {
        const double off = cells[i] - means[explain_set_of(kind, i / cols, i % cols)];
        squared[i] = off * off;
    }
    average(squared, kind, rows, cols, variances);
}

bool explain_steps_make(struct explain_steps *steps, const struct explain_kind *kind,
                        const struct explain_problem *problem, unsigned rows, clnorm_error *error)
{
    static const double zeros[EXPLAIN_SETS];
    double squares[EXPLAIN_CELLS];
    const unsigned cols = problem->cols;
    *steps = (struct explain_steps){.mean = {0}};
    if (!evaluate(steps, kind, problem, rows, error))
        return false;
    for (unsigned i = 0; i < rows * cols; i++)
        steps->centred[i] = problem->x[i] - steps->mean[explain_set_of(kind, i / cols, i % cols)];
    deviate(steps->centred, zeros, kind, rows, cols, steps->squared, steps->variance);
    if (kind->centres)
        average(steps->normalized, kind, rows, cols, steps->proof_mean);
    deviate(steps->normalized, steps->proof_mean, kind, rows, cols, squares, steps->proof_variance);
    return true;
}

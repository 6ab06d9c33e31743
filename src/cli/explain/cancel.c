/* SPDX-License-Identifier: MIT */
#include "cli/explain/explain.h"

#include <float.h>
#include <math.h>

/* ---- in float ------------------------------------------------------------------------------ */

/* A statement for each operation: compilers may fuse a product and a sum that are in one. */
static float sum_of(const float *x, unsigned n)
{
    float sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

static float sum_of_squares(const float *x, unsigned n, float around)
{
    float sum = 0;
    for (unsigned i = 0; i < n; i++) {
        const float off = x[i] - around;
        const float square = off * off;
        sum += square;
    }
    return sum;
}

static float naive_variance(const float *x, unsigned n, float mean)
{
    const float mean_of_squares = sum_of_squares(x, n, 0) / (float)n;
    const float square_of_mean = mean * mean;
    return mean_of_squares - square_of_mean;
}

/* NaN stays. */
static void keep_largest(double *largest, double error)
{
    if (!isnan(*largest) && !(error <= *largest))
        *largest = error;
}

/* Largest |(x - mean) / sqrt(variance + eps) - y|; NaN if one is. */
static double largest_error(const float *x, const double *y, unsigned n, float mean, float variance,
                            float eps)
{
    const float rstd = 1 / sqrtf(variance + eps);
    double largest = 0;
    for (unsigned i = 0; i < n; i++) {
        const float off = x[i] - mean;
        const float got = off * rstd;
        keep_largest(&largest, fabs(got - y[i]));
    }
    return largest;
}

/* ---- the sets ------------------------------------------------------------------------------ */

/* The cells of set k one after the other; returns how many. */
static unsigned gather(const struct explain_cancel *cancel, unsigned k, float *x, double *y)
{
    const unsigned cols = cancel->problem.cols;
    unsigned n = 0;
    for (unsigned i = 0; i < cancel->problem.rows * cols; i++)
        if (explain_set_of(cancel->kind, i / cols, i % cols) == k) {
            x[n] = cancel->problem.x[i];
            y[n++] = cancel->steps.normalized[i];
        }
    return n;
}

static void compare(const struct explain_cancel *cancel, unsigned k, struct explain_variances *set)
{
    float x[EXPLAIN_SETS];
    double y[EXPLAIN_SETS];
    const unsigned n = gather(cancel, k, x, y);
    const float eps = (float)cancel->problem.eps;
    const float mean = sum_of(x, n) / (float)n;
    const float two_pass = sum_of_squares(x, n, mean) / (float)n;
    const float naive = naive_variance(x, n, mean);
    *set = (struct explain_variances){
        .mean = cancel->steps.mean[k],
        .exact = cancel->steps.variance[k],
        .two_pass = two_pass,
        .naive = naive,
        .two_pass_error = largest_error(x, y, n, mean, two_pass, eps),
        .naive_error = largest_error(x, y, n, mean, naive, eps),
        .device_error = NAN,
    };
}

static bool add_offset(struct explain_problem *problem, double offset, clnorm_error *error)
{
    for (unsigned i = 0; i < problem->rows * problem->cols; i++) {
        const double moved = problem->x[i] + offset;
        if (!(fabs(moved) <= FLT_MAX))
            return refuse(error,
                          "--offset '%g': a cell becomes %g; must leave them finite as float32: "
                          "up to %g",
                          offset, moved, FLT_MAX);
        problem->x[i] = (float)moved;
    }
    return true;
}

bool explain_cancel_make(struct explain_cancel *cancel, const struct explain_kind *kind,
                         const struct explain_problem *problem, double offset, clnorm_error *error)
{
    cancel->offset = offset;
    cancel->kind = kind;
    cancel->problem = *problem;
    explain_no_params(&cancel->problem);
    if (!add_offset(&cancel->problem, offset, error) ||
        !explain_steps_make(&cancel->steps, kind, &cancel->problem, problem->rows, error))
        return false;
    for (unsigned k = 0; k < explain_sets(kind, problem->rows, problem->cols); k++)
        compare(cancel, k, &cancel->sets[k]);
    return true;
}

void explain_cancel_device(struct explain_cancel *cancel, const float *y)
{
    const unsigned cols = cancel->problem.cols;
    for (unsigned k = 0; k < explain_sets(cancel->kind, cancel->problem.rows, cols); k++)
        cancel->sets[k].device_error = 0;
    for (unsigned i = 0; i < cancel->problem.rows * cols; i++) {
        const unsigned k = explain_set_of(cancel->kind, i / cols, i % cols);
        keep_largest(&cancel->sets[k].device_error, fabs(y[i] - cancel->steps.normalized[i]));
    }
}

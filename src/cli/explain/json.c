/* SPDX-License-Identifier: MIT */
#include "cli/explain/explain.h"

#include <math.h>
#include <stdlib.h>

/* A matrix [rows, cols], or a list where rows is 0. */
static json_t *numbers(const double *values, unsigned rows, unsigned cols)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < (rows ? rows : cols); i++)
        json_array_append_new(list, rows ? numbers(values + (size_t)i * cols, 0, cols)
                                         : json_finite(values[i]));
    return list;
}

static json_t *floats(const float *values, unsigned rows, unsigned cols)
{
    double wide[EXPLAIN_CELLS];
    for (unsigned i = 0; i < (rows ? rows : 1) * cols; i++)
        wide[i] = values[i];
    return numbers(wide, rows, cols);
}

/* ---- an operator --------------------------------------------------------------------------- */

static json_t *steps_json(const struct explain_steps *steps, const struct explain_kind *kind,
                          unsigned rows, unsigned cols)
{
    const unsigned n = explain_sets(kind, rows, cols);
    json_t *object = json_object();
    if (kind->centres) {
        json_object_set_new(object, "mean", numbers(steps->mean, 0, n));
        json_object_set_new(object, "centred", numbers(steps->centred, rows, cols));
    }
    json_object_set_new(object, kind->centres ? "variance" : "mean_of_squares",
                        numbers(steps->variance, 0, n));
    json_object_set_new(object, "rstd", numbers(steps->rstd, 0, n));
    json_object_set_new(object, "squared", numbers(steps->squared, rows, cols));
    json_object_set_new(object, "normalized", numbers(steps->normalized, rows, cols));
    if (kind->centres)
        json_object_set_new(object, "normalized_mean", numbers(steps->proof_mean, 0, n));
    json_object_set_new(object,
                        kind->centres ? "normalized_variance" : "normalized_mean_of_squares",
                        numbers(steps->proof_variance, 0, n));
    json_object_set_new(object, "y", numbers(steps->y, rows, cols));
    return object;
}

static json_t *ulps_json(const float *got, const double *expected, const float *sizes,
                         unsigned rows, unsigned cols)
{
    double ulps[EXPLAIN_CELLS];
    for (unsigned i = 0; i < (rows ? rows : 1) * cols; i++)
        ulps[i] = explain_ulps(got[i], expected[i], sizes ? fabs(sizes[i % cols]) : 0);
    return numbers(ulps, rows, cols);
}

static json_t *result_json(const struct explain *all, int i)
{
    const struct explain_kind *kind = &explain_kinds[i];
    const struct explain_result *result = &all->results[i];
    const unsigned rows = all->problem.rows, cols = all->problem.cols;
    const unsigned n = explain_sets(kind, rows, cols);
    json_t *object = json_object();
    if (kind->centres) {
        json_object_set_new(object, "mean", floats(result->mean, 0, n));
        json_object_set_new(object, "mean_ulp",
                            ulps_json(result->mean, all->steps[i].mean, NULL, 0, n));
    }
    json_object_set_new(object, "rstd", floats(result->rstd, 0, n));
    json_object_set_new(object, "rstd_ulp",
                        ulps_json(result->rstd, all->steps[i].rstd, NULL, 0, n));
    json_object_set_new(object, "y", floats(result->y, rows, cols));
    json_object_set_new(object, "y_ulp",
                        ulps_json(result->y, all->steps[i].y, all->problem.weight, rows, cols));
    json_object_set_new(object, "compared", json_integer((json_int_t)result->verdict.compared));
    json_object_set_new(object, "wrong", json_integer((json_int_t)result->verdict.wrong));
    return object;
}

static json_t *kind_json(const struct explain *all, int i)
{
    const struct explain_kind *kind = &explain_kinds[i];
    const unsigned rows = all->problem.rows, cols = all->problem.cols;
    json_t *object = json_object();
    json_object_set_new(object, "op", json_string(kind->name));
    json_object_set_new(object, "set", json_string(explain_set_name(kind)));
    json_object_update_new(object, steps_json(&all->steps[i], kind, rows, cols));
    if (all->edited)
        json_object_set_new(object, "before", steps_json(&all->steps_before[i], kind, rows, cols));
    json_object_set_new(object, "first", steps_json(&all->steps_first[i], kind, all->first, cols));
    json_object_set_new(object, "device", all->device ? result_json(all, i) : json_null());
    return object;
}

/* ---- a large mean -------------------------------------------------------------------------- */

static json_t *cancel_json(const struct explain *all)
{
    const struct explain_cancel *cancel = &all->cancel;
    const unsigned rows = all->problem.rows, cols = all->problem.cols;
    json_t *object = json_object(), *sets = json_array();
    for (unsigned k = 0; k < explain_sets(cancel->kind, rows, cols); k++) {
        const struct explain_variances *set = &cancel->sets[k];
        json_t *item = json_object();
        json_object_set_new(item, "mean", json_finite(set->mean));
        json_object_set_new(item, "variance", json_finite(set->exact));
        json_object_set_new(item, "two_pass_f32", json_finite(set->two_pass));
        json_object_set_new(item, "naive_f32", json_finite(set->naive));
        json_object_set_new(item, "y_error_two_pass_f32", json_finite(set->two_pass_error));
        json_object_set_new(item, "y_error_naive_f32", json_finite(set->naive_error));
        json_object_set_new(item, "y_error_device", json_finite(set->device_error));
        json_array_append_new(sets, item);
    }
    json_object_set_new(object, "op", json_string(cancel->kind->name));
    json_object_set_new(object, "offset", json_real(cancel->offset));
    json_object_set_new(object, "sets", sets);
    return object;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static json_t *device_json(const clnorm_device *device)
{
    json_t *object = json_object();
    json_object_set_new(object, "index", json_integer(device->index));
    json_object_set_new(object, "name", json_text(device->name));
    json_object_set_new(object, "platform", json_text(device->platform_name));
    json_object_set_new(object, "driver", json_text(device->driver));
    return object;
}

static void put_problem(json_t *root, const struct explain *all)
{
    const struct explain_problem *problem = &all->problem;
    json_object_set_new(root, "source", json_text(all->source));
    json_object_set_new(root, "rows", json_integer(problem->rows));
    json_object_set_new(root, "cols", json_integer(problem->cols));
    json_object_set_new(root, "eps", json_real(problem->eps));
    json_object_set_new(root, "x", floats(problem->x, problem->rows, problem->cols));
    if (all->edited)
        json_object_set_new(root, "x_before", floats(all->before.x, problem->rows, problem->cols));
    json_object_set_new(root, "weight", floats(problem->weight, 0, problem->cols));
    json_object_set_new(root, "bias", floats(problem->bias, 0, problem->cols));
}

json_t *explain_json(const struct explain *all)
{
    json_t *root = json_object(), *operators = json_array();
    if (!root || !operators) {
        json_decref(root);
        json_decref(operators);
        return NULL;
    }
    json_object_set_new(root, "schema", json_string("clnorm.explain/1"));
    json_object_set_new(root, "version", json_string(clnorm_version()));
    put_problem(root, all);
    json_object_set_new(root, "device", all->device ? device_json(all->device) : json_null());
    json_object_set_new(root, "first", json_integer(all->first));
    for (int i = 0; i < EXPLAIN_KINDS; i++)
        if (all->shown[i])
            json_array_append_new(operators, kind_json(all, i));
    json_object_set_new(root, "operators", operators);
    json_object_set_new(root, "large_mean", all->has_cancel ? cancel_json(all) : json_null());
    return root;
}

/* SPDX-License-Identifier: MIT */
/* The steps of clnorm explain are the right ones: against numbers that were worked out elsewhere,
 * printed with four decimals, so that half a unit of the fourth is allowed. What an edit, a batch
 * of one and a large mean do is what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explain/explain.h"

enum { LAYER, BATCH, RMS };

static const double half_unit = 0.5e-4 + 1e-9;

static struct explain_wishes plain_wishes(void)
{
    return (struct explain_wishes){.rows = EXPLAIN_NOT_GIVEN,
                                   .cols = EXPLAIN_NOT_GIVEN,
                                   .first = 1,
                                   .eps = 1e-5,
                                   .offset = 1e4};
}

static struct explain_problem read_problem(struct explain_wishes wishes)
{
    struct explain_problem problem;
    clnorm_error error;
    if (!explain_problem_read(&problem, &wishes, &error))
        fail_msg("%s", error.text);
    return problem;
}

static struct explain_steps steps_of(const struct explain_problem *problem, int kind, unsigned rows)
{
    struct explain_steps steps;
    clnorm_error error;
    if (!explain_steps_make(&steps, &explain_kinds[kind], problem, rows, &error))
        fail_msg("%s", error.text);
    return steps;
}

static void expect_all(const char *what, const double *got, const double *expected, unsigned n,
                       double tolerance)
{
    for (unsigned i = 0; i < n; i++)
        if (!(fabs(got[i] - expected[i]) <= tolerance))
            fail_msg("%s[%u] is %.9g, must be %.9g within %g", what, i, got[i], expected[i],
                     tolerance);
}

/* ---- known numbers ------------------------------------------------------------------------- */

static void test_layer_norm(void **state)
{
    static const double means[] = {3.5, 3.3333, 4.3333, 4.5};
    static const double variances[] = {2.9167, 3.8889, 2.5556, 2.9167};
    static const double y[] = {-0.8783, -1.4638, 1.4638,  -0.2928, 0.8783,  0.2928,
                               -0.1690, -1.6903, 0.3381,  -0.6761, 1.3522,  0.8452,
                               0.4170,  -1.4596, 0.4170,  -0.2085, 1.6681,  -0.8341,
                               1.4638,  -0.8783, -1.4638, 0.2928,  -0.2928, 0.8783};
    const struct explain_problem problem = read_problem(plain_wishes());
    const struct explain_steps steps = steps_of(&problem, LAYER, 4);
    (void)state;
    expect_all("mean", steps.mean, means, 4, half_unit);
    expect_all("variance", steps.variance, variances, 4, half_unit);
    expect_all("normalized", steps.normalized, y, 24, half_unit);
    expect_all("y", steps.y, y, 24, half_unit);
}

static void test_batch_norm(void **state)
{
    static const double means[] = {4.25, 1.5, 4.25, 3.5, 5.5, 4.5};
    static const double variances[] = {3.6875, 1.25, 2.1875, 1.25, 1.25, 1.25};
    static const double y[] = {-1.1717, -0.4472, 1.1832, -0.4472, -0.4472, -0.4472};
    const struct explain_problem problem = read_problem(plain_wishes());
    const struct explain_steps steps = steps_of(&problem, BATCH, 4);
    (void)state;
    expect_all("mean", steps.mean, means, 6, half_unit);
    expect_all("variance", steps.variance, variances, 6, half_unit);
    expect_all("y", steps.y, y, 6, half_unit);
}

static void test_rms_norm(void **state)
{
    static const double y[] = {0.5136, 0.2568, 1.5407, 0.7703, 1.2839, 1.0271};
    const struct explain_problem problem = read_problem(plain_wishes());
    const struct explain_steps steps = steps_of(&problem, RMS, 4);
    const double root = sqrt(steps.variance[0]), expected = 3.8944;
    (void)state;
    expect_all("root mean square", &root, &expected, 1, half_unit);
    expect_all("y", steps.y, y, 6, half_unit);
}

/* variance / (variance + eps) is what is left; sums of 6 numbers of about 1 in double. */
static void test_proof(void **state)
{
    const struct explain_problem problem = read_problem(plain_wishes());
    (void)state;
    for (int i = 0; i < EXPLAIN_KINDS; i++) {
        const struct explain_steps steps = steps_of(&problem, i, 4);
        for (unsigned k = 0; k < explain_sets(&explain_kinds[i], 4, 6); k++) {
            const double zero = 0;
            const double left = steps.variance[k] / (steps.variance[k] + (double)1e-5f);
            expect_all("mean of normalized", &steps.proof_mean[k], &zero, 1, 1e-14);
            expect_all("variance of normalized", &steps.proof_variance[k], &left, 1, 1e-14);
        }
    }
}

static void test_weight_and_bias(void **state)
{
    struct explain_wishes wishes = plain_wishes();
    char weight[] = "1,2,3,-4,0.5,0", bias[] = "0.25";
    wishes.weight = weight;
    wishes.bias = bias;
    const struct explain_problem problem = read_problem(wishes);
    (void)state;
    for (int i = 0; i < EXPLAIN_KINDS; i++) {
        const struct explain_steps steps = steps_of(&problem, i, 4);
        for (unsigned c = 0; c < 24; c++) {
            const double y = steps.normalized[c] * problem.weight[c % 6] + 0.25;
            expect_all("y", &steps.y[c], &y, 1, 1e-14);
        }
    }
}

/* ---- what changes -------------------------------------------------------------------------- */

static void expect_moved(int kind, const char *edit, unsigned row, unsigned col)
{
    struct explain_problem problem = read_problem(plain_wishes());
    const struct explain_steps before = steps_of(&problem, kind, 4);
    clnorm_error error;
    if (!explain_edit(&problem, edit, &error))
        fail_msg("%s", error.text);
    const struct explain_steps after = steps_of(&problem, kind, 4);
    const struct explain_kind *k = &explain_kinds[kind];
    for (unsigned i = 0; i < 24; i++) {
        const bool in_set = explain_set_of(k, i / 6, i % 6) == explain_set_of(k, row, col);
        if ((before.y[i] != after.y[i]) != in_set)
            fail_msg("%s, --set %s: y of cell %u is %.17g before and %.17g after", k->name, edit, i,
                     before.y[i], after.y[i]);
    }
}

static void test_an_edit_moves_its_set(void **state)
{
    (void)state;
    for (int i = 0; i < EXPLAIN_KINDS; i++) {
        expect_moved(i, "0,2=60", 0, 2);
        expect_moved(i, "3,5=-1.5e3", 3, 5);
    }
}

static void test_a_batch_of_one(void **state)
{
    struct explain_wishes wishes = plain_wishes();
    char bias[] = "1,2,3,4,5,6";
    static const double biases[] = {1, 2, 3, 4, 5, 6};
    wishes.bias = bias;
    const struct explain_problem problem = read_problem(wishes);
    (void)state;
    expect_all("y of batch_norm", steps_of(&problem, BATCH, 1).y, biases, 6, 0);
    for (int i = LAYER; i <= RMS; i += RMS - LAYER)
        expect_all(explain_kinds[i].name, steps_of(&problem, i, 1).y, steps_of(&problem, i, 4).y, 6,
                   0);
}

/* x^2 is about 1e8, where a float has steps of 8: the sum of 6 of them, / 6, less the square of the
 * mean can be any multiple of such a step, and is never near 2.9. Two passes lose 2^-11 in the mean
 * at most: half a step of 2^-10 at 1e4, squared in the variance. */
static void test_a_large_mean(void **state)
{
    const struct explain_problem problem = read_problem(plain_wishes());
    struct explain_cancel cancel;
    clnorm_error error;
    (void)state;
    if (!explain_cancel_make(&cancel, &explain_kinds[LAYER], &problem, 1e4, &error))
        fail_msg("%s", error.text);
    const struct explain_steps right = steps_of(&problem, LAYER, 4);
    expect_all("exact variance", cancel.steps.variance, right.variance, 4, 1e-9);
    for (unsigned k = 0; k < 4; k++) {
        const struct explain_variances *set = &cancel.sets[k];
        if (!(fabs(set->naive - set->exact) > 1))
            fail_msg("row %u: the naive variance is %.9g, too near to %.9g", k, set->naive,
                     set->exact);
        expect_all("variance in two passes", &set->two_pass, &set->exact, 1, 1e-4);
        if (!(set->two_pass_error < 1e-3))
            fail_msg("row %u: y of two passes is %g off", k, set->two_pass_error);
        if (!(set->naive_error > 0.1 || isnan(set->naive_error)))
            fail_msg("row %u: the naive y is only %g off", k, set->naive_error);
    }
}

/* ---- what is read -------------------------------------------------------------------------- */

static bool parse(const char *text, struct explain_csv *csv, clnorm_error *error)
{
    return explain_csv_parse("x.csv", text, strlen(text), csv, error);
}

static void test_csv(void **state)
{
    static const double expected[] = {1, -2.5, 3e2, 4, 5, 6};
    static const char *const texts[] = {"1,-2.5,3e2\n4,5,6\n", " 1 ,\t-2.5, 300\r\n\r\n4,5,6",
                                        "\n\n1,-2.5,300\n \n4,5,6\n\n",
                                        "\357\273\2771,-2.5,300\r\n4,5,6\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct explain_csv csv;
        clnorm_error error;
        if (!parse(texts[i], &csv, &error))
            fail_msg("text %zu: %s", i, error.text);
        assert_int_equal(csv.rows, 2);
        assert_int_equal(csv.cols, 3);
        expect_all("cell", csv.x, expected, 6, 0);
        free(csv.x);
    }
}

static void test_bad_csv(void **state)
{
    static const struct {
        const char *text, *complaint;
    } cases[] = {
        {"", "has no numbers"},
        {"\n \n", "has no numbers"},
        {"1,2\n3\n", "line 2 has 1 numbers; must have 2"},
        {"1,2\n\n3,4,5", "line 3 has 3 numbers; must have 2"},
        {"1,,2", "line 1, number 2 is ''; must be a number"},
        {"1,2,\n3,4,5", "line 1, number 3 is ''; must be a number"},
        {"height,width\n1,2", "line 1, number 1 is 'height'; must be a number"},
        {"1 2\n", "line 1, number 1 is '1 2'; must be a number"},
        {"1,2x", "line 1, number 2 is '2x'; must be a number"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct explain_csv csv;
        clnorm_error error = {.text = "nothing"};
        const bool ok = parse(cases[i].text, &csv, &error);
        free(csv.x);
        if (ok || !strstr(error.text, cases[i].complaint))
            fail_msg("'%s': the complaint is '%s', must have '%s'", cases[i].text, error.text,
                     cases[i].complaint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layer_norm),
        cmocka_unit_test(test_batch_norm),
        cmocka_unit_test(test_rms_norm),
        cmocka_unit_test(test_proof),
        cmocka_unit_test(test_weight_and_bias),
        cmocka_unit_test(test_an_edit_moves_its_set),
        cmocka_unit_test(test_a_batch_of_one),
        cmocka_unit_test(test_a_large_mean),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_bad_csv),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

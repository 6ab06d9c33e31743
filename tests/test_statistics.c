/* SPDX-License-Identifier: MIT */
/* Verdicts stand on these numbers: tables of Student's t, and samples that can be counted out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "check/statistics.h"

static void expect_near(double got, double expected, double tolerance, const char *what, double of)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%s of %g is %.10g, expected %.10g +- %g", what, of, got, expected, tolerance);
}

/* To half a unit of the last place that is known of each. */
static void test_p_of_student(void **state)
{
    static const struct {
        double t, df, p, tolerance;
    } known[] = {{3.05, 12, 0.0100847, 5e-8},
                 {2, 7.5, 0.0828970, 5e-8},
                 {1, 4, 0.3739010, 5e-8},
                 {10, 9.3, 2.79063e-6, 5e-12},
                 {0, 5, 1, 0},
                 {1, 1, 0.5, 1e-15}, /* 1 - 2 atan(t) / pi */
                 {1e9, 2, 1e-18, 1e-27}}; /* about 1 / t^2 */
    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        expect_near(clnorm_student_p(known[i].t, known[i].df), known[i].p, known[i].tolerance,
                    "two-sided p", known[i].t);
}

static void test_critical_t(void **state)
{
    static const double shares[] = {.10, .05, .02, .01};
    static const struct {
        double df, t[4];
    } known[] = {{4, {2.132, 2.776, 3.747, 4.604}},  {6, {1.943, 2.447, 3.143, 3.707}},
                 {8, {1.860, 2.306, 2.896, 3.355}},  {12, {1.782, 2.179, 2.681, 3.055}},
                 {18, {1.734, 2.101, 2.552, 2.878}}, {30, {1.697, 2.042, 2.457, 2.750}}};
    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        for (int k = 0; k < 4; k++)
            expect_near(clnorm_student_t(shares[k], known[i].df), known[i].t[k], 5e-4, "t of df",
                        known[i].df);
    for (double p = 1e-9; p < 1; p *= 3)
        expect_near(clnorm_student_p(clnorm_student_t(p, 7.3), 7.3) / p, 1, 1e-9, "inverse", p);
}

static void test_quantiles(void **state)
{
    double values[] = {4, 1, 3, 2}, one[] = {7};
    (void)state;
    expect_near(clnorm_median(values, 4), 2.5, 0, "median", 4);
    expect_near(values[0], 1, 0, "first sorted", 4);
    expect_near(clnorm_quantile(values, 4, 0), 1, 0, "quantile", 0);
    expect_near(clnorm_quantile(values, 4, 0.25), 1.75, 1e-15, "quantile", 0.25);
    expect_near(clnorm_quantile(values, 4, 1), 4, 0, "quantile", 1);
    expect_near(clnorm_median(one, 1), 7, 0, "median", 1);
    expect_near(clnorm_quantile(one, 1, 0.99), 7, 0, "quantile", 0.99);
}

static void test_spread_is_of_logarithms(void **state)
{
    const double values[] = {1, 10, 100}, same[] = {3, 3};
    const clnorm_log_spread s = clnorm_log_spread_of(values, 3);
    (void)state;
    expect_near(s.mean, log(10), 1e-15, "mean", 3);
    expect_near(s.sd, log(10), 1e-15, "deviation", 3);
    assert_int_equal(s.n, 3);
    expect_near(clnorm_log_spread_of(same, 2).sd, 0, 0, "deviation", 2);
    expect_near(clnorm_log_spread_of(values, 1).sd, 0, 0, "deviation", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_p_of_student),
        cmocka_unit_test(test_critical_t),
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_spread_is_of_logarithms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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

/* Of 4 values, 1, 3, 5, 6, 5, 3, 1 orders have 0 .. 6 pairs the wrong way round. */
static void test_p_of_a_trend(void **state)
{
    const double up[] = {1, 2, 3, 4, 5, 6, 7}, down[] = {7, 6, 5, 4, 3, 2, 1};
    const double one[] = {2, 1, 3, 4}, half[] = {2, 4, 1, 3}, same[] = {5, 5, 5, 5};
    const double tie[] = {1, 2, 2, 3, 4, 5, 6};
    double many[31];
    (void)state;
    expect_near(clnorm_trend_p(up, 7), 2.0 / 5040, 1e-15, "p of a rise", 7);
    expect_near(clnorm_trend_p(down, 7), 2.0 / 5040, 1e-15, "p of a fall", 7);
    expect_near(clnorm_trend_p(up, 6), 2.0 / 720, 1e-15, "p of a rise", 6);
    expect_near(clnorm_trend_p(one, 4), 2 * 4.0 / 24, 1e-15, "p with one pair", 4);
    expect_near(clnorm_trend_p(half, 4), 1, 0, "p of half the pairs", 4);
    expect_near(clnorm_trend_p(same, 4), 1, 0, "p of the same", 4);
    if (!(clnorm_trend_p(tie, 7) >= 2.0 / 5040))
        fail_msg("p with a tie is %g, that of a rise %g", clnorm_trend_p(tie, 7), 2.0 / 5040);
    /* up to 30 it is counted, then normal: one value more makes p a little smaller */
    for (int i = 0; i < 31; i++)
        many[i] = i * 11 % 31 + 0.7 * i;
    const double counted = clnorm_trend_p(many, 30), normal = clnorm_trend_p(many, 31);
    if (!(counted < 0.1 && normal < 1.2 * counted && normal > 0.3 * counted))
        fail_msg("p of 30 values is %g, of 31 %g", counted, normal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_p_of_student), cmocka_unit_test(test_critical_t),
        cmocka_unit_test(test_quantiles),    cmocka_unit_test(test_spread_is_of_logarithms),
        cmocka_unit_test(test_p_of_a_trend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

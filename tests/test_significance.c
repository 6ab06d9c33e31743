/* SPDX-License-Identifier: MIT */
/* A comparison that calls noise a difference, or overlooks one: Welch's test beside tables, and on
 * samples whose truth is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/random.h"
#include "check/significance.h"

static void expect_near(double got, double expected, double tolerance, const char *what)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%s is %.10g, expected %.10g +- %g", what, got, expected, tolerance);
}

/* Two groups of 7 with one deviation have 12 degrees of freedom, and sqrt(2 / 7) of it as error. */
static void test_of_equal_spreads(void **state)
{
    const double sd = 0.06, error = 0.06 * sqrt(2.0 / 7);
    const clnorm_log_spread a = {1, sd, 7}, b = {1 + 3.05 * error, sd, 7};
    const clnorm_welch w = clnorm_welch_test(a, b);
    double interval[2];
    (void)state;
    expect_near(w.difference, 3.05 * error, 1e-15, "difference");
    expect_near(w.error, error, 1e-15, "error");
    expect_near(w.degrees, 12, 1e-12, "degrees");
    expect_near(w.p, 0.0100847, 5e-8, "p");
    expect_near(clnorm_welch_test(b, a).difference, -w.difference, 0, "difference the other way");
    clnorm_welch_interval(&w, 0.99, interval);
    /* the critical value of the table, 3.055, has half a unit of its last place */
    expect_near(log(interval[0]), (3.05 - 3.055) * error, 5e-4 * error, "lower end");
    expect_near(log(interval[1]), (3.05 + 3.055) * error, 5e-4 * error, "upper end");
}

/* Of the sd of 3 and 1, n of 6 and 8: v = 9 / 6, 1 / 8; degrees (v + w)^2 / (v^2 / 5 + w^2 / 7). */
static void test_of_unequal_spreads(void **state)
{
    const clnorm_welch w =
        clnorm_welch_test((clnorm_log_spread){0, 3, 6}, (clnorm_log_spread){1, 1, 8});
    (void)state;
    expect_near(w.error, sqrt(1.625), 1e-15, "error");
    expect_near(w.degrees, 1.625 * 1.625 / (2.25 / 5 + 1.0 / 64 / 7), 1e-12, "degrees");
}

static void test_without_spread(void **state)
{
    const clnorm_log_spread a = {1, 0, 7}, b = {1.5, 0, 7};
    double interval[2];
    const clnorm_welch w = clnorm_welch_test(a, b);
    (void)state;
    expect_near(w.p, 0, 0, "p of different ones");
    expect_near(clnorm_welch_test(a, a).p, 1, 0, "p of the same");
    clnorm_welch_interval(&w, 0.95, interval);
    expect_near(interval[0], exp(0.5), 1e-15, "lower end");
    expect_near(interval[1], exp(0.5), 1e-15, "upper end");
}

static void test_margins(void **state)
{
    (void)state;
    assert_true(clnorm_is_effect(1.05, 0.05) && clnorm_is_effect(1 / 1.05, 0.05));
    assert_false(clnorm_is_effect(1.0499, 0.05) || clnorm_is_effect(0.953, 0.05));
    assert_true(clnorm_is_within((const double[]){0.91, 1.09}, 0.10));
    assert_false(clnorm_is_within((const double[]){0.90, 1.09}, 0.10));
    assert_false(clnorm_is_within((const double[]){0.91, 1.11}, 0.10));
    assert_true(clnorm_is_outside((const double[]){1.06, 1.2}, 0.05));
    assert_true(clnorm_is_outside((const double[]){0.8, 0.95}, 0.05));
    assert_false(clnorm_is_outside((const double[]){1.04, 1.2}, 0.05));
    assert_false(clnorm_is_outside((const double[]){0.8, 1.2}, 0.05));
}

/* p n / rank, and never more than that of a larger p. */
static void test_adjusted_p(void **state)
{
    double p[] = {0.01, 0.04, 0.03, 0.005}, steps[] = {0.02, 0.9, 0.025}, one[] = {0.5};
    const double expected[] = {0.02, 0.04, 0.04, 0.02}, of_steps[] = {0.0375, 0.9, 0.0375};
    (void)state;
    assert_true(clnorm_adjust_p(p, 4) && clnorm_adjust_p(steps, 3) && clnorm_adjust_p(one, 1) &&
                clnorm_adjust_p(NULL, 0));
    for (size_t i = 0; i < 4; i++)
        expect_near(p[i], expected[i], 1e-15, "adjusted p");
    for (size_t i = 0; i < 3; i++)
        expect_near(steps[i], of_steps[i], 1e-15, "adjusted p");
    expect_near(one[0], 0.5, 0, "adjusted p of one");
}

static clnorm_log_spread draw(clnorm_random *random, double mean, double sd, size_t n)
{
    double values[64];
    for (size_t i = 0; i < n; i++)
        values[i] = exp(mean + sd * clnorm_random_normal(random));
    return clnorm_log_spread_of(values, n);
}

/* How many of `trials` pairs have p < 0.01. */
static size_t count_called(double difference, double sd, size_t n, size_t trials)
{
    clnorm_random random = clnorm_random_seed(1, n);
    size_t called = 0;
    for (size_t i = 0; i < trials; i++) {
        const clnorm_log_spread a = draw(&random, 0, sd, n);
        called += clnorm_welch_test(a, draw(&random, difference, sd, n)).p < 0.01;
    }
    return called;
}

/* Counts are off by their binomial deviation, five of them at most. */
static void test_called_as_often_as_it_says(void **state)
{
    const size_t trials = 4000;
    const double expected = 0.01 * (double)trials;
    (void)state;
    expect_near((double)count_called(0, 0.06, 7, trials), expected, 5 * sqrt(expected),
                "differences where there are none");
}

/* The formula takes the normal distribution for Student's: with 36 rounds that is 2 % of power. */
static void test_rounds_that_are_needed(void **state)
{
    const size_t trials = 2000;
    const double power = 0.80, deviation = sqrt(power * (1 - power) / (double)trials);
    (void)state;
    expect_near(clnorm_rounds_needed(0.06, 0.05), 36, 0, "rounds for 5 %");
    expect_near(clnorm_rounds_needed(0.06, 0.10), 10, 0, "rounds for 10 %");
    expect_near((double)count_called(log(1.05), 0.06, 36, trials) / (double)trials, power,
                5 * deviation + 0.02, "share that is found");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_equal_spreads),
        cmocka_unit_test(test_of_unequal_spreads),
        cmocka_unit_test(test_without_spread),
        cmocka_unit_test(test_margins),
        cmocka_unit_test(test_adjusted_p),
        cmocka_unit_test(test_called_as_often_as_it_says),
        cmocka_unit_test(test_rounds_that_are_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

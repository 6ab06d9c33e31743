/* SPDX-License-Identifier: MIT */
/* The rules of the verdicts, on rounds whose truth is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/random.h"
#include "cli/compare/compare.h"

static const struct compare_rules usual = {.threshold = 0.05};
enum { ROUNDS = 7, ROWS = 2000 };

static struct compare_value value_of(double mean, double sd, size_t rounds)
{
    static json_t result; /* only its being there counts */
    return (struct compare_value){
        .result = &result, .is_ok = true, .copy = "usual", .spread = {mean, sd, rounds}};
}

/* A row of two exact spreads: B is `factor` times as fast. */
static struct compare_row row_of(double factor, double sd, size_t rounds)
{
    return (struct compare_row){
        .name = "made up", .a = value_of(0, sd, rounds), .b = value_of(log(factor), sd, rounds)};
}

static void expect_verdict(struct compare_row row, enum compare_verdict expected, const char *what)
{
    assert_true(compare_judge(&row, 1, &usual));
    if (row.verdict != expected)
        fail_msg("%s: factor %g, p %g, sd %g: %s, expected %s", what, row.factor, row.p,
                 row.a.spread.sd, compare_verdict_names[row.verdict],
                 compare_verdict_names[expected]);
}

static void test_verdicts(void **state)
{
    (void)state;
    expect_verdict(row_of(1.25, 0.05, 7), COMPARE_FAST, "25 % faster");
    expect_verdict(row_of(0.80, 0.05, 7), COMPARE_SLOW, "25 % slower");
    expect_verdict(row_of(1.04, 0.002, 7), COMPARE_SAME, "sure, and too small");
    expect_verdict(row_of(1.00, 0.02, 7), COMPARE_SAME, "nothing");
    expect_verdict(row_of(1.00, 0.20, 7), COMPARE_UNSURE, "nothing, and much noise");
    expect_verdict(row_of(1.12, 0.15, 7), COMPARE_UNSURE, "something, and much noise");
    expect_verdict(row_of(2.00, 0.001, 4), COMPARE_UNSURE, "four rounds");
    expect_verdict(row_of(2.00, 0, 1), COMPARE_UNSURE, "one round");
    expect_verdict(row_of(1.00, 0, 7), COMPARE_SAME, "no spread at all");
    expect_verdict(row_of(1.50, 0, 7), COMPARE_FAST, "no spread at all");
}

static void test_launches_need_more(void **state)
{
    struct compare_row row = row_of(1.24, 0.01, 7);
    (void)state;
    row.b.is_launch_bound = true;
    expect_verdict(row, COMPARE_UNSURE, "24 % of a launch");
    row = row_of(0.79, 0.01, 7);
    row.a.is_launch_bound = true;
    expect_verdict(row, COMPARE_SLOW, "26 % of a launch");
}

static void test_copies_of_two_ways_need_more(void **state)
{
    const struct compare_rules time = {.threshold = 0.05, .by_time = true};
    struct compare_row row = row_of(1.24, 0.01, 7);
    (void)state;
    row.b.copy = "another";
    expect_verdict(row, COMPARE_UNSURE, "24 % beside another copy");
    assert_true(compare_judge(&row, 1, &time));
    assert_int_equal(row.verdict, COMPARE_FAST); /* the copy has no part in it */
    assert_false(row.rough[COMPARE_COPIES]);
    row = row_of(1.26, 0.01, 7);
    row.b.copy = "another";
    expect_verdict(row, COMPARE_FAST, "26 % beside another copy");
}

static void test_one_sided(void **state)
{
    const struct compare_value ok = value_of(0, 0.01, 7), none = {0};
    struct compare_value wrong = ok, unsupported = ok;
    (void)state;
    unsupported.is_ok = wrong.is_ok = false;
    wrong.is_wrong = true;
    const struct {
        struct compare_value a, b;
        enum compare_verdict expected;
    } known[] = {
        {ok, none, COMPARE_GONE},
        {none, ok, COMPARE_NEW},
        {ok, wrong, COMPARE_WRONG},
        {none, wrong, COMPARE_WRONG},
        {wrong, none, COMPARE_WRONG},
        {wrong, ok, COMPARE_NEW},
        {ok, unsupported, COMPARE_GONE},
        {unsupported, ok, COMPARE_NEW},
        {unsupported, unsupported, COMPARE_NEITHER},
        {unsupported, none, COMPARE_NEITHER},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        expect_verdict((struct compare_row){.name = "x", .a = known[i].a, .b = known[i].b},
                       known[i].expected, "one side");
}

/* t = 3.1 with 12 degrees is p = 0.0092: one row alone is called, one of ten is not. */
static void test_many_rows_need_more(void **state)
{
    const double sd = 0.06, factor = exp(3.1 * sd * sqrt(2.0 / ROUNDS));
    struct compare_row rows[10];
    (void)state;
    expect_verdict(row_of(factor, sd, ROUNDS), COMPARE_FAST, "alone");
    for (size_t i = 0; i < 10; i++)
        rows[i] = row_of(i ? 1 : factor, sd, ROUNDS);
    assert_true(compare_judge(rows, 10, &usual));
    assert_int_equal(rows[0].verdict, COMPARE_UNSURE);
    if (fabs(rows[0].p - 10 * rows[0].welch.p) > 1e-15)
        fail_msg("adjusted p is %g, expected %g", rows[0].p, 10 * rows[0].welch.p);
    assert_true(rows[0].rounds_needed > ROUNDS);
}

/* ---- as often as it was said ---------------------------------------------------------------- */

static clnorm_log_spread draw(clnorm_random *random, double factor)
{
    double values[ROUNDS];
    for (size_t i = 0; i < ROUNDS; i++)
        values[i] = factor * exp(0.06 * clnorm_random_normal(random));
    return clnorm_log_spread_of(values, ROUNDS);
}

/* Every tenth of the rows is `factor` times as fast. */
static void draw_rows(struct compare_row *rows, uint64_t seed, double factor)
{
    clnorm_random random = clnorm_random_seed(seed, 0);
    for (size_t i = 0; i < ROWS; i++) {
        rows[i] = row_of(1, 0, ROUNDS);
        rows[i].a.spread = draw(&random, 1);
        rows[i].b.spread = draw(&random, i % 10 ? 1 : factor);
    }
}

/* What was called of the rows, planted ones or others; and what a gate calls. */
struct calls {
    size_t verdicts, gates;
};

static struct calls count(const struct compare_row *rows, bool is_planted)
{
    struct calls calls = {0, 0};
    for (size_t i = 0; i < ROWS; i++)
        if ((i % 10 == 0) == is_planted) {
            calls.verdicts += rows[i].verdict == COMPARE_FAST || rows[i].verdict == COMPARE_SLOW;
            calls.gates += rows[i].gate_fast || rows[i].gate_slow;
        }
    return calls;
}

/* Of 2000 rows of which none differs, Benjamini and Hochberg call one in 1 % of all tables. The
 * gate's promise is 0.5 %. */
static void test_noise_is_not_called(void **state)
{
    static struct compare_row rows[ROWS];
    (void)state;
    draw_rows(rows, 1, 1);
    assert_true(compare_judge(rows, ROWS, &usual));
    const struct calls calls = count(rows, false);
    if (calls.verdicts > 0 || calls.gates > ROWS / 200)
        fail_msg("of %d rows without difference %zu are called, expected 0, and %zu by the gate, "
                 "expected %d at most",
                 ROWS, calls.verdicts, calls.gates, ROWS / 200);
}

/* A difference of 25 % is 7 of its errors, and 80 % of such are to be found. At most 1 % of what is
 * called may be false. */
static void test_planted_slowdown_is_found(void **state)
{
    static struct compare_row rows[ROWS];
    const size_t planted = ROWS / 10;
    (void)state;
    draw_rows(rows, 2, 0.8);
    assert_true(compare_judge(rows, ROWS, &usual));
    const struct calls found = count(rows, true), others = count(rows, false);
    if (found.verdicts < planted * 80 / 100 || found.gates < planted * 80 / 100)
        fail_msg("of %zu slow rows %zu are called, and %zu by the gate; expected 80 %%", planted,
                 found.verdicts, found.gates);
    /* five deviations of a count of 1 % of the planted ones */
    if ((double)others.verdicts > 2 + 5 * sqrt(2) || others.gates > ROWS / 200)
        fail_msg("of the others %zu are called, and %zu by the gate", others.verdicts,
                 others.gates);
    for (size_t i = 0; i < ROWS; i += 10)
        assert_true(rows[i].verdict != COMPARE_FAST && !rows[i].gate_fast);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_launches_need_more),
        cmocka_unit_test(test_copies_of_two_ways_need_more),
        cmocka_unit_test(test_one_sided),
        cmocka_unit_test(test_many_rows_need_more),
        cmocka_unit_test(test_noise_is_not_called),
        cmocka_unit_test(test_planted_slowdown_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

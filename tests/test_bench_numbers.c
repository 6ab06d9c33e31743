/* SPDX-License-Identifier: MIT */
/* Numbers that people quote: a worked example, and what a single round or few samples give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "cli/bench/report.h"

enum { ROUNDS = 3, SAMPLES = 3 };

static clnorm_bench_sample samples[ROUNDS][SAMPLES];
static clnorm_bench_round rounds[ROUNDS];

static struct bench_row example(size_t n_rounds)
{
    static const double ns[ROUNDS][SAMPLES] = {
        {731200, 728400, 735100}, {742800, 739100, 745600}, {726700, 724900, 730300}};
    static const double copy_ns[ROUNDS][SAMPLES] = {
        {701300, 699800, 703900}, {712000, 710700, 715200}, {697100, 696700, 699400}};
    for (int r = 0; r < ROUNDS; r++) {
        for (int s = 0; s < SAMPLES; s++)
            samples[r][s] = (clnorm_bench_sample){.seconds = 1e-9 * ns[r][s],
                                                  .copy_seconds = 1e-9 * copy_ns[r][s],
                                                  .host_seconds = 2e-9 * ns[r][s]};
        rounds[r] = (clnorm_bench_round){.samples = samples[r], .count = SAMPLES};
    }
    return (struct bench_row){
        .rounds = rounds, .n_rounds = n_rounds, .facts = {.bytes = 5, .copy_bytes = 4}};
}

/* To half a unit of the last place that is given. */
static void expect(const char *what, double got, double expected, double place)
{
    if (!(fabs(got - expected) <= place / 2))
        fail_msg("%s is %.12g, expected %.12g +- %g", what, got, expected, place / 2);
}

static void test_worked_example(void **state)
{
    const struct bench_row row = example(ROUNDS);
    struct bench_numbers n;
    assert_true(bench_numbers_of(&row, &n));
    (void)state;
    assert_int_equal(n.samples, 9);
    expect("median", n.median, 731200e-9, 1e-15);
    expect("low", n.low, 713232e-9, 1e-9);
    expect("high", n.high, 754417e-9, 1e-9);
    expect("noise", n.noise, 0.0113, 1e-4);
    expect("min", n.min, 724900e-9, 1e-15);
    expect("q1", n.q1, 728400e-9, 1e-15);
    expect("q3", n.q3, 739100e-9, 1e-15);
    expect("p99", n.p99, 745376e-9, 1e-14);
    expect("of_copy", n.of_copy / 1.25, 0.95922747, 1e-8); /* 5 bytes beside 4 */
    expect("of_copy_low", n.of_copy_low / 1.25, 0.95899513, 1e-8);
    expect("of_copy_high", n.of_copy_high / 1.25, 0.95940738, 1e-8);
    expect("copy", n.copy, 701300e-9, 1e-15);
    expect("host", n.host, 2 * 731200e-9, 1e-15);
    expect("event", n.event, 0, 0);
    expect("drift", n.drift, 1, 0); /* of three rounds nothing is known */
}

static void test_one_round_has_no_spread(void **state)
{
    const struct bench_row row = example(1);
    struct bench_numbers n;
    assert_true(bench_numbers_of(&row, &n));
    (void)state;
    expect("noise", n.noise, 0, 0);
    expect("drift", n.drift, 1, 0);
    expect("median", n.median, 731200e-9, 1e-15);
    expect("low", n.low, n.median, 1e-15);
    expect("high", n.high, n.median, 1e-15);
}

static void test_drift_is_that_of_thirds(void **state)
{
    clnorm_bench_sample sample[6];
    clnorm_bench_round one[6];
    const struct bench_row row = {
        .rounds = one, .n_rounds = 6, .facts = {.bytes = 1, .copy_bytes = 1}};
    (void)state;
    for (int r = 0; r < 6; r++) {
        sample[r] = (clnorm_bench_sample){.seconds = 1 << r, .copy_seconds = 1};
        one[r] = (clnorm_bench_round){.samples = &sample[r], .count = 1};
    }
    struct bench_numbers n;
    assert_true(bench_numbers_of(&row, &n));
    expect("drift", n.drift, 16, 1e-12); /* 2^4.5 over 2^0.5 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worked_example),
        cmocka_unit_test(test_one_round_has_no_spread),
        cmocka_unit_test(test_drift_is_that_of_thirds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

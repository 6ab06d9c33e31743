/* SPDX-License-Identifier: MIT */
/* The bound itself: its size, its edge, and what is not a finite number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>

#include "check/bounds.h"
#include "problem.h"

/* Doubles are the finest storage that y can have: the bound itself can be tried. */
static void try_edge(const problem *p, uint64_t col, double bound, double direction)
{
    double *y = p->y;
    const double kept = y[col];
    double outside = kept, inside = kept;
    while (fabs(outside - kept) <= bound) {
        inside = outside;
        outside = nextafter(outside, direction);
    }
    assert_true(fabs(inside - kept) > 0);
    for (int wrong = 0; wrong < 2; wrong++) {
        y[col] = wrong ? outside : inside;
        const clnorm_verdict v = verdict_of(p, 20);
        if (v.wrong != (uint64_t)wrong)
            fail_msg("col %lu: %.17g, expected %.17g within %.17g: %lu wrong, expected %d",
                     (unsigned long)col, y[col], kept, bound, (unsigned long)v.wrong, wrong);
        assert_true(v.max_error == fabs(y[col] - kept));
        assert_string_equal(v.worst_tensor, "y");
        assert_true(v.worst_row == 0 && v.worst_col == col);
        assert_true(v.worst_got == y[col] && v.worst_expected == kept && v.worst_bound == bound);
        assert_true(v.max_bound_share > 0.3 && v.max_bound_share < 3);
    }
    y[col] = kept;
}

static void test_edge_of_the_bound(void **state)
{
    (void)state;
    for (int kind = CLNORM_LAYER_NORM; kind <= CLNORM_RMS_NORM; kind++) {
        clnorm_desc desc = desc_of((clnorm_kind)kind, CLNORM_F64, CLNORM_F64, 777, 1e-5);
        desc.param_dtype = CLNORM_F64;
        problem p = problem_make("normal", desc, 1);
        double mean, rstd;
        clnorm_reference_forward(&desc, p.y, &mean, &rstd, p.x, p.weight, p.bias, 1, 0, NULL);
        ((double *)(void *)p.mean)[0] = mean;
        ((double *)(void *)p.rstd)[0] = rstd;
        const clnorm_verdict right = verdict_of(&p, 20);
        assert_true(right.max_error == 0 && right.max_ulp == 0 && right.max_bound_share < 0.1);
        const clnorm_reference_stats stats = clnorm_reference_row_stats(&desc, p.x, 0);
        const clnorm_row_bounds row = clnorm_bounds_of_row(&desc, 20, &stats);
        for (uint64_t col = 0; col < 777; col += 97) {
            const double *y = p.y, *weight = p.weight, *bias = p.bias;
            const clnorm_bound b = clnorm_bound_of_y(&row, y[col], weight[col], bias[col]);
            try_edge(&p, col, b.total, INFINITY);
            try_edge(&p, col, b.total, -INFINITY);
        }
        problem_free(&p);
    }
}

/* Numbers from the definition, so that no change of the formula goes unseen. */
static void test_size_of_the_bound(void **state)
{
    (void)state;
    const double u = 0x1p-24;
    clnorm_desc desc = desc_of(CLNORM_LAYER_NORM, CLNORM_F32, CLNORM_F32, 1024, 0);
    const clnorm_reference_stats stats = {1000, 0, 4, 0.5L};
    const clnorm_row_bounds row = clnorm_bounds_of_row(&desc, 12, &stats);
    const clnorm_bound y = clnorm_bound_of_y(&row, 9, 2, 1); /* |w|(1 + |x|) = 2 + 8 */
    const double expected = 16 * u * 10 + u * 1 + u * 9;
    assert_true(fabs(y.total - expected) < 1e-6 * expected);
    assert_true(fabs(y.arithmetic - (expected - u * 9)) < 1e-6 * expected);
    assert_true(fabs(row.mean.total - (u * 1000 + 10 * u * 2)) < 1e-6 * u * 1000);
    assert_true(fabs(row.rstd.total - 14 * u * 0.5) < 1e-6 * u);
    desc.y_dtype = CLNORM_BF16;
    const clnorm_row_bounds bf16 = clnorm_bounds_of_row(&desc, 12, &stats);
    assert_true(fabs(clnorm_bound_of_y(&bf16, 9, 2, 1).total - 9 * 0x1p-8) < 2 * expected);
    desc.kind = CLNORM_RMS_NORM;
    assert_true(clnorm_bounds_of_row(&desc, 12, &stats).mean.total == 0);
    /* a row of 1e-30 with eps 1e-5: nothing is gained from a bound of 1 * u */
    const clnorm_reference_stats tiny = {0, 0, 1e-60L, 316.2L};
    desc = desc_of(CLNORM_LAYER_NORM, CLNORM_F32, CLNORM_F32, 1024, 1e-5);
    const clnorm_row_bounds small = clnorm_bounds_of_row(&desc, 12, &tiny);
    assert_true(clnorm_bound_of_y(&small, 316.2e-30, 1, 0).total < 3e-5 * 316.2e-30);
    assert_true(small.mean.total < 1e-5 * 1e-30);
    /* rows that are scaled: one work-item adds up, and small differences may be flushed */
    const clnorm_reference_stats huge = {0, 0, 0x1p120L, 0x1p-60L};
    const clnorm_row_bounds scaled = clnorm_bounds_of_row(&desc, 12, &huge);
    assert_true(fabs(scaled.relative - (10 + 70 / 2.0) * u) < 1e-6 * u);
    assert_true(clnorm_bound_of_y(&scaled, 0, 1, 0).arithmetic >= (10 + 70 / 2.0) * u);
    desc.kind = CLNORM_RMS_NORM;
    const clnorm_row_bounds flushed = clnorm_bounds_of_row(&desc, 12, &huge);
    assert_true(clnorm_bound_of_y(&flushed, 0, 1, 0).total > 0x1p-84); /* 2^-126 * 2^42 */
    assert_true(clnorm_bound_of_y(&flushed, 0, 1, 0).total < 0x1p-70);
}

/* Results of one row with y as given; its exact y is `exact`. */
static uint64_t wrong_for(clnorm_dtype y_dtype, double exact, double got)
{
    const float x[2] = {3, 3}, bias[2] = {(float)exact, 0};
    double y[2] = {0};
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    clnorm_verdict verdict = CLNORM_VERDICT_INIT;
    const clnorm_desc desc = desc_of(CLNORM_LAYER_NORM, CLNORM_F32, y_dtype, 2, 1);
    clnorm_store(y_dtype, y, 0, got);
    args.x = x;
    args.y = y;
    args.bias = bias;
    clnorm_verify_forward(&desc, 1, &args, 1, 0, &verdict, NULL);
    return verdict.wrong;
}

static void test_classes(void **state)
{
    (void)state;
    static const struct {
        clnorm_dtype y;
        double exact, got;
        uint64_t wrong;
    } cases[] = {
        {CLNORM_F16, 70000, INFINITY, 0},
        {CLNORM_F16, 70000, 65504, 1},
        {CLNORM_F16, -70000, INFINITY, 1},
        {CLNORM_F16, 65504, 65504, 0},
        {CLNORM_F16, 65519, INFINITY, 1},
        {CLNORM_F16, 65519, 65504, 0},
        {CLNORM_F16, 65521, INFINITY, 0},
        {CLNORM_F16, 65521, 65504, 1},
        {CLNORM_F16, 65520, INFINITY, 0}, /* arithmetic may end on either side of the border */
        {CLNORM_F16, 65520, 65504, 0},
        {CLNORM_F16, 1, NAN, 1},
        {CLNORM_F32, 1, NAN, 1},
        {CLNORM_F32, NAN, NAN, 0},
        {CLNORM_F32, NAN, 1, 1},
        {CLNORM_F32, NAN, INFINITY, 1},
        {CLNORM_F32, INFINITY, INFINITY, 0},
        {CLNORM_F32, INFINITY, -INFINITY, 1},
        {CLNORM_F32, INFINITY, FLT_MAX, 1},
        {CLNORM_F32, 1, -1, 1},
        {CLNORM_F32, 1, 1 + 0x1p-23, 0},
        {CLNORM_F32, 1, 1 + 0x1p-21, 1},
        {CLNORM_BF16, 1, 1 + 0x1p-7, 1},
        {CLNORM_BF16, 1 + 0x1p-9, 1, 0},
        {CLNORM_F32, 0x1p-130, 0, 0}, /* a device may flush it */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const uint64_t wrong = wrong_for(cases[i].y, cases[i].exact, cases[i].got);
        if (wrong != cases[i].wrong)
            fail_msg("%s: exact %.9g, got %.9g is called %s", clnorm_dtype_name(cases[i].y),
                     cases[i].exact, cases[i].got, wrong ? "wrong" : "right");
    }
}

/* y = exact, -exact: with a weight the arithmetic may be off by 21 units of 2^-24. */
static void test_border_to_infinity(void **state)
{
    (void)state;
    static const struct {
        double exact;
        int may_be_finite, may_be_infinite;
    } cases[] = {{65519.5, 1, 0}, {65519.97, 1, 1}, {65520.03, 1, 1}, {65520.5, 0, 1}};
    const clnorm_desc desc = desc_of(CLNORM_LAYER_NORM, CLNORM_F32, CLNORM_F16, 2, 0);
    for (size_t i = 0; i < COUNT(cases) * 2; i++) {
        const int infinite = i % 2;
        const float x[] = {3, 5}, exact = (float)cases[i / 2].exact, weight[] = {-exact, -exact};
        uint16_t y[2];
        clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
        clnorm_verdict verdict = CLNORM_VERDICT_INIT;
        clnorm_store(CLNORM_F16, y, 0, infinite ? INFINITY : 65504);
        clnorm_store(CLNORM_F16, y, 1, infinite ? -INFINITY : -65504);
        args.x = x;
        args.y = y;
        args.weight = weight;
        clnorm_verify_forward(&desc, 1, &args, 1, 0, &verdict, NULL);
        const int right = infinite ? cases[i / 2].may_be_infinite : cases[i / 2].may_be_finite;
        if (verdict.wrong != (right ? 0 : 2))
            fail_msg("exact %.9g, got %s: %lu wrong", (double)exact, infinite ? "inf" : "65504",
                     (unsigned long)verdict.wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edge_of_the_bound),
        cmocka_unit_test(test_size_of_the_bound),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_border_to_infinity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

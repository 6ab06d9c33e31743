/* SPDX-License-Identifier: MIT */
/* The bound itself: its size, its edge, and what is not a finite number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>

#include "base/desc.h"
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
        const clnorm_host_args args = args_of(&p);
        assert_int_equal(clnorm_reference(&desc, CLNORM_FORWARD, 1, &args, NULL), CLNORM_OK);
        const clnorm_verdict right = verdict_of(&p, 20);
        assert_true(right.max_error == 0 && right.max_ulp == 0 && right.max_bound_share < 0.1);
        for (uint64_t col = 0; col < 777; col += 97) {
            double *y = p.y;
            const double kept = y[col];
            y[col] = 1e9;
            const clnorm_verdict far = verdict_of(&p, 20);
            assert_true(far.worst_col == col && far.worst_expected == kept);
            y[col] = kept;
            try_edge(&p, col, far.worst_bound, INFINITY);
            try_edge(&p, col, far.worst_bound, -INFINITY);
        }
        problem_free(&p);
    }
}

static clnorm_evaluation evaluation_of(clnorm_desc desc, clnorm_direction direction)
{
    const clnorm_host_args none = CLNORM_HOST_ARGS_INIT;
    clnorm_evaluation e;
    clnorm_desc resolved;
    assert_int_equal(clnorm_desc_resolve(&desc, &resolved, NULL), CLNORM_OK);
    clnorm_evaluation_init(&e, &resolved, direction, 1, &none);
    return e;
}

static clnorm_bound bound_of(const clnorm_evaluation *e, clnorm_tensor_id id, unsigned depth,
                             uint64_t terms, bool rescued, double value, double grown,
                             double rounded)
{
    const double lost = 0;
    const clnorm_results r = {.tensor = id,
                              .terms = terms,
                              .rescued = rescued,
                              .value = &value,
                              .grown = &grown,
                              .rounded = &rounded,
                              .lost = &lost};
    const clnorm_bounds b = clnorm_bounds_of(e, depth, &r);
    return clnorm_bound_at(&b, &r, 0);
}

#define EXPECT_BOUND(got, expected) assert_true(fabs((got) - (expected)) < 1e-6 * (expected))

/* Numbers from the definition, so that no change of the formula goes unseen. */
static void test_size_of_the_bound(void **state)
{
    (void)state;
    const double u = 0x1p-24;
    clnorm_desc desc = desc_of(CLNORM_LAYER_NORM, CLNORM_F32, CLNORM_F32, 1024, 0);
    const clnorm_evaluation e = evaluation_of(desc, CLNORM_FORWARD);
    const clnorm_bound y = bound_of(&e, TENSOR_y, 12, 0, false, 9, 10, 1);
    EXPECT_BOUND(y.total, 16 * u * 10 + u * 1 + u * 9);
    EXPECT_BOUND(y.arithmetic, 16 * u * 10 + u * 1);
    EXPECT_BOUND(bound_of(&e, TENSOR_mean, 12, 0, false, 1000, 2, 0).total, u * 1000 + 10 * u * 2);
    EXPECT_BOUND(bound_of(&e, TENSOR_rstd, 12, 0, false, 0.5, 0.5, 0).total, 14 * u * 0.5);
    /* a set that is scaled is added up by one work-item */
    EXPECT_BOUND(bound_of(&e, TENSOR_y, 12, 0, true, 0, 1, 0).arithmetic, (10 + 70 / 2.0) * u);
    const clnorm_evaluation back = evaluation_of(desc, CLNORM_BACKWARD);
    EXPECT_BOUND(bound_of(&back, TENSOR_dx, 12, 0, false, 0, 1, 2).arithmetic, (12 + 12 + 2) * u);
    EXPECT_BOUND(bound_of(&back, TENSOR_dweight, 12, 30, false, 0, 1, 0).arithmetic,
                 (10 + 6 + 16) * u);
    EXPECT_BOUND(bound_of(&back, TENSOR_dweight, 12, 1000000, false, 0, 1, 0).arithmetic,
                 (10 + 6 + 65) * u);
    desc.y_dtype = CLNORM_BF16;
    const clnorm_evaluation bf16 = evaluation_of(desc, CLNORM_FORWARD);
    EXPECT_BOUND(bound_of(&bf16, TENSOR_y, 12, 0, false, 9, 10, 1).total - y.arithmetic,
                 9 * 0x1p-8);
}

typedef struct {
    struct {
        bool rescued;
        double grown[4], rounded[4], lost[4];
    } of[TENSOR_COUNT];
} kept_results;

static void keep(void *user, const clnorm_results *results)
{
    kept_results *kept = user;
    kept->of[results->tensor].rescued = results->rescued;
    for (size_t i = 0; i < results->n; i++) {
        kept->of[results->tensor].grown[i] = results->grown[i];
        kept->of[results->tensor].rounded[i] = results->rounded[i];
        kept->of[results->tensor].lost[i] = results->lost[i];
    }
}

/* What the bound of a row is made of, for a row of which all is known. */
static kept_results results_of(clnorm_kind kind, const float *x, const float *weight,
                               const float *bias, double eps)
{
    static kept_results kept;
    double y[4], mean, rstd;
    const clnorm_desc desc = desc_of(kind, CLNORM_F32, CLNORM_F32, 4, eps);
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    clnorm_evaluation e;
    clnorm_desc resolved;
    args.x.data = x;
    args.weight.data = weight;
    args.bias.data = bias;
    args.y.data = y;
    args.mean.data = &mean;
    args.rstd.data = &rstd;
    assert_int_equal(clnorm_desc_resolve(&desc, &resolved, NULL), CLNORM_OK);
    clnorm_evaluation_init(&e, &resolved, CLNORM_FORWARD, 1, &args);
    e.emit = keep;
    e.user = &kept;
    assert_int_equal(clnorm_evaluate(&e, NULL), CLNORM_OK);
    return kept;
}

static void test_parts_of_the_bound(void **state)
{
    (void)state;
    const float x[] = {999, 1001, 999, 1001}, weight[] = {2, -3, 0, 1}, bias[] = {0, 5, 7, 0};
    const kept_results plain = results_of(CLNORM_LAYER_NORM, x, weight, bias, 3);
    for (int i = 0; i < 4; i++) { /* variance 1, rstd 1/2: |x^| and the spread are 1/2 */
        EXPECT_BOUND(plain.of[TENSOR_y].grown[i] + 1, fabs(weight[i]) + 1);
        assert_true(plain.of[TENSOR_y].rounded[i] == fabs(bias[i]));
    }
    assert_true(plain.of[TENSOR_mean].grown[0] == 1 && plain.of[TENSOR_rstd].grown[0] == 0.5);
    const kept_results rms = results_of(CLNORM_RMS_NORM, x, weight, bias, 0);
    EXPECT_BOUND(rms.of[TENSOR_y].grown[0], 2 * 999.0 / 1000.0005);
    assert_true(rms.of[TENSOR_mean].grown[0] == 0 && rms.of[TENSOR_mean].lost[0] == 0);
    /* a row of 1e-30 with eps 1e-5: nothing is gained from a bound of 1 * u */
    const float tiny[] = {1e-30f, -1e-30f, 1e-30f, -1e-30f};
    const kept_results small = results_of(CLNORM_LAYER_NORM, tiny, NULL, NULL, 1e-5);
    assert_true(small.of[TENSOR_y].grown[0] < 1e-27 && small.of[TENSOR_y].lost[0] < 400);
    assert_false(small.of[TENSOR_y].rescued);
    /* rows that are scaled: small differences may be flushed */
    const float huge[] = {0x1p60f, -0x1p60f, 0x1p60f, -0x1p60f};
    const kept_results scaled = results_of(CLNORM_LAYER_NORM, huge, NULL, NULL, 0);
    assert_true(scaled.of[TENSOR_y].rescued && scaled.of[TENSOR_rstd].rescued);
    assert_true(scaled.of[TENSOR_y].lost[0] == 0x1p45 + 1);
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
    args.x.data = x;
    args.y.data = y;
    args.bias.data = bias;
    clnorm_verify(&desc, CLNORM_FORWARD, 1, 1, 0, &args, NULL, &verdict, NULL);
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
        args.x.data = x;
        args.y.data = y;
        args.weight.data = weight;
        clnorm_verify(&desc, CLNORM_FORWARD, 1, 1, 0, &args, NULL, &verdict, NULL);
        const int right = infinite ? cases[i / 2].may_be_infinite : cases[i / 2].may_be_finite;
        if (verdict.wrong != (right ? 0 : 2))
            fail_msg("exact %.9g, got %s: %lu wrong", (double)exact, infinite ? "inf" : "65504",
                     (unsigned long)verdict.wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edge_of_the_bound),  cmocka_unit_test(test_size_of_the_bound),
        cmocka_unit_test(test_parts_of_the_bound), cmocka_unit_test(test_classes),
        cmocka_unit_test(test_border_to_infinity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

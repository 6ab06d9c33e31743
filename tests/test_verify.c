/* SPDX-License-Identifier: MIT */
/* The checker must pass what is right and find what is wrong: a bound that is too wide finds
 * nothing, and one that is too narrow calls good devices broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "problem.h"

static void expect_right(const char *kind, clnorm_desc desc, uint64_t rows)
{
    problem p = problem_make(kind, desc, rows);
    const clnorm_verdict v = verdict_of_floats(&p, NO_MISTAKE);
    if (v.wrong != 0 || !(v.max_bound_share <= 1))
        fail_msg("%s, op %d, x %s, y %s, %lu x %lu, eps %g, seed %d: %lu wrong, worst %s[%lu, %lu] "
                 "is %.9g, expected %.9g within %.3g",
                 kind, desc.kind, clnorm_dtype_name(desc.x_dtype), clnorm_dtype_name(desc.y_dtype),
                 (unsigned long)rows, (unsigned long)desc.cols, desc.eps, SEED,
                 (unsigned long)v.wrong, v.worst_tensor, (unsigned long)v.worst_row,
                 (unsigned long)v.worst_col, v.worst_got, v.worst_expected, v.worst_bound);
    problem_free(&p);
}

static void test_right_results_pass(void **state)
{
    (void)state;
    static const uint64_t widths[] = {1, 2, 3, 31, 64, 257, 1025, 4099};
    static const double eps[] = {1e-5, 0, 1e-30};
    size_t kinds;
    const clnorm_input_kind *kind = clnorm_input_kinds(&kinds);
    for (size_t k = 0; k < kinds; k++)
        for (int x = CLNORM_F32; x <= CLNORM_BF16; x++)
            for (size_t i = 0; i < COUNT(widths) * COUNT(eps) * 2; i++) {
                const clnorm_dtype y = (clnorm_dtype)((i + (size_t)x) % 3);
                if (clnorm_input_fits(&kind[k], (clnorm_dtype)x))
                    expect_right(kind[k].name,
                                 desc_of((clnorm_kind)(i / 3 % 2), (clnorm_dtype)x, y,
                                         widths[i / 6], eps[i % 3]),
                                 5);
            }
    expect_right("huge", desc_of(CLNORM_LAYER_NORM, CLNORM_F32, CLNORM_F32, 300, 1e-5), 200);
    expect_right("tiny", desc_of(CLNORM_RMS_NORM, CLNORM_F32, CLNORM_F32, 300, 0), 200);
}

static void test_planted_mistakes_are_found(void **state)
{
    (void)state;
    static const struct {
        mistake wrong;
        const char *name, *kind;
        clnorm_dtype y;
        double eps;
    } planted[] = {
        {ONE_PASS_VARIANCE, "one-pass variance", "mean_1e4", CLNORM_F32, 1e-5},
        {SINGLE_MEAN, "a single float for the mean", "mean_1e4", CLNORM_F32, 1e-5},
        {EPS_OUTSIDE, "eps outside of the root", "normal", CLNORM_F32, 1e-3},
        {DDOF_1, "division by cols - 1", "normal", CLNORM_F32, 1e-5},
        {TRUNCATED_STORE, "truncated bf16", "normal", CLNORM_BF16, 1e-5},
        {DROPPED_TAIL, "sums without the tail", "normal", CLNORM_F32, 1e-5},
        {BF16_STATISTICS, "statistics in bf16", "normal", CLNORM_F32, 1e-5},
        {HIDDEN_NAN, "a hidden NaN", "nan", CLNORM_F32, 1e-5},
        {NO_SCALING, "overflow of squares", "huge", CLNORM_F32, 1e-5},
    };
    assert_int_equal(COUNT(planted), MISTAKES - 1);
    for (size_t i = 0; i < COUNT(planted); i++) {
        problem p = problem_make(
            planted[i].kind,
            desc_of(CLNORM_LAYER_NORM, CLNORM_F32, planted[i].y, 1000, planted[i].eps), 20);
        const clnorm_verdict right = verdict_of_floats(&p, NO_MISTAKE);
        const clnorm_verdict wrong = verdict_of_floats(&p, planted[i].wrong);
        if (right.wrong != 0 || wrong.wrong == 0 || !(wrong.max_bound_share > 1))
            fail_msg("%s: %lu elements are wrong with it (share %g), %lu without", planted[i].name,
                     (unsigned long)wrong.wrong, wrong.max_bound_share, (unsigned long)right.wrong);
        problem_free(&p);
    }
}

/* Each mistake shows in y alone too, as an application that wants no statistics has it. */
static void test_planted_mistakes_show_in_y(void **state)
{
    (void)state;
    static const char *const kinds[] = {[ONE_PASS_VARIANCE] = "mean_1e4",
                                        [SINGLE_MEAN] = "mean_1e4",
                                        [EPS_OUTSIDE] = "normal",
                                        [DDOF_1] = "normal",
                                        [TRUNCATED_STORE] = "normal",
                                        [DROPPED_TAIL] = "normal",
                                        [BF16_STATISTICS] = "normal",
                                        [HIDDEN_NAN] = "nan",
                                        [NO_SCALING] = "huge"};
    for (int wrong = NO_MISTAKE + 1; wrong < MISTAKES; wrong++) {
        const clnorm_dtype y = wrong == TRUNCATED_STORE ? CLNORM_BF16 : CLNORM_F32;
        problem p =
            problem_make(kinds[wrong], desc_of(CLNORM_LAYER_NORM, CLNORM_F32, y, 1000, 1e-3), 20);
        verdict_of_floats(&p, (mistake)wrong);
        clnorm_host_args args = args_of(&p);
        args.mean.data = args.rstd.data = NULL;
        clnorm_verdict verdict = CLNORM_VERDICT_INIT;
        clnorm_verify(&p.desc, CLNORM_FORWARD, float_norm_depth(1000), p.rows, 0, &args, NULL,
                      &verdict, NULL);
        if (verdict.wrong == 0)
            fail_msg("mistake %d is not seen in y", wrong);
        assert_string_equal(verdict.worst_tensor, "y");
        problem_free(&p);
    }
}

static void test_exact_rows(void **state)
{
    (void)state;
    static const uint64_t widths[] = {1, 2, 7, 33, 1000, 8191, 65537};
    for (size_t i = 0; i < COUNT(widths) * 3; i++) {
        const clnorm_dtype dtype = (clnorm_dtype)(i % 3);
        problem p = problem_make(
            "exact", desc_of(CLNORM_LAYER_NORM, dtype, CLNORM_F32, widths[i / 3], 1e-5), 9);
        uint64_t row = 99;
        verdict_of_floats(&p, NO_MISTAKE);
        assert_int_equal(verdict_of(&p, 0).wrong, 0); /* no additions round */
        assert_int_equal(clnorm_input_wrong_means(&p.desc, p.x, p.mean, p.rows, &row), 0);
        assert_int_equal(row, 99);
        for (uint64_t r = 0; r < p.rows; r++)
            assert_true(p.mean[r] == rintf(p.mean[r]) && p.mean[r] != 0);
        p.mean[4] = nextafterf(p.mean[4], INFINITY);
        assert_int_equal(clnorm_input_wrong_means(&p.desc, p.x, p.mean, p.rows, &row), 0);
        p.mean[4] = nextafterf(nextafterf(p.mean[4], INFINITY), INFINITY);
        assert_int_equal(clnorm_input_wrong_means(&p.desc, p.x, p.mean, p.rows, &row), 1);
        assert_int_equal(row, 4);
        problem_free(&p);
    }
}

/* The rows in two parts, with row numbers that go on, give the verdict of the whole. */
static clnorm_verdict verdict_of_halves(const problem *p)
{
    const uint64_t half = p->rows / 2, cols = p->desc.cols;
    clnorm_verdict verdict = CLNORM_VERDICT_INIT;
    for (uint64_t row = 0; row < p->rows; row += half) {
        clnorm_host_args args = args_of(p);
        args.x.data = (const float *)p->x + row * cols;
        args.y.data = (float *)p->y + row * cols;
        args.mean.data = p->mean + row;
        args.rstd.data = p->rstd + row;
        clnorm_verify(&p->desc, CLNORM_FORWARD, 10, half, row, &args, NULL, &verdict, NULL);
    }
    return verdict;
}

static void test_verdicts_add_up(void **state)
{
    (void)state;
    problem p =
        problem_make("normal", desc_of(CLNORM_LAYER_NORM, CLNORM_F32, CLNORM_F32, 40, 1e-5), 6);
    verdict_of_floats(&p, NO_MISTAKE);
    p.rstd[4] *= 2;
    clnorm_verdict whole = verdict_of(&p, 10), halves = verdict_of_halves(&p);
    assert_memory_equal(&whole, &halves, sizeof(whole));
    assert_int_equal(whole.wrong, 1);
    assert_int_equal(whole.worst_row, 4);
    assert_string_equal(whole.worst_tensor, "rstd");
    assert_true(whole.max_error < 1e-5); /* of y alone */
    ((float *)p.y)[5 * 40 + 3] += 1000;
    whole = verdict_of(&p, 10), halves = verdict_of_halves(&p);
    assert_memory_equal(&whole, &halves, sizeof(whole));
    assert_int_equal(whole.wrong, 2);
    assert_true(whole.worst_row == 5 && whole.worst_col == 3);
    assert_string_equal(whole.worst_tensor, "y");
    assert_true(whole.max_error > 999 && whole.max_error < 1001);
    problem_free(&p);
}

static void test_strides(void **state)
{
    (void)state;
    enum { ROWS = 3, COLS = 5, X_STRIDE = 7, Y_STRIDE = 9 };
    const clnorm_desc desc = desc_of(CLNORM_RMS_NORM, CLNORM_F32, CLNORM_F32, COLS, 1e-5);
    float x[ROWS * X_STRIDE], y[ROWS * Y_STRIDE];
    double expected[ROWS * COLS];
    clnorm_input_fill(clnorm_input_find("normal"), CLNORM_F32, 1, ROWS * X_STRIDE, SEED, x);
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.x = (clnorm_input){x, X_STRIDE};
    args.y.data = expected;
    clnorm_reference(&desc, CLNORM_FORWARD, ROWS, &args, NULL);
    for (int i = 0; i < ROWS * Y_STRIDE; i++)
        y[i] = i % Y_STRIDE < COLS ? (float)expected[i / Y_STRIDE * COLS + i % Y_STRIDE] : 1e9f;
    clnorm_verdict verdict = CLNORM_VERDICT_INIT;
    args.y = (clnorm_output){y, Y_STRIDE};
    clnorm_verify(&desc, CLNORM_FORWARD, 1, ROWS, 0, &args, NULL, &verdict, NULL);
    assert_int_equal(verdict.compared, ROWS * COLS);
    assert_int_equal(verdict.wrong, 0);
    assert_true(verdict.max_ulp <= 0.5); /* only the rounding to float */
}

static void expect_refused(clnorm_desc desc, clnorm_host_args args, clnorm_verdict verdict,
                           clnorm_status status, const char *text)
{
    clnorm_error error;
    assert_int_equal(clnorm_verify(&desc, CLNORM_FORWARD, 1, 2, 0, &args, NULL, &verdict, &error),
                     status);
    if (!strstr(error.text, text))
        fail_msg("\"%s\" lacks \"%s\"", error.text, text);
    assert_int_equal(verdict.compared, 0);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    float x[8] = {0}, y[8] = {0};
    clnorm_desc desc = desc_of(CLNORM_LAYER_NORM, CLNORM_F32, CLNORM_F32, 4, 1e-5);
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    clnorm_verdict verdict = CLNORM_VERDICT_INIT;
    expect_refused(desc, args, verdict, CLNORM_BAD_ARGS, "y is NULL");
    args.y.data = y;
    expect_refused(desc, args, verdict, CLNORM_BAD_ARGS, "x is NULL");
    args.x.data = y;
    expect_refused(desc, args, verdict, CLNORM_BAD_ARGS, "y is x");
    args.x.data = x;
    args.y.stride = 3;
    expect_refused(desc, args, verdict, CLNORM_BAD_ARGS, "y_stride is 3");
    args.y.stride = 0;
    args.struct_size = 1;
    expect_refused(desc, args, verdict, CLNORM_BAD_ARGS, "CLNORM_HOST_ARGS_INIT");
    args.struct_size = sizeof(args);
    verdict.struct_size = 0;
    expect_refused(desc, args, verdict, CLNORM_BAD_ARGS, "CLNORM_VERDICT_INIT");
    verdict.struct_size = sizeof(verdict);
    desc.cols = 0;
    expect_refused(desc, args, verdict, CLNORM_BAD_DESC, "cols is 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_results_pass),
        cmocka_unit_test(test_planted_mistakes_are_found),
        cmocka_unit_test(test_planted_mistakes_show_in_y),
        cmocka_unit_test(test_exact_rows),
        cmocka_unit_test(test_verdicts_add_up),
        cmocka_unit_test(test_strides),
        cmocka_unit_test(test_bad_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

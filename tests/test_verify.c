/* SPDX-License-Identifier: MIT */
/* The checker must pass what is right and find what is wrong: a bound that is too wide finds
 * nothing, and one that is too narrow calls good devices broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <stdlib.h>

#include "check/bounds.h"
#include "check/inputs.h"
#include "float_norm.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SEED 31

/* A problem in storage types, with the same numbers as floats for float_norm. */
typedef struct {
    clnorm_desc desc;
    uint64_t rows;
    void *x, *y, *weight, *bias;
    float *mean, *rstd, *float_x, *float_weight, *float_bias;
} problem;

static void *array_of(uint64_t count)
{
    void *array = calloc(count, sizeof(double));
    assert_non_null(array);
    return array;
}

static void as_floats(clnorm_dtype dtype, const void *from, float *to, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        to[i] = (float)clnorm_load(dtype, from, i);
}

static problem problem_make(const char *kind, clnorm_desc desc, uint64_t rows)
{
    const uint64_t count = rows * desc.cols;
    problem p = {desc,
                 rows,
                 array_of(count),
                 array_of(count),
                 array_of(desc.cols),
                 array_of(desc.cols),
                 array_of(rows),
                 array_of(rows),
                 array_of(count),
                 array_of(desc.cols),
                 array_of(desc.cols)};
    clnorm_input_fill(clnorm_input_find(kind), desc.x_dtype, rows, desc.cols, SEED, p.x);
    clnorm_weight_fill(desc.param_dtype, desc.cols, SEED, p.weight);
    clnorm_bias_fill(desc.param_dtype, desc.cols, SEED, p.bias);
    as_floats(desc.x_dtype, p.x, p.float_x, count);
    as_floats(desc.param_dtype, p.weight, p.float_weight, desc.cols);
    as_floats(desc.param_dtype, p.bias, p.float_bias, desc.cols);
    return p;
}

static void problem_free(problem *p)
{
    void *arrays[] = {p->x,    p->y,       p->weight,       p->bias,      p->mean,
                      p->rstd, p->float_x, p->float_weight, p->float_bias};
    for (size_t i = 0; i < COUNT(arrays); i++)
        free(arrays[i]);
}

static clnorm_host_args args_of(const problem *p)
{
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.y = p->y;
    args.mean = p->mean;
    args.rstd = p->rstd;
    args.x = p->x;
    args.weight = p->weight;
    args.bias = p->bias;
    return args;
}

static clnorm_verdict verdict_of(const problem *p, unsigned depth)
{
    const clnorm_host_args args = args_of(p);
    clnorm_verdict verdict = CLNORM_VERDICT_INIT;
    assert_int_equal(clnorm_verify_forward(&p->desc, depth, &args, p->rows, 0, &verdict, NULL),
                     CLNORM_OK);
    assert_int_equal(verdict.compared, p->rows * p->desc.cols + 2 * p->rows);
    return verdict;
}

static clnorm_verdict verdict_of_floats(problem *p, mistake wrong)
{
    float_norm(&p->desc, wrong, p->y, p->mean, p->rstd, p->float_x, p->float_weight, p->float_bias,
               p->rows);
    return verdict_of(p, float_norm_depth(p->desc.cols));
}

static clnorm_desc desc_of(clnorm_kind kind, clnorm_dtype x, clnorm_dtype y, uint64_t cols,
                           double eps)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    desc.kind = kind;
    desc.x_dtype = x;
    desc.y_dtype = y;
    desc.cols = cols;
    desc.eps = eps;
    return desc;
}

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
        args.mean = args.rstd = NULL;
        clnorm_verdict verdict = CLNORM_VERDICT_INIT;
        clnorm_verify_forward(&p.desc, float_norm_depth(1000), &args, p.rows, 0, &verdict, NULL);
        if (verdict.wrong == 0)
            fail_msg("mistake %d is not seen in y", wrong);
        assert_string_equal(verdict.worst_tensor, "y");
        problem_free(&p);
    }
}

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

static void test_verdicts_add_up(void **state)
{
    (void)state;
    problem p =
        problem_make("normal", desc_of(CLNORM_LAYER_NORM, CLNORM_F32, CLNORM_F32, 40, 1e-5), 6);
    verdict_of_floats(&p, NO_MISTAKE);
    ((float *)p.y)[4 * 40 + 3] += 1;
    p.rstd[1] *= 2;
    const clnorm_verdict whole = verdict_of(&p, 10);
    clnorm_verdict parts = CLNORM_VERDICT_INIT;
    for (uint64_t row = 0; row < 6; row += 3) {
        clnorm_host_args args = args_of(&p);
        args.x = (const float *)p.x + row * 40;
        args.y = (float *)p.y + row * 40;
        args.mean = p.mean + row;
        args.rstd = p.rstd + row;
        clnorm_verify_forward(&p.desc, 10, &args, 3, row, &parts, NULL);
    }
    assert_memory_equal(&whole, &parts, sizeof(whole));
    assert_int_equal(whole.wrong, 2);
    assert_int_equal(whole.worst_row, 1);
    assert_string_equal(whole.worst_tensor, "rstd");
    assert_true(whole.max_error > 0.99 && whole.max_error < 1.01);
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
    clnorm_reference_forward(&desc, expected, NULL, NULL, x, NULL, NULL, ROWS, X_STRIDE, NULL);
    for (int i = 0; i < ROWS * Y_STRIDE; i++)
        y[i] = i % Y_STRIDE < COLS ? (float)expected[i / Y_STRIDE * COLS + i % Y_STRIDE] : 1e9f;
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    clnorm_verdict verdict = CLNORM_VERDICT_INIT;
    args.x = x;
    args.y = y;
    args.x_stride = X_STRIDE;
    args.y_stride = Y_STRIDE;
    clnorm_verify_forward(&desc, 1, &args, ROWS, 0, &verdict, NULL);
    assert_int_equal(verdict.compared, ROWS * COLS);
    assert_int_equal(verdict.wrong, 0);
    assert_true(verdict.max_ulp <= 0.5); /* only the rounding to float */
}

static void expect_refused(clnorm_desc desc, clnorm_host_args args, clnorm_verdict verdict,
                           clnorm_status status, const char *text)
{
    clnorm_error error;
    assert_int_equal(clnorm_verify_forward(&desc, 1, &args, 2, 0, &verdict, &error), status);
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
    args.y = y;
    expect_refused(desc, args, verdict, CLNORM_BAD_ARGS, "x is NULL");
    args.x = y;
    expect_refused(desc, args, verdict, CLNORM_BAD_ARGS, "y is x");
    args.x = x;
    args.y_stride = 3;
    expect_refused(desc, args, verdict, CLNORM_BAD_ARGS, "y_stride is 3");
    args.y_stride = 0;
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
        cmocka_unit_test(test_edge_of_the_bound),
        cmocka_unit_test(test_size_of_the_bound),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_exact_rows),
        cmocka_unit_test(test_verdicts_add_up),
        cmocka_unit_test(test_strides),
        cmocka_unit_test(test_bad_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

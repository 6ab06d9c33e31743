/* SPDX-License-Identifier: MIT */
/* Everything is measured against the host reference, so it is checked against integers here: rows
 * of whole numbers have exact sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "worked.h"
#include "base/random.h"
#include "check/inputs.h"

static clnorm_status reference(const clnorm_desc *desc, double *y, double *mean, double *rstd,
                               const void *x, const void *weight, const void *bias, uint64_t rows,
                               uint64_t x_stride, clnorm_error *error)
{
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.y.data = y;
    args.mean.data = mean;
    args.rstd.data = rstd;
    args.x = (clnorm_input){x, x_stride};
    args.weight.data = weight;
    args.bias.data = bias;
    return clnorm_reference(desc, CLNORM_FORWARD, rows, &args, error);
}

static void test_worked_values(void **state)
{
    (void)state;
    const float x[] = {1, 0, 0, 0, 3, 4};
    const float weight[] = {2, 1, 1, -1}, bias[] = {0, 0, 1, 1};
    double y[4], mean, rstd;
    clnorm_desc desc = desc_of(CLNORM_LAYER_NORM, CLNORM_F32, 4, 0);
    assert_int_equal(reference(&desc, y, &mean, &rstd, x, NULL, NULL, 1, 0, NULL), 0);
    const double root = sqrt(3.0); /* the variance is 3/16: y = 3/4 and -1/4 times 4 / sqrt(3) */
    const double plain[] = {root, -1 / root, -1 / root, -1 / root};
    for (int i = 0; i < 4; i++)
        expect_close("y", i, y[i], plain[i], 4 * DBL_EPSILON);
    expect_close("mean", 0, mean, 0.25, 0);
    expect_close("rstd", 0, rstd, 4 / root, 4 * DBL_EPSILON);
    assert_int_equal(reference(&desc, y, NULL, NULL, x, weight, bias, 1, 0, NULL), 0);
    for (int i = 0; i < 4; i++)
        expect_close("y", i, y[i], plain[i] * weight[i] + bias[i], 4 * DBL_EPSILON);
    desc = desc_of(CLNORM_RMS_NORM, CLNORM_F32, 2, 0);
    assert_int_equal(reference(&desc, y, &mean, &rstd, x + 4, NULL, NULL, 1, 0, NULL), 0);
    expect_close("y", 0, y[0], 3 / sqrt(12.5), 2 * DBL_EPSILON);
    expect_close("y", 1, y[1], 4 / sqrt(12.5), 2 * DBL_EPSILON);
    expect_close("mean", 0, mean, 0, 0);
    desc = desc_of(CLNORM_LAYER_NORM, CLNORM_F32, 4, 0.0625); /* 3/16 + 1/16 = 1/4: rstd 2 */
    assert_int_equal(reference(&desc, y, NULL, &rstd, x, NULL, NULL, 1, 0, NULL), 0);
    expect_close("rstd", 0, rstd, 2, 0);
    expect_close("y", 0, y[0], 1.5, 0);
}

/* x = offset + whole numbers below 512 in steps of `step`. cols^2 * sum of squares < 2^63. */
typedef struct {
    clnorm_kind kind;
    clnorm_dtype dtype;
    double offset, step, eps;
} integer_case;

static const integer_case integer_cases[] = {
    {CLNORM_LAYER_NORM, CLNORM_F32, 0, 1, 1e-5},    {CLNORM_LAYER_NORM, CLNORM_F32, 1e6, 1, 1e-5},
    {CLNORM_LAYER_NORM, CLNORM_F32, 0, 0x1p100, 0}, {CLNORM_LAYER_NORM, CLNORM_F32, 0, 0x1p-120, 0},
    {CLNORM_LAYER_NORM, CLNORM_F16, 1024, 1, 0.25}, {CLNORM_LAYER_NORM, CLNORM_F64, 1e12, 1, 1e-9},
    {CLNORM_RMS_NORM, CLNORM_F32, 0, 0.125, 1e-5},  {CLNORM_RMS_NORM, CLNORM_F32, 0, 0x1p100, 0},
    {CLNORM_RMS_NORM, CLNORM_BF16, 0, 1, 1},        {CLNORM_RMS_NORM, CLNORM_F64, 0, 0x1p-400, 0},
};

static void expect_integer_row(const integer_case *c, const int *whole, const void *x,
                               uint64_t cols)
{
    int64_t sum = 0, squares = 0;
    for (uint64_t i = 0; i < cols; i++) {
        sum += whole[i];
        squares += (int64_t)whole[i] * whole[i];
    }
    const int center = c->kind == CLNORM_LAYER_NORM;
    const int64_t n = (int64_t)cols, spread = n * squares - (center ? sum * sum : 0);
    const long double variance = (long double)spread / n / n * c->step * c->step;
    const long double rstd =
        1 / sqrtl(variance + (c->dtype == CLNORM_F64 ? c->eps : (float)c->eps));
    double mean_got, rstd_got, *y = malloc(cols * sizeof(*y));
    const clnorm_desc desc = desc_of(c->kind, c->dtype, cols, c->eps);
    assert_int_equal(reference(&desc, y, &mean_got, &rstd_got, x, NULL, NULL, 1, 0, NULL), 0);
    const long double mean = center ? c->offset + (long double)sum / n * c->step : 0;
    expect_close("mean", 0, mean_got, mean, DBL_EPSILON * (double)fabsl(mean));
    if (spread == 0 && c->eps == 0) { /* 0 * infinity */
        assert_true(isinf(rstd_got) && isnan(y[0]));
        free(y);
        return;
    }
    expect_close("rstd", 0, rstd_got, rstd, 2 * DBL_EPSILON * (double)rstd);
    for (uint64_t i = 0; i < cols; i++) {
        const long double d = (long double)(center ? n * whole[i] - sum : n * whole[i]) / n;
        const long double expected = d * c->step * rstd;
        /* the result is rounded to double; x - mean cancels where expected is near 0 */
        expect_close("y", i, y[i], expected,
                     2 * DBL_EPSILON * (double)fabsl(expected) + 16 * (double)LDBL_EPSILON);
    }
    free(y);
}

static void test_rows_of_integers(void **state)
{
    (void)state;
    static const uint64_t widths[] = {1, 2, 3, 7, 255, 256, 257, 511, 513, 768, 1000, 4099, 65537};
    clnorm_random random = clnorm_random_seed(21, 0);
    for (size_t k = 0; k < COUNT(integer_cases) * COUNT(widths); k++) {
        const integer_case *c = &integer_cases[k % COUNT(integer_cases)];
        const uint64_t cols = widths[k / COUNT(integer_cases)];
        int *whole = malloc(cols * sizeof(*whole));
        void *x = malloc(cols * 8);
        const int most = c->dtype == CLNORM_BF16 ? 255 : 511;
        for (uint64_t i = 0; i < cols; i++) {
            whole[i] = (int)clnorm_random_below(&random, 2 * most + 1) - most;
            clnorm_store(c->dtype, x, i, c->offset + whole[i] * c->step);
        }
        expect_integer_row(c, whole, x, cols);
        free(x);
        free(whole);
    }
}

static void test_poisoned_rows(void **state)
{
    (void)state;
    const double poison[] = {NAN, INFINITY, -INFINITY};
    static const uint64_t places[] = {0, 1, 256, 299};
    enum { COLS = 300, ROWS = 3 };
    float x[ROWS * COLS];
    double y[ROWS * COLS], clean[ROWS * COLS], mean[ROWS], rstd[ROWS];
    for (size_t k = 0; k < COUNT(poison) * COUNT(places) * 2; k++) {
        const clnorm_desc desc = desc_of((clnorm_kind)(k % 2), CLNORM_F32, COLS, 1e-5);
        clnorm_input_fill(clnorm_input_find("normal"), CLNORM_F32, ROWS, COLS, 22, x);
        reference(&desc, clean, NULL, NULL, x, NULL, NULL, ROWS, 0, NULL);
        x[COLS + places[k / 2 % COUNT(places)]] = (float)poison[k / 2 / COUNT(places)];
        reference(&desc, y, mean, rstd, x, NULL, NULL, ROWS, 0, NULL);
        assert_true(k % 2 ? mean[1] == 0 : isnan(mean[1]));
        assert_true(isnan(rstd[1]));
        for (int i = 0; i < COLS; i++)
            assert_true(isnan(y[COLS + i]));
        assert_memory_equal(y, clean, COLS * sizeof(*y));
        assert_memory_equal(y + 2 * COLS, clean + 2 * COLS, COLS * sizeof(*y));
        assert_true(isfinite(mean[0]) && isfinite(rstd[2]));
    }
}

static void test_constant_rows(void **state)
{
    (void)state;
    static const double values[] = {1000.1, 1e6 + 0.25, 0, -3.3};
    static const uint64_t widths[] = {1, 3, 7, 100, 768, 4099};
    static float x[4099], bias[4099];
    static double y[4099];
    clnorm_bias_fill(CLNORM_F32, 4099, 23, bias);
    for (size_t k = 0; k < COUNT(values) * COUNT(widths); k++) {
        const uint64_t cols = widths[k / COUNT(values)];
        double mean, rstd;
        for (uint64_t i = 0; i < cols; i++)
            x[i] = (float)values[k % COUNT(values)];
        clnorm_desc desc = desc_of(CLNORM_LAYER_NORM, CLNORM_F32, cols, 0.25);
        reference(&desc, y, &mean, &rstd, x, NULL, bias, 1, 0, NULL);
        assert_true(mean == x[0] && rstd == 2);
        for (uint64_t i = 0; i < cols; i++)
            assert_true(y[i] == bias[i]);
        /* no hidden clamp: 0 * infinity */
        desc.eps = 0;
        reference(&desc, y, &mean, &rstd, x, NULL, bias, 1, 0, NULL);
        assert_true(mean == x[0] && isinf(rstd) && rstd > 0 && isnan(y[0]));
    }
}

static void test_stride_skips_what_is_between_rows(void **state)
{
    (void)state;
    enum { ROWS = 4, COLS = 5, STRIDE = 9 };
    float packed[ROWS * COLS], spaced[ROWS * STRIDE];
    double y[2][ROWS * COLS], mean[2][ROWS], rstd[2][ROWS];
    clnorm_input_fill(clnorm_input_find("normal"), CLNORM_F32, ROWS, COLS, 24, packed);
    for (int i = 0; i < ROWS * STRIDE; i++)
        spaced[i] = i % STRIDE < COLS ? packed[i / STRIDE * COLS + i % STRIDE] : NAN;
    const clnorm_desc desc = desc_of(CLNORM_LAYER_NORM, CLNORM_F32, COLS, 1e-5);
    reference(&desc, y[0], mean[0], rstd[0], packed, NULL, NULL, ROWS, 0, NULL);
    reference(&desc, y[1], mean[1], rstd[1], spaced, NULL, NULL, ROWS, STRIDE, NULL);
    assert_memory_equal(y[0], y[1], sizeof(y[0]));
    assert_memory_equal(mean[0], mean[1], sizeof(mean[0]));
    assert_memory_equal(rstd[0], rstd[1], sizeof(rstd[0]));
}

static void test_in_place(void **state)
{
    (void)state;
    enum { ROWS = 3, COLS = 600 };
    static double x[ROWS * COLS], y[ROWS * COLS];
    const clnorm_desc desc = desc_of(CLNORM_LAYER_NORM, CLNORM_F64, COLS, 1e-5);
    clnorm_input_fill(clnorm_input_find("mean_1e3"), CLNORM_F64, ROWS, COLS, 25, x);
    assert_int_equal(reference(&desc, y, NULL, NULL, x, NULL, NULL, ROWS, 0, NULL), CLNORM_OK);
    assert_int_equal(reference(&desc, x, NULL, NULL, x, NULL, NULL, ROWS, 0, NULL), CLNORM_OK);
    assert_memory_equal(x, y, sizeof(x));
}

static void test_bad_arguments_write_nothing(void **state)
{
    (void)state;
    const float x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    double y[8] = {-7}, mean = -7;
    clnorm_error error;
    clnorm_desc desc = desc_of(CLNORM_LAYER_NORM, CLNORM_F32, 4, 1e-5);
    const struct {
        double *y;
        const float *x;
        uint64_t rows, stride;
        const char *text;
    } bad[] = {
        {y, NULL, 2, 0, "x is NULL"},
        {NULL, x, 2, 0, "y is NULL"},
        {y, x, 2, 3, "x_stride is 3; allowed are 0 and numbers from cols, 4"},
        {y, x, UINT64_MAX, 0, "y has 18446744073709551615 rows"},
        {y, (const float *)(y + 3), 1, 0, "y overlaps x"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(reference(&desc, bad[i].y, &mean, NULL, bad[i].x, NULL, NULL, bad[i].rows,
                                   bad[i].stride, &error),
                         CLNORM_BAD_ARGS);
        if (!strstr(error.text, bad[i].text))
            fail_msg("\"%s\" lacks \"%s\"", error.text, bad[i].text);
    }
    desc.cols = 0;
    assert_int_equal(reference(&desc, y, &mean, NULL, x, NULL, NULL, 2, 0, NULL), CLNORM_BAD_DESC);
    desc.cols = 4;
    assert_int_equal(reference(&desc, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL), CLNORM_OK);
    assert_true(y[0] == -7 && mean == -7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worked_values),
        cmocka_unit_test(test_rows_of_integers),
        cmocka_unit_test(test_poisoned_rows),
        cmocka_unit_test(test_constant_rows),
        cmocka_unit_test(test_stride_skips_what_is_between_rows),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_bad_arguments_write_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What the reference makes of the operators and switches of the family, worked by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>

#include "worked.h"

static void expect_y(const char *what, const clnorm_desc *desc, uint64_t rows,
                     clnorm_host_args args, const double *expected)
{
    double y[16];
    clnorm_error error;
    args.y.data = y;
    if (clnorm_reference(desc, CLNORM_FORWARD, rows, &args, &error) != CLNORM_OK)
        fail_msg("%s: %s", what, error.text);
    const uint64_t cols = desc->cols ? desc->cols : desc->channels;
    for (uint64_t i = 0; i < rows * cols; i++)
        expect_close(what, i, y[i], expected[i], 4 * DBL_EPSILON * (1 + fabs(expected[i])));
}

static void test_worked_switches(void **state)
{
    (void)state;
    const float x[] = {3, 4}, z[] = {0, 2}, weight[] = {1, -1};
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.x.data = x;
    clnorm_desc desc = desc_of(CLNORM_LP_NORM, CLNORM_F32, 2, 0);
    expect_y("l2", &desc, 1, args, (double[]){0.6, 0.8});
    desc.eps = 5;
    desc.eps_mode = CLNORM_EPS_OUTSIDE;
    expect_y("l2 outside", &desc, 1, args, (double[]){0.3, 0.4});
    desc.eps = 10;
    desc.eps_mode = CLNORM_EPS_CLAMP;
    expect_y("l2 clamp", &desc, 1, args, (double[]){0.3, 0.4});
    desc.eps = 4;
    expect_y("l2 no clamp", &desc, 1, args, (double[]){0.6, 0.8});
    desc = desc_of(CLNORM_LP_NORM, CLNORM_F32, 2, 0);
    desc.p = 1;
    expect_y("l1", &desc, 1, args, (double[]){3 / 7.0, 4 / 7.0});
    desc.p = 3;
    const double cube = cbrt(27 + 64);
    expect_y("l3", &desc, 1, args, (double[]){3 / cube, 4 / cube});
    desc = desc_of(CLNORM_LAYER_NORM, CLNORM_F32, 2, 0);
    desc.ddof = 1; /* the variance is 1/2 */
    expect_y("ddof", &desc, 1, args, (double[]){-sqrt(0.5), sqrt(0.5)});
    desc.ddof = 0;
    desc.eps_mode = CLNORM_EPS_OUTSIDE;
    desc.eps = 0.5;
    expect_y("outside", &desc, 1, args, (double[]){-0.5, 0.5});
    desc = desc_of(CLNORM_LAYER_NORM, CLNORM_F32, 2, 0);
    desc.center_only = 1;
    expect_y("center", &desc, 1, args, (double[]){-0.5, 0.5});
    desc = desc_of(CLNORM_RMS_NORM, CLNORM_F32, 2, 0);
    desc.stats_cols = 1;
    expect_y("partial", &desc, 1, args, (double[]){1, 4 / 3.0});
    desc.weight_offset = 1;
    expect_y("no weight", &desc, 1, args, (double[]){1, 4 / 3.0});
    args.weight.data = weight;
    expect_y("offset", &desc, 1, args, (double[]){2, 0});
    desc.act_gate = CLNORM_ACT_AFTER;
    args.z.data = z;
    expect_y("gate", &desc, 1, args, (double[]){0, 0});
    args.weight.data = NULL;
    expect_y("gate", &desc, 1, args, (double[]){0, 4 / 3.0 * 2 / (1 + exp(-2.0))});
}

/* Zeros and what is not a number, where the formula alone would not say. */
static void test_sets_of_zeros(void **state)
{
    (void)state;
    const float x[2] = {0, 0};
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.x.data = x;
    for (int mode = CLNORM_EPS_INSIDE; mode <= CLNORM_EPS_CLAMP; mode++)
        for (int p = 1; p <= 3; p++) {
            clnorm_desc desc = desc_of(CLNORM_LP_NORM, CLNORM_F32, 2, 0);
            desc.eps_mode = (clnorm_eps_mode)mode;
            desc.p = p;
            expect_y("zeros", &desc, 1, args, (double[]){0, 0});
        }
}

/* [2 samples][4 channels][2 places]: the map from the definition, value = its set. */
static void test_sets_of_channels(void **state)
{
    (void)state;
    static const struct {
        clnorm_kind kind;
        clnorm_layout layout;
        uint64_t groups;
        int set[16], count;
    } maps[] = {
        {CLNORM_GROUP_NORM, CLNORM_NCHW, 2, {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3}, 4},
        {CLNORM_GROUP_NORM, CLNORM_NHWC, 2, {0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3}, 4},
        {CLNORM_INSTANCE_NORM, CLNORM_NCHW, 0, {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7}, 8},
        {CLNORM_INSTANCE_NORM, CLNORM_NHWC, 0, {0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7}, 8},
        {CLNORM_BATCH_NORM, CLNORM_NCHW, 0, {0, 0, 1, 1, 2, 2, 3, 3, 0, 0, 1, 1, 2, 2, 3, 3}, 4},
        {CLNORM_BATCH_NORM, CLNORM_NHWC, 0, {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3}, 4},
    };
    for (size_t k = 0; k < COUNT(maps); k++) {
        double y[16], mean[8], rstd[8];
        float x[16], bias[4] = {10, 20, 30, 40};
        clnorm_desc desc = desc_of(maps[k].kind, CLNORM_F32, 8, 0.25);
        clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
        desc.channels = 4;
        desc.groups = maps[k].groups;
        desc.layout = maps[k].layout;
        for (int i = 0; i < 16; i++)
            x[i] = (float)maps[k].set[i] + 1;
        args.x.data = x;
        args.bias.data = bias;
        args.y.data = y;
        args.mean.data = mean;
        args.rstd.data = rstd;
        assert_int_equal(clnorm_reference(&desc, CLNORM_FORWARD, 2, &args, NULL), CLNORM_OK);
        for (int i = 0; i < maps[k].count; i++)
            assert_true(mean[i] == i + 1 && rstd[i] == 2);
        for (int i = 0; i < 16; i++) /* each set is constant */
            assert_true(y[i] == bias[maps[k].layout == CLNORM_NHWC ? i % 4 : i % 8 / 2]);
    }
}

/* A set with more channels than are worked on at once. */
static void test_sets_of_many_channels(void **state)
{
    (void)state;
    enum { CHANNELS = 600, GROUPS = 2, PLACES = 2 };
    static float x[PLACES * CHANNELS], bias[CHANNELS];
    static double y[PLACES * CHANNELS];
    clnorm_desc desc = desc_of(CLNORM_GROUP_NORM, CLNORM_F32, PLACES * CHANNELS, 0.25);
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    desc.channels = CHANNELS;
    desc.groups = GROUPS;
    desc.layout = CLNORM_NHWC;
    for (int i = 0; i < PLACES * CHANNELS; i++) {
        x[i] = i % CHANNELS < CHANNELS / GROUPS ? 3 : -8;
        bias[i % CHANNELS] = (float)(i % CHANNELS);
    }
    args.x.data = x;
    args.bias.data = bias;
    args.y.data = y;
    assert_int_equal(clnorm_reference(&desc, CLNORM_FORWARD, 1, &args, NULL), CLNORM_OK);
    for (int i = 0; i < PLACES * CHANNELS; i++)
        assert_true(y[i] == i % CHANNELS); /* each set is constant */
}

static void test_running_statistics(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 6}; /* mean 3, variance 3.5, unbiased 14/3 */
    double y[4];
    for (int biased = 0; biased < 2; biased++) {
        double mean = 10, var = 20;
        clnorm_desc desc = desc_of(CLNORM_BATCH_NORM, CLNORM_F32, 1, 1e-5);
        clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
        desc.channels = 1;
        desc.momentum = 0.25;
        desc.running_biased = biased;
        args.x.data = x;
        args.y.data = y;
        args.running_mean.data = &mean;
        args.running_var.data = &var;
        assert_int_equal(clnorm_reference(&desc, CLNORM_FORWARD, 4, &args, NULL), CLNORM_OK);
        expect_close("running_mean", 0, mean, 8.25, 4e-15);
        expect_close("running_var", 0, var, 15 + 0.25L * (biased ? 3.5L : 14 / 3.0L), 8e-15);
    }
}

/* The sum of float steps, and its two contracts. */
static void test_sum_contracts(void **state)
{
    (void)state;
    const float x[] = {1, 0x1p-9f}, bias[] = {0x1p-24f, 0}, residual[] = {3, 1};
    double y[2], sum[2];
    for (int contract = CLNORM_SUM_ROUNDED; contract <= CLNORM_SUM_EXACT; contract++) {
        clnorm_desc desc = desc_of(CLNORM_LAYER_NORM, CLNORM_F32, 2, 1e-5);
        clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
        desc.inputs = CLNORM_WITH_RESIDUAL | CLNORM_WITH_X_BIAS;
        desc.alpha = 0.1; /* a float: 0.1 + 1.49e-9 */
        desc.contract = (clnorm_contract)contract;
        uint16_t stored[2];
        desc.residual_dtype = CLNORM_BF16;
        clnorm_store(CLNORM_BF16, stored, 0, residual[0]);
        clnorm_store(CLNORM_BF16, stored, 1, residual[1]);
        args.x.data = x;
        args.x_bias.data = bias;
        args.residual.data = stored;
        args.y.data = y;
        args.sum.data = sum;
        assert_int_equal(clnorm_reference(&desc, CLNORM_FORWARD, 1, &args, NULL), CLNORM_OK);
        const float first = 0.1f * 3 + 1, second = 0.1f * 1 + 0x1p-9f;
        const double exact[] = {first, second};
        for (int i = 0; i < 2; i++)
            assert_true(sum[i] == (contract == CLNORM_SUM_EXACT
                                       ? exact[i]
                                       : clnorm_dtype_round(CLNORM_BF16, exact[i])));
    }
}

static void test_quantised_rows(void **state)
{
    (void)state;
    const float mean[1] = {0}, rstd[1] = {1};
    const float x[] = {-1, 0.5f, 0.25f, 2};
    double y[4], scale[2], zero[2], sum;
    clnorm_desc desc = desc_of(CLNORM_LAYER_NORM, CLNORM_F32, 4, 0);
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    desc.stats = CLNORM_STATS_GIVEN; /* y = x */
    desc.y_dtype = CLNORM_I8;
    desc.quant = CLNORM_QUANT_ROW;
    args.x.data = x;
    args.mean.data = (void *)(uintptr_t)mean;
    args.rstd.data = (void *)(uintptr_t)rstd;
    args.y.data = y;
    args.qscale.data = scale;
    args.qsum.data = &sum;
    assert_int_equal(clnorm_reference(&desc, CLNORM_FORWARD, 1, &args, NULL), CLNORM_OK);
    expect_close("qscale", 0, scale[0], 2 / 127.0L, 1e-17);
    const double row[] = {-64, 32, 16, 127}; /* -63.5 is rounded to even */
    assert_memory_equal(y, row, sizeof(row));
    assert_true(sum == 111);
    desc.quant = CLNORM_QUANT_GROUP;
    desc.quant_group = 2;
    assert_int_equal(clnorm_reference(&desc, CLNORM_FORWARD, 1, &args, NULL), CLNORM_OK);
    const double groups[] = {-127, 64, 16, 127}; /* 63.5, 15.875 */
    assert_memory_equal(y, groups, sizeof(groups));
    desc.quant = CLNORM_QUANT_ROW;
    desc.quant_asymmetric = 1;
    desc.quant_group = 0;
    args.qzero.data = zero;
    assert_int_equal(clnorm_reference(&desc, CLNORM_FORWARD, 1, &args, NULL), CLNORM_OK);
    expect_close("qscale", 0, scale[0], 3 / 255.0L, 1e-17);
    assert_true(zero[0] == -43); /* -128 + 85 */
    const double asymmetric[] = {-128, -1, -22, 127}; /* 42.5: 42; 21.25: 21 */
    assert_memory_equal(y, asymmetric, sizeof(asymmetric));
    desc.quant = CLNORM_QUANT_GROUP;
    desc.quant_group = 2;
    assert_int_equal(clnorm_reference(&desc, CLNORM_FORWARD, 1, &args, NULL), CLNORM_OK);
    expect_close("qscale", 0, scale[0], 1.5L / 255, 1e-17);
    expect_close("qscale", 1, scale[1], 2 / 255.0L, 1e-17); /* 0 to 2 */
    assert_true(zero[0] == 42 && zero[1] == -128);
    const double both[] = {-128, 127, -96, 127}; /* 31.875: 32 */
    assert_memory_equal(y, both, sizeof(both));
    const float given_scale = 0.5f;
    const int8_t given_zero = 125;
    desc.quant = CLNORM_QUANT_STATIC;
    desc.quant_group = 0;
    args.qscale.data = (void *)(uintptr_t)&given_scale;
    args.qzero.data = (void *)(uintptr_t)&given_zero;
    assert_int_equal(clnorm_reference(&desc, CLNORM_FORWARD, 1, &args, NULL), CLNORM_OK);
    const double given[] = {123, 126, 125, 127}; /* 0.5: 0, before 125 is added; 129 */
    assert_memory_equal(y, given, sizeof(given));
    assert_true(sum == 501);
    desc.y_dtype = CLNORM_E4M3;
    desc.quant = CLNORM_QUANT_ROW;
    desc.quant_asymmetric = 0;
    args.qscale.data = scale;
    args.qzero.data = args.qsum.data = NULL;
    assert_int_equal(clnorm_reference(&desc, CLNORM_FORWARD, 1, &args, NULL), CLNORM_OK);
    const double fp8[] = {-224, 112, 56, 448};
    assert_memory_equal(y, fp8, sizeof(fp8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worked_switches),    cmocka_unit_test(test_sets_of_zeros),
        cmocka_unit_test(test_sets_of_channels),   cmocka_unit_test(test_sets_of_many_channels),
        cmocka_unit_test(test_running_statistics), cmocka_unit_test(test_sum_contracts),
        cmocka_unit_test(test_quantised_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A bad descriptor must be refused with a text that says what was given and what is allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/desc.h"

static clnorm_desc good_desc(void)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    desc.cols = 768;
    return desc;
}

static void expect_bad(const clnorm_desc *desc, const char *value, const char *allowed)
{
    clnorm_error error = {CLNORM_OK, 1, ""};
    if (clnorm_desc_check(desc, &error) != CLNORM_BAD_DESC)
        fail_msg("accepted, or another error; expected \"%s\" and \"%s\"", value, allowed);
    assert_int_equal(error.status, CLNORM_BAD_DESC);
    assert_int_equal(error.opencl_code, 0);
    if (!strstr(error.text, value) || !strstr(error.text, allowed) || strchr(error.text, '\n'))
        fail_msg("\"%s\" lacks \"%s\" or \"%s\", or has a newline", error.text, value, allowed);
    assert_int_equal(clnorm_desc_check(desc, NULL), CLNORM_BAD_DESC);
}

static void test_good_descriptors(void **state)
{
    (void)state;
    static const clnorm_dtype dtypes[][3] = {{CLNORM_F32, CLNORM_F32, CLNORM_F32},
                                             {CLNORM_F16, CLNORM_BF16, CLNORM_F32},
                                             {CLNORM_F64, CLNORM_F64, CLNORM_F64}};
    static const uint64_t cols[] = {1, 768, CLNORM_MAX_COLS};
    static const double eps[] = {0, 1e-5, 3e38};
    for (int i = 0; i < 3; i++) {
        clnorm_error error = {CLNORM_OK, 0, "untouched"};
        clnorm_desc desc = good_desc();
        desc.kind = i % 2 ? CLNORM_RMS_NORM : CLNORM_LAYER_NORM;
        desc.x_dtype = dtypes[i][0];
        desc.y_dtype = dtypes[i][1];
        desc.param_dtype = dtypes[i][2];
        desc.cols = cols[i];
        desc.eps = eps[i];
        desc.form = (clnorm_form)i;
        assert_int_equal(clnorm_desc_check(&desc, &error), CLNORM_OK);
        assert_string_equal(error.text, "untouched");
        assert_int_equal(clnorm_stats_dtype(&desc), i == 2 ? CLNORM_F64 : CLNORM_F32);
    }
}

static void test_no_descriptor_and_wrong_size(void **state)
{
    (void)state;
    expect_bad(NULL, "NULL", "allowed");
    clnorm_desc desc = good_desc();
    desc.struct_size = 0;
    expect_bad(&desc, "struct_size is 0", "CLNORM_DESC_INIT");
    desc.struct_size = sizeof(desc) + 8;
    expect_bad(&desc, "struct_size is ", "allowed is ");
}

static void test_columns(void **state)
{
    (void)state;
    clnorm_desc desc = good_desc();
    desc.cols = 0;
    expect_bad(&desc, "cols is 0", "allowed are 1 to 2147483648");
    desc.cols = CLNORM_MAX_COLS + 1;
    expect_bad(&desc, "cols is 2147483649", "allowed are 1 to 2147483648");
    desc.cols = UINT64_MAX;
    expect_bad(&desc, "cols is 18446744073709551615", "2147483648");
}

static void test_eps(void **state)
{
    (void)state;
    static const struct {
        double eps;
        const char *text;
    } bad[] = {{-1e-5, "eps is -1e-05"},
               {NAN, "nan"},
               {INFINITY, "eps is inf"},
               {1e-40, "eps is 1e-40"},
               {1e39, "eps is 1e+39"}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        clnorm_desc desc = good_desc();
        desc.eps = bad[i].eps;
        expect_bad(&desc, bad[i].text, "allowed are 0 and 1.18e-38 to 3.4e+38");
    }
}

static void test_enumerations(void **state)
{
    (void)state;
    clnorm_desc desc = good_desc();
    desc.kind = (clnorm_kind)8;
    expect_bad(&desc, "kind is 8", "7 (MVN)");
    desc = good_desc();
    desc.x_dtype = CLNORM_I8;
    expect_bad(&desc, "x_dtype is 4 (i8)", "f32, f16, bf16 and f64");
    desc = good_desc();
    desc.y_dtype = (clnorm_dtype)-1;
    expect_bad(&desc, "y_dtype is 4294967295", "e5m2 with quant");
    desc = good_desc();
    desc.param_dtype = CLNORM_DTYPE_DEFAULT;
    expect_bad(&desc, "param_dtype is ", "f32, f16, bf16 and f64");
    desc = good_desc();
    desc.form = (clnorm_form)5;
    expect_bad(&desc, "form is 5", "4 (cooperative)");
}

/* Every dtype that a descriptor names. */
static clnorm_dtype *dtype_of(clnorm_desc *desc, int which)
{
    clnorm_dtype *const fields[] = {&desc->x_dtype,        &desc->y_dtype,  &desc->param_dtype,
                                    &desc->residual_dtype, &desc->dy_dtype, &desc->dx_dtype,
                                    &desc->dparam_dtype};
    return fields[which];
}

static void test_f64_does_not_mix(void **state)
{
    (void)state;
    for (int which = 0; which < 7; which++) {
        clnorm_desc desc = good_desc();
        *dtype_of(&desc, which) = CLNORM_F64;
        expect_bad(&desc, "is f64", "all tensors or for none");
        for (int i = 0; i < 7; i++)
            *dtype_of(&desc, i) = CLNORM_F64;
        assert_int_equal(clnorm_desc_check(&desc, NULL), CLNORM_OK);
        *dtype_of(&desc, which) = CLNORM_F16;
        expect_bad(&desc, "f16", "all tensors or for none");
    }
}

static void test_defaults_are_resolved(void **state)
{
    (void)state;
    clnorm_desc desc = good_desc(), r;
    desc.x_dtype = CLNORM_F16;
    desc.y_dtype = CLNORM_BF16;
    assert_int_equal(clnorm_desc_resolve(&desc, &r, NULL), CLNORM_OK);
    assert_int_equal(r.residual_dtype, CLNORM_F16);
    assert_int_equal(r.dy_dtype, CLNORM_BF16);
    assert_int_equal(r.dx_dtype, CLNORM_F16);
    assert_int_equal(r.dparam_dtype, CLNORM_F32);
    assert_int_equal(r.groups, 1);
    desc.y_dtype = CLNORM_I8;
    desc.quant = CLNORM_QUANT_ROW;
    assert_int_equal(clnorm_desc_resolve(&desc, &r, NULL), CLNORM_OK);
    assert_int_equal(r.dy_dtype, CLNORM_F16); /* no gradient is quantised */
}

/* Fields that are not 0 replace those of a good descriptor. */
typedef struct {
    clnorm_desc set;
    const char *value, *allowed;
} combination;

#define QUANT(how, type) .quant = CLNORM_QUANT_##how, .y_dtype = CLNORM_##type

static const combination senseless[] = {
    {{.kind = CLNORM_RMS_NORM, .ddof = 1}, "ddof is 1", "no mean"},
    {{.cols = 1, .ddof = 1}, "ddof is 1", "1 element"},
    {{.groups = 768, .ddof = 1}, "ddof is 1", "1 element"},
    {{.ddof = 2}, "ddof is 2", "0 to 1"},
    {{.ddof = 1, .stats = CLNORM_STATS_GIVEN}, "ddof is 1", "given"},
    {{.stats = CLNORM_STATS_RUNNING}, "running", "batch_norm only"},
    {{.kind = CLNORM_LP_NORM, .stats = CLNORM_STATS_GIVEN}, "given", "norm"},
    {{.stats_cols = 5}, "stats_cols", "rms_norm only"},
    {{.kind = CLNORM_RMS_NORM, .stats_cols = 769}, "stats_cols is 769", "768"},
    {{.kind = CLNORM_RMS_NORM, .center_only = 1}, "center_only", "layer_norm and mvn"},
    {{.center_only = 1, .ddof = 1}, "center_only", "ddof"},
    {{.center_only = 1, .eps_mode = CLNORM_EPS_CLAMP}, "center_only", "eps_mode"},
    {{.stats = CLNORM_STATS_GIVEN, .eps_mode = CLNORM_EPS_OUTSIDE}, "given", "eps_mode"},
    {{.running_biased = 1}, "running_biased", "batch_norm only"},
    {{.layout = CLNORM_NHWC}, "layout", "channels only"},
    {{.alpha = 2}, "alpha", "residual"},
    {{.contract = CLNORM_SUM_EXACT}, "contract", "no sum"},
    {{.scale_offset = 2}, "scale_offset", "modulation"},
    {{.p = 3}, "p is not 2", "lp_norm"},
    {{.kind = CLNORM_LP_NORM, .p = 0.5}, "p is 0.5", "1 to"},
    {{.kind = CLNORM_LP_NORM, .p = 1}, "eps", "eps 0"},
    {{.kind = CLNORM_LP_NORM, .weight_offset = 1}, "weight_offset", "without a weight"},
    {{.groups = 5}, "groups is 5", "divisors of cols, 768"},
    {{.channels = 4}, "channels is 4", "layer_norm has no channels"},
    {{.kind = CLNORM_GROUP_NORM}, "channels is 0", "divisors"},
    {{.kind = CLNORM_GROUP_NORM, .channels = 7}, "channels is 7", "divisors of cols, 768"},
    {{.kind = CLNORM_GROUP_NORM, .channels = 8, .groups = 3}, "groups is 3", "channels, 8"},
    {{.kind = CLNORM_INSTANCE_NORM, .channels = 8, .groups = 2}, "groups is 2", "allowed is 0"},
    {{.kind = CLNORM_GROUP_NORM, .channels = 8, .dropout = 0.1}, "dropout", "layer_norm and"},
    {{.kind = CLNORM_MVN, .inputs = CLNORM_WITH_RESIDUAL}, "inputs", "layer_norm and rms_norm"},
    {{.rows_per_mod = 2}, "rows_per_mod", "gate or modulation"},
    {{.dropout = 1.5}, "dropout is 1.5", "0 to 1"},
    {{.act_gate = CLNORM_ACT_BEFORE, .inputs = CLNORM_WITH_RESIDUAL}, "act_gate", "residual"},
    {{.y_dtype = CLNORM_I8}, "y_dtype", "quant 1 to 3"},
    {{.quant = CLNORM_QUANT_ROW}, "quant", "i8, e4m3 or e5m2 only"},
    {{.quant = (clnorm_quant)4, .y_dtype = CLNORM_I8}, "quant is 4", "2 (row) and 3 (group)"},
    {{QUANT(ROW, E4M3), .quant_asymmetric = 1}, "quant_asymmetric is 1", "i8 only"},
    {{QUANT(STATIC, E5M2), .quant_asymmetric = 1}, "quant_asymmetric is 1", "i8 only"},
    {{.quant_asymmetric = 1}, "quant_asymmetric is 1", "i8 only"},
    {{QUANT(ROW, I8), .quant_asymmetric = 2}, "quant_asymmetric is 2", "0 to 1"},
    {{QUANT(STATIC, I8), .qscale_min = 0.5}, "qscale_min", "quant 2 and 3 only"},
    {{QUANT(STATIC, E4M3), .qscale_max = 0.5}, "qscale_max", "quant 2 and 3 only"},
    {{.qscale_max = 0.5}, "qscale_max", "quant 2 and 3 only"},
    {{QUANT(ROW, I8), .quant_asymmetric = 1, .qscale_min = 0.5}, "qscale_min", "asymmetric"},
    {{QUANT(ROW, I8), .quant_asymmetric = 1, .qscale_max = 0.5}, "qscale_max", "asymmetric"},
    {{QUANT(ROW, I8), .qscale_min = 0.5, .qscale_max = 0.25}, "qscale_max", "below qscale_min"},
    {{.quant = CLNORM_QUANT_GROUP, .y_dtype = CLNORM_I8}, "quant_group is 0", "divisors"},
    {{.quant = CLNORM_QUANT_GROUP, .y_dtype = CLNORM_I8, .quant_group = 7},
     "quant_group is 7",
     "768"},
    {{.quant = CLNORM_QUANT_ROW, .y_dtype = CLNORM_I8, .backward = CLNORM_FROM_OUTPUT},
     "from output",
     "quantised"},
    {{.kind = CLNORM_MVN, .backward = CLNORM_FROM_OUTPUT}, "from output", "layer_norm and"},
    {{.cast = CLNORM_CAST_FIRST, .backward = CLNORM_FROM_OUTPUT}, "from output", "wide"},
    {{.dy_dtype = CLNORM_E4M3}, "dy_dtype", "f32, f16, bf16"},
    {{.dx_dtype = CLNORM_E4M3}, "dx_dtype", "f32, f16, bf16"},
};

#define TAKE(field) (desc.field = set->field ? set->field : desc.field)

/* A good descriptor but for what is not 0 in `set`. */
static clnorm_desc with(const clnorm_desc *set)
{
    clnorm_desc desc = good_desc();
    TAKE(kind), TAKE(cols), TAKE(y_dtype), TAKE(dy_dtype), TAKE(dx_dtype), TAKE(channels),
        TAKE(groups), TAKE(ddof), TAKE(stats_cols), TAKE(p), TAKE(center_only), TAKE(weight_offset),
        TAKE(cast), TAKE(stats), TAKE(inputs), TAKE(rows_per_mod), TAKE(act_gate), TAKE(dropout),
        TAKE(quant), TAKE(quant_group), TAKE(quant_asymmetric), TAKE(qscale_min), TAKE(qscale_max),
        TAKE(backward), TAKE(eps_mode), TAKE(running_biased), TAKE(layout), TAKE(alpha),
        TAKE(contract), TAKE(scale_offset);
    return desc;
}

static void test_combinations_that_make_no_sense(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(senseless) / sizeof(senseless[0]); i++) {
        const clnorm_desc desc = with(&senseless[i].set);
        expect_bad(&desc, senseless[i].value, senseless[i].allowed);
    }
}

static void test_host_tensors(void **state)
{
    (void)state;
    clnorm_error error;
    const float array[1] = {0};
    uint64_t stride = 0;
    assert_int_equal(clnorm_host_tensor_check("x", CLNORM_F32, array, 3, 7, &stride, NULL), 0);
    assert_int_equal(stride, 7);
    stride = 8;
    assert_int_equal(clnorm_host_tensor_check("x", CLNORM_F32, array, 3, 7, &stride, NULL), 0);
    assert_int_equal(stride, 8);
    stride = 6;
    assert_int_equal(clnorm_host_tensor_check("x", CLNORM_F32, array, 3, 7, &stride, &error),
                     CLNORM_BAD_ARGS);
    assert_non_null(strstr(error.text, "x_stride is 6"));
    stride = UINT64_MAX / 2;
    assert_int_equal(clnorm_host_tensor_check("x", CLNORM_F32, array, 3, 7, &stride, &error),
                     CLNORM_BAD_ARGS);
    assert_non_null(strstr(error.text, "x has 3 rows"));
    stride = 0;
    assert_int_equal(clnorm_host_tensor_check("y", CLNORM_F32, NULL, 0, 7, &stride, NULL), 0);
    assert_int_equal(clnorm_host_tensor_check("y", CLNORM_F32, NULL, 1, 7, &stride, &error),
                     CLNORM_BAD_ARGS);
    assert_non_null(strstr(error.text, "y is NULL"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_descriptors),
        cmocka_unit_test(test_no_descriptor_and_wrong_size),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_eps),
        cmocka_unit_test(test_enumerations),
        cmocka_unit_test(test_f64_does_not_mix),
        cmocka_unit_test(test_defaults_are_resolved),
        cmocka_unit_test(test_combinations_that_make_no_sense),
        cmocka_unit_test(test_host_tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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
    assert_int_equal(clnorm_desc_check(desc, &error), CLNORM_BAD_DESC);
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
    desc.kind = (clnorm_kind)2;
    expect_bad(&desc, "kind is 2", "1 (RMS norm)");
    desc = good_desc();
    desc.x_dtype = (clnorm_dtype)4;
    expect_bad(&desc, "x_dtype is 4", "3 (f64)");
    desc = good_desc();
    desc.y_dtype = (clnorm_dtype)-1;
    expect_bad(&desc, "y_dtype is 4294967295", "0 (f32)");
    desc = good_desc();
    desc.param_dtype = (clnorm_dtype)9;
    expect_bad(&desc, "param_dtype is 9", "2 (bf16)");
    desc = good_desc();
    desc.form = (clnorm_form)3;
    expect_bad(&desc, "form is 3", "2 (cooperative)");
}

static void test_f64_does_not_mix(void **state)
{
    (void)state;
    for (int which = 0; which < 3; which++) {
        clnorm_desc desc = good_desc();
        clnorm_dtype *fields[] = {&desc.x_dtype, &desc.y_dtype, &desc.param_dtype};
        *fields[which] = CLNORM_F64;
        expect_bad(&desc, "is f64", "all three or for none");
        desc.x_dtype = desc.y_dtype = desc.param_dtype = CLNORM_F64;
        *fields[which] = CLNORM_F16;
        expect_bad(&desc, "is f16", "all three or for none");
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
        cmocka_unit_test(test_host_tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

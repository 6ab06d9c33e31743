/* SPDX-License-Identifier: MIT */
/* The search for parameters of products: points that no kernel can be built with, layers and table
 * lines that mean something else than they say. */
#include "base/tuning_table.h"
#include "cli/tune/layers.h"
#include "cli/tune/space.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { POINTS = 200 };

/* As many as CLBlast wants of each. */
static const size_t counts[CLNORM_GEMM_KERNELS] = {16, 10, 3, 3};

static void expect_allowed(clnorm_gemm_kernel kernel, const struct space_point *point,
                           const char *what)
{
    char text[CLNORM_GEMM_TEXT];
    clnorm_gemm_parameters parameters;
    space_text(kernel, point, text);
    if (!space_allows(kernel, point))
        fail_msg("%s of kernel %d is not allowed: %s", what, (int)kernel, text);
    if (!clnorm_gemm_parameters_parse(text, &parameters))
        fail_msg("%s of kernel %d is not read back: %s", what, (int)kernel, text);
    assert_int_equal(parameters.count, counts[kernel]);
}

static void test_points(void **state)
{
    (void)state;
    clnorm_random random = clnorm_random_seed(3, 0);
    for (int k = 0; k < CLNORM_GEMM_KERNELS; k++) {
        const clnorm_gemm_kernel kernel = (clnorm_gemm_kernel)k;
        for (size_t i = 0; i < space_seeds(kernel); i++) {
            const struct space_point seed = space_seed(kernel, i);
            expect_allowed(kernel, &seed, "a seed");
        }
        struct space_point point = space_random(kernel, &random);
        expect_allowed(kernel, &point, "a random point");
        for (int i = 0; i < POINTS; i++) {
            const struct space_point next = space_neighbour(kernel, &point, &random);
            expect_allowed(kernel, &next, "a neighbour");
            assert_memory_not_equal(&next, &point, sizeof(point));
            point = next;
        }
    }
}

/* Kernels that compile, and give wrong sums. */
static void test_rules(void **state)
{
    (void)state;
    static const struct {
        clnorm_gemm_kernel kernel;
        struct space_point point;
    } wrong[] = {
        {CLNORM_GEMV_COLUMNS, {{4, 8, 2}}}, /* vectors go over the end of what a work-item has */
        {CLNORM_GEMV_ROWS, {{4, 8, 2}}}, /* the same */
        {CLNORM_GEMV_ROWS, {{1, 4, 8}}}, /* a step is longer than the group that loads it */
        {CLNORM_GEMV_ROWS, {{2, 10, 4}}}, /* the last step goes over the end of a row */
        {CLNORM_GEMV_ROWS, {{1, 25, 2}}},
    };
    char text[CLNORM_GEMM_TEXT];
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        space_text(wrong[i].kernel, &wrong[i].point, text);
        if (space_allows(wrong[i].kernel, &wrong[i].point))
            fail_msg("%s is allowed", text);
    }
}

static void test_layers(void **state)
{
    (void)state;
    static const char *const bad[] = {"",        "4",     "4x5",     "4x5x6x7",
                                      "4x5x6,",  "0x5x6", "4x-5x6",  "4x5x6, 1",
                                      "4 x5 x6", "x5x6",  "4x5x2e3", ","};
    struct layers layers;
    clnorm_error error;
    char text[LAYERS_TEXT];
    assert_true(layers_parse("128x784x1000,4x1000x10", &layers, &error));
    layers_text(&layers, text);
    assert_string_equal(text, "128x784x1000,4x1000x10");
    const clnorm_gemm_case dw = layers_product(&layers, 5);
    assert_true(dw.m == 10 && dw.n == 1000 && dw.k == 4 && dw.a_transposed && !dw.b_transposed);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        error.text[0] = '\0';
        if (layers_parse(bad[i], &layers, &error) || !strstr(error.text, "BATCHxINPUTSxOUTPUTS"))
            fail_msg("'%s' is taken, or not told: '%s'", bad[i], error.text);
    }
}

static void test_lines(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "device=\"a\" units=2 gemm=\"MWG=32 NWG=8\" gemm_direct=\"WGD=8\" "
        "gemv=\"VW2=1\" gemv_t=\"VW3=2 WGS3=4\" min_indirect=64 gemv_rows=4 gemv_rows_t=1",
        "gemm=\"\"",
        "gemm=\"\" gemv_rows=65536",
    };
    static const char *const bad[] = {"gemm=\"MWG\"",       "gemm=\"MWG=\"",      "gemm=\"mwg=1\"",
                                      "gemm=\"MWG=1;B=2\"", "gemv_rows=0",        "gemv_rows=65537",
                                      "min_indirect=-1",    "gemm=\"MWG=100000\""};
    clnorm_tuning_record record;
    clnorm_error error;
    char text[CLNORM_TUNING_LINE];
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(clnorm_tuning_record_parse(lines[i], &record, &error), CLNORM_OK);
        assert_int_equal(record.names, CLNORM_TUNES_GEMM);
        clnorm_tuning_record_text(&record, text);
        assert_string_equal(text, lines[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (clnorm_tuning_record_parse(bad[i], &record, &error) != CLNORM_BAD_ARGS ||
            !strstr(error.text, "allowed is"))
            fail_msg("'%s' is taken, or not told: '%s'", bad[i], error.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

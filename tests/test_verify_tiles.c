/* SPDX-License-Identifier: MIT */
/* Rows that are there several times are proved by one time of them: sums over rows must be of as
 * many as there are, no more and no less, and every element is in the histogram. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "check/inputs.h"
#include "check/verify.h"

enum { ROWS = 5, TILES = 4, MOST = TILES * ROWS, COLS = 33, DEPTH = 20 };

typedef struct {
    double x[MOST * COLS], dy[MOST * COLS], dx[MOST * COLS];
    double weight[COLS], dweight[COLS], dbias[COLS];
    clnorm_desc desc;
} gradients;

static void repeat(double *rows)
{
    for (int tile = 1; tile < TILES; tile++)
        memcpy(rows + tile * ROWS * COLS, rows, ROWS * COLS * sizeof(rows[0]));
}

static clnorm_host_args args_of(gradients *g)
{
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.x.data = g->x;
    args.dy.data = g->dy;
    args.weight.data = g->weight;
    args.dx.data = g->dx;
    args.dweight.data = g->dweight;
    args.dbias.data = g->dbias;
    return args;
}

static void make(gradients *g, uint64_t rows)
{
    const clnorm_input_kind *normal = clnorm_input_find("normal");
    clnorm_error error;
    g->desc = (clnorm_desc)CLNORM_DESC_INIT;
    g->desc.cols = COLS;
    g->desc.x_dtype = g->desc.y_dtype = g->desc.param_dtype = CLNORM_F64;
    clnorm_input_fill(normal, CLNORM_F64, ROWS, COLS, 1, g->x);
    clnorm_input_fill(normal, CLNORM_F64, ROWS, COLS, 2, g->dy);
    clnorm_weight_fill(CLNORM_F64, COLS, 3, g->weight);
    repeat(g->x);
    repeat(g->dy);
    const clnorm_host_args args = args_of(g);
    if (clnorm_reference(&g->desc, CLNORM_BACKWARD, rows, &args, &error))
        fail_msg("%s", error.text);
}

static clnorm_verdict verdict_of(gradients *g, uint64_t all_rows, uint64_t *counts)
{
    const clnorm_host_args args = args_of(g);
    const clnorm_verify_more more = {.all_rows = all_rows, .ulp_counts = counts};
    clnorm_verdict verdict = CLNORM_VERDICT_INIT;
    clnorm_error error;
    if (clnorm_verify_more_of(&g->desc, CLNORM_BACKWARD, DEPTH, ROWS, &args, &more, &verdict,
                              &error))
        fail_msg("%s", error.text);
    return verdict;
}

static void test_sums_over_rows_count_each_tile(void **state)
{
    static gradients g;
    uint64_t counts[CLNORM_ULP_BINS] = {0}, total = 0;
    (void)state;
    make(&g, MOST);
    const clnorm_verdict right = verdict_of(&g, MOST, counts);
    assert_int_equal(right.wrong, 0);
    assert_int_equal(right.compared, (ROWS + 2) * COLS);
    for (int i = 0; i < CLNORM_ULP_BINS; i++)
        total += counts[i];
    assert_int_equal(total, ROWS * COLS); /* of dx */
    assert_int_equal(counts[0], total); /* the reference's own */

    g.dweight[7] *= 1 + 1e-9;
    const clnorm_verdict wrong = verdict_of(&g, MOST, NULL);
    assert_int_equal(wrong.wrong, 1);
    assert_string_equal(wrong.worst_tensor, "dweight");
    assert_int_equal(wrong.worst_col, 7);
}

/* 5 rows, and the first 1 to 15 of them again. */
static void test_another_number_of_rows_is_wrong(void **state)
{
    static gradients g;
    (void)state;
    for (uint64_t rows = ROWS; rows <= MOST; rows++) {
        make(&g, rows);
        for (uint64_t guess = ROWS; guess <= MOST; guess++)
            assert_int_equal(verdict_of(&g, guess, NULL).wrong, guess == rows ? 0 : 2 * COLS);
    }
}

static void test_histogram_has_each_size_of_error(void **state)
{
    static gradients g;
    uint64_t counts[CLNORM_ULP_BINS] = {0};
    (void)state;
    make(&g, MOST);
    /* far beyond each bin but the last: at least 33 ULP of the largest term, 0x1p-53 of it each */
    for (int col = 0; col < COLS; col++)
        g.dx[col] += 1e-9;
    verdict_of(&g, MOST, counts);
    assert_int_equal(counts[CLNORM_ULP_BINS - 1], COLS);
    assert_int_equal(counts[0], (ROWS - 1) * COLS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_over_rows_count_each_tile),
        cmocka_unit_test(test_another_number_of_rows_is_wrong),
        cmocka_unit_test(test_histogram_has_each_size_of_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Gradients in floats, as a device makes them, against the checker: right ones pass, and what loses
 * digits is found. Wrong formulas are test_verify_family's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "base/dtype.h"
#include "check/inputs.h"

#define SEED 71
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { ROWS = 20, COLS = 1000, BLOCK = 64, DEPTH = BLOCK + COLS / BLOCK + 1 };

typedef enum { NO_MISTAKE, SINGLE_MEAN, BF16_RSTD, DROPPED_TAIL, ROUNDED_TERMS, MISTAKES } mistake;

/* Sums in blocks, so that the chain of additions is DEPTH long. */
static float sum(const float *terms, int n)
{
    float total = 0;
    for (int first = 0; first < n; first += BLOCK) {
        float part = 0;
        for (int i = first; i < n && i < first + BLOCK; i++)
            part += terms[i];
        total += part;
    }
    return total;
}

static float x[ROWS][COLS], dy[ROWS][COLS], weight[COLS], dx[ROWS][COLS];
static float dweight[COLS], dbias[COLS];

static float dot(const float *a, const float *b, int n)
{
    static float products[COLS];
    for (int i = 0; i < n; i++)
        products[i] = a[i] * b[i];
    return sum(products, n);
}

/* docs/numerics.md, "Backward". */
static void backward_row(const clnorm_desc *desc, mistake wrong, int row)
{
    static float e[COLS], h[COLS];
    const int n = wrong == DROPPED_TAIL ? COLS - 1 : COLS;
    const int center = desc->kind == CLNORM_LAYER_NORM;
    for (int i = 0; i < COLS; i++)
        e[i] = x[row][i] - x[row][0];
    const float mean = center ? x[row][0] + sum(e, COLS) / COLS : 0;
    for (int i = 0; i < COLS; i++)
        e[i] = x[row][i] - mean;
    const float lo = center && wrong != SINGLE_MEAN ? sum(e, n) / COLS : 0;
    float r = 1 / sqrtf((dot(e, e, n) - sum(e, n) * lo) / COLS + (float)desc->eps);
    if (wrong == BF16_RSTD)
        r = (float)clnorm_dtype_round(CLNORM_BF16, r);
    for (int i = 0; i < COLS; i++)
        h[i] = dy[row][i] * weight[i];
    const float h_sum = sum(h, n), c1 = center ? h_sum / COLS : 0;
    const float c2 = r * (dot(h, e, n) - lo * h_sum) / COLS;
    for (int i = 0; i < COLS; i++) {
        const float normal = (e[i] - lo) * r;
        const float term = dy[row][i] * normal;
        dx[row][i] = r * (h[i] - c1 - normal * c2);
        dweight[i] += wrong == ROUNDED_TERMS ? (float)clnorm_dtype_round(CLNORM_BF16, term) : term;
        dbias[i] += dy[row][i];
    }
}

static clnorm_verdict verdict_of(const char *input, clnorm_kind kind, mistake wrong)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    clnorm_verdict verdict = CLNORM_VERDICT_INIT;
    desc.kind = kind;
    desc.cols = COLS;
    clnorm_input_fill(clnorm_input_find(input), CLNORM_F32, ROWS, COLS, SEED, x);
    clnorm_input_fill(clnorm_input_find("normal"), CLNORM_F32, ROWS, COLS, SEED + 1, dy);
    clnorm_weight_fill(CLNORM_F32, COLS, SEED, weight);
    for (int i = 0; i < COLS; i++)
        dweight[i] = dbias[i] = 0;
    for (int row = 0; row < ROWS; row++)
        backward_row(&desc, wrong, row);
    args.x.data = x;
    args.dy.data = dy;
    args.weight.data = weight;
    args.dx.data = dx;
    args.dweight.data = dweight;
    args.dbias.data = dbias;
    assert_int_equal(
        clnorm_verify(&desc, CLNORM_BACKWARD, DEPTH, ROWS, 0, &args, NULL, &verdict, NULL),
        CLNORM_OK);
    assert_int_equal(verdict.compared, ROWS * COLS + 2 * COLS);
    return verdict;
}

static void test_right_gradients_pass(void **state)
{
    (void)state;
    static const char *const inputs[] = {"normal", "mean_1e4"};
    for (size_t k = 0; k < COUNT(inputs) * 2; k++) {
        const clnorm_verdict v = verdict_of(inputs[k / 2], (clnorm_kind)(k % 2), NO_MISTAKE);
        if (v.wrong != 0)
            fail_msg("%s, kind %d, seed %d: %lu wrong, worst %s[%lu, %lu] is %.9g, expected %.9g "
                     "within %.3g",
                     inputs[k / 2], (int)(k % 2), SEED, (unsigned long)v.wrong, v.worst_tensor,
                     (unsigned long)v.worst_row, (unsigned long)v.worst_col, v.worst_got,
                     v.worst_expected, v.worst_bound);
    }
}

static void test_lost_digits_are_found(void **state)
{
    (void)state;
    for (int wrong = NO_MISTAKE + 1; wrong < MISTAKES; wrong++) {
        const char *const input = wrong == SINGLE_MEAN ? "mean_1e4" : "normal";
        const clnorm_verdict v = verdict_of(input, CLNORM_LAYER_NORM, (mistake)wrong);
        if (v.wrong == 0)
            fail_msg("mistake %d, seed %d, is not found: %g of the bound", wrong, SEED,
                     v.max_bound_share);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_gradients_pass),
        cmocka_unit_test(test_lost_digits_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

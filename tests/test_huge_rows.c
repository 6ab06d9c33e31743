/* SPDX-License-Identifier: MIT */
/* Rows near the largest double: a size that leaves its range must neither make the bound NaN, which
 * calls right results wrong, nor infinite, which finds nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>

#include "clnorm/clnorm.h"

enum { COLS = 4, DEPTH = 10 };

static clnorm_desc desc_of_doubles(void)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    desc.x_dtype = desc.y_dtype = desc.param_dtype = desc.residual_dtype = CLNORM_F64;
    desc.cols = COLS;
    return desc;
}

static clnorm_verdict verdict_of(const clnorm_desc *desc, clnorm_direction direction,
                                 const clnorm_host_args *args)
{
    clnorm_verdict verdict = CLNORM_VERDICT_INIT;
    assert_int_equal(clnorm_verify(desc, direction, DEPTH, 1, 0, args, NULL, &verdict, NULL),
                     CLNORM_OK);
    return verdict;
}

/* `result`: an output in args. What the reference gives is right, and wrong where an element of one
 * of `columns`, which -1 ends, is off by 1e-9 of it. */
static void expect_sharp(const char *what, const clnorm_desc *desc, clnorm_direction direction,
                         const clnorm_host_args *args, double *result, const int *columns)
{
    if (LDBL_MAX_EXP == DBL_MAX_EXP)
        skip(); /* the reference needs the range */
    assert_int_equal(clnorm_reference(desc, direction, 1, args, NULL), CLNORM_OK);
    const clnorm_verdict right = verdict_of(desc, direction, args);
    if (right.wrong != 0)
        fail_msg("%s: %s[%d] is %.17g, expected %.17g within %g", what, right.worst_tensor,
                 (int)right.worst_col, right.worst_got, right.worst_expected, right.worst_bound);
    for (; *columns >= 0; columns++) {
        const double kept = result[*columns];
        result[*columns] *= 1 + 1e-9;
        const clnorm_verdict wrong = verdict_of(desc, direction, args);
        if (wrong.wrong != 1)
            fail_msg("%s: column %d is %.17g, expected %.17g: %d wrong, expected 1", what, *columns,
                     result[*columns], kept, (int)wrong.wrong);
        result[*columns] = kept;
    }
}

static const int all[] = {0, 1, 2, 3, -1};

/* Nothing divides by the norm, so that dx is as small as dy, whatever x is. */
static void test_center_only_backward(void **state)
{
    (void)state;
    static const double sizes[] = {1, 0x1p921, 0x1p1022};
    static const double dy[COLS] = {1, -2, 0.5, 3};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const double a = sizes[i], x[COLS] = {a, -1.5 * a, 0.25 * a, 1.25 * a};
        clnorm_desc desc = desc_of_doubles();
        clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
        double dx[COLS];
        desc.center_only = 1;
        args.x.data = x;
        args.dy.data = dy;
        args.dx.data = dx;
        expect_sharp("center only", &desc, CLNORM_BACKWARD, &args, dx, all);
    }
}

/* The roundings of a constant row of such size are all of x^ if they are not the same in each
 * column; a weight of 0 leaves none of them. */
static void test_weight_of_zero(void **state)
{
    (void)state;
    static const double weight[COLS] = {1, 0, -1, 0}, bias[COLS] = {1, -0.275, 3, 4};
    static const double x[COLS] = {DBL_MAX / 16, DBL_MAX / 16, DBL_MAX / 16, DBL_MAX / 16};
    static const double residual[COLS] = {1, 2, 3, 4};
    static const int without_weight[] = {1, 3, -1};
    clnorm_desc desc = desc_of_doubles();
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    double y[COLS];
    desc.inputs = CLNORM_WITH_RESIDUAL;
    desc.contract = CLNORM_SUM_EXACT;
    desc.eps = 1e-5;
    args.x.data = x;
    args.residual.data = residual;
    args.weight.data = weight;
    args.bias.data = bias;
    args.y.data = y;
    expect_sharp("weight of 0", &desc, CLNORM_FORWARD, &args, y, without_weight);
}

/* Both addends are near the largest double, and their sizes together beyond it. */
static void test_addends_that_cancel(void **state)
{
    (void)state;
    static const double x[COLS] = {0x1.8p1023, -0x1.8p1023, 0x1.4p1023, 0x1p1020};
    static const double residual[COLS] = {-0x1.4p1023, 0x1p1023, -0x1.2p1023, 0x1p1020};
    for (int contract = CLNORM_SUM_ROUNDED; contract <= CLNORM_SUM_EXACT; contract++) {
        clnorm_desc desc = desc_of_doubles();
        clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
        double y[COLS], sum[COLS];
        desc.inputs = CLNORM_WITH_RESIDUAL;
        desc.contract = (clnorm_contract)contract;
        args.x.data = x;
        args.residual.data = residual;
        args.y.data = y;
        args.sum.data = sum;
        expect_sharp("addends that cancel", &desc, CLNORM_FORWARD, &args, y, all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_center_only_backward),
        cmocka_unit_test(test_weight_of_zero),
        cmocka_unit_test(test_addends_that_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

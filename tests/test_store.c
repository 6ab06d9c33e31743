/* SPDX-License-Identifier: MIT */
/* Rounding to the storage type, bit for bit: a tie that is rounded the wrong way is within every
 * bound. Rows are constant, so that y is the bias, and the bias walks over ties and borders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "base/dtype.h"
#include "base/tuning.h"
#include "device.h"

/* Ties with an even and an odd neighbour below, borders of overflow, subnormals, and NaN. */
static const float special[] = {
    0.0f,         -0.0f,           1.0f,        0x1.01p0f,       0x1.03p0f,
    -0x1.01p0f,   0x1.002p0f,      0x1.006p0f,  -0x1.002p0f,     0x1.ffcp15f,
    0x1.ffdfp15f, 0x1.ffep15f,     0x1.fffp15f, 0x1p-14f,        0x1p-15f,
    0x1.8p-24f,   0x1p-24f,        0x1p-25f,    0x1.8p-25f,      0x1.0001p-25f,
    0x1.fep127f,  0x1.fefffep127f, 0x1.ffp127f, 0x1.fffffep127f, 0x1p-126f,
    INFINITY,     -INFINITY,       NAN,
};
enum { SPECIAL = sizeof(special) / sizeof(special[0]), COLS = 3 * SPECIAL + 5 };

static int is_nan(clnorm_dtype dtype, const void *array, uint64_t index)
{
    return isnan(clnorm_load(dtype, array, index));
}

static void expect_exact_stores(const fixture *f, clnorm_dtype y_dtype, clnorm_form form)
{
    clnorm_desc desc = desc_of(COLS);
    clnorm_op *op = NULL;
    float x[COLS], bias[COLS];
    uint16_t y[COLS], expected[COLS];
    clnorm_args args = CLNORM_ARGS_INIT;
    desc.y_dtype = y_dtype;
    desc.form = form;
    for (size_t i = 0; i < COLS; i++) {
        x[i] = 3;
        bias[i] = special[i % SPECIAL];
        clnorm_store(y_dtype, expected, i, 0.0 + bias[i]); /* 0 + -0 is 0 */
    }
    MUST(clnorm_op_create(f->context, &desc, &op, error));
    args.x.buffer = buffer_of(f, CL_MEM_READ_ONLY, sizeof(x), x);
    args.bias.buffer = buffer_of(f, CL_MEM_READ_ONLY, sizeof(bias), bias);
    args.y.buffer = buffer_of(f, CL_MEM_READ_WRITE, sizeof(y), NULL);
    MUST(clnorm_forward(op, f->queue, 1, &args, 0, NULL, NULL, error));
    read_back(f, args.y.buffer, sizeof(y), y);
    for (size_t i = 0; i < COLS; i++)
        if (y[i] != expected[i] && !(is_nan(y_dtype, y, i) && is_nan(y_dtype, expected, i)))
            fail_msg("%s, %s: %a at column %zu is stored as 0x%04x, expected 0x%04x",
                     clnorm_dtype_name(y_dtype), clnorm_form_name(form), (double)bias[i], i, y[i],
                     expected[i]);
    clReleaseMemObject(args.x.buffer);
    clReleaseMemObject(args.bias.buffer);
    clReleaseMemObject(args.y.buffer);
    clnorm_op_destroy(op);
}

static void test_ties_go_to_even(void **state)
{
    static const clnorm_dtype dtypes[] = {CLNORM_F16, CLNORM_BF16};
    for (size_t i = 0; i < 2 * FORMS; i++)
        expect_exact_stores(*state, dtypes[i / FORMS], all_forms[i % FORMS]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ties_go_to_even)};
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

/* SPDX-License-Identifier: MIT */
/* clnorm_forward_host: chunks must not change a bit, lose a row or write past one, whichever way
 * the memory goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "device.h"

/* Arrays that a device may use in place: whole pages. */
static void *pages(size_t bytes)
{
    void *data = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    assert_non_null(data);
    return data;
}

typedef struct {
    clnorm_desc desc;
    clnorm_op *op;
    uint64_t rows;
    size_t bytes;
    clnorm_host_args args;
} arrays;

static arrays arrays_open(const fixture *f, uint64_t rows, uint64_t cols)
{
    arrays a = {.desc = desc_of(cols), .rows = rows, .args = CLNORM_HOST_ARGS_INIT};
    float *x, *weight;
    a.bytes = (size_t)(rows * cols) * sizeof(float);
    a.args.x = x = pages(a.bytes);
    a.args.y = pages(a.bytes);
    a.args.weight = weight = pages((size_t)cols * sizeof(float));
    a.args.mean = malloc((size_t)rows * sizeof(float));
    a.args.rstd = malloc((size_t)rows * sizeof(float));
    clnorm_input_fill(clnorm_input_find("mixed"), CLNORM_F32, rows, cols, 11, x);
    clnorm_weight_fill(CLNORM_F32, cols, 11, weight);
    MUST(clnorm_op_create(f->context, &a.desc, &a.op, error));
    return a;
}

static void arrays_close(arrays *a)
{
    clnorm_op_destroy(a->op);
    free((void *)(uintptr_t)a->args.x);
    free((void *)(uintptr_t)a->args.weight);
    free(a->args.y);
    free(a->args.mean);
    free(a->args.rstd);
}

static void poison(arrays *a)
{
    memset(a->args.y, 0x5a, a->bytes);
    memset(a->args.mean, 0x5a, (size_t)a->rows * sizeof(float));
    memset(a->args.rstd, 0x5a, (size_t)a->rows * sizeof(float));
}

static void expect_right_arrays(const arrays *a)
{
    clnorm_verdict v = CLNORM_VERDICT_INIT;
    MUST(clnorm_verify_forward(&a->desc, clnorm_op_depth(a->op), &a->args, a->rows, 0, &v, error));
    if (v.wrong)
        fail_msg("%llu wrong, seed 11: %s[%llu, %llu] is %.9g, expected %.9g +- %.3g",
                 (unsigned long long)v.wrong, v.worst_tensor, (unsigned long long)v.worst_row,
                 (unsigned long long)v.worst_col, v.worst_got, v.worst_expected, v.worst_bound);
}

static void test_chunks_change_no_bit(void **state)
{
    const fixture *f = *state;
    arrays a = arrays_open(f, 61, 100);
    clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
    float *whole = malloc(a.bytes);
    poison(&a);
    MUST(clnorm_forward_host(a.op, a.rows, &a.args, NULL, NULL, error));
    expect_right_arrays(&a);
    memcpy(whole, a.args.y, a.bytes);
    /* a row takes 808 bytes here and weight 400: one row, a few, about a hundred at once */
    static const uint64_t limits[] = {1300, 10000, 100000};
    for (size_t i = 0; i < 3; i++)
        for (options.copy = 0; options.copy < 2; options.copy++) {
            clnorm_host_report report = CLNORM_HOST_REPORT_INIT;
            options.max_device_bytes = limits[i];
            poison(&a);
            MUST(clnorm_forward_host(a.op, a.rows, &a.args, &options, &report, error));
            printf("%llu bytes, copy %d: %llu chunks of %llu rows, zero copy %d\n",
                   (unsigned long long)limits[i], options.copy, (unsigned long long)report.chunks,
                   (unsigned long long)report.rows_per_chunk, report.zero_copy);
            assert_true(report.chunks > 1 && report.rows_per_chunk * 808 + 400 <= limits[i]);
            assert_false(options.copy && report.zero_copy);
            assert_memory_equal(a.args.y, whole, a.bytes);
            expect_right_arrays(&a);
        }
    free(whole);
    arrays_close(&a);
}

static void test_gaps_between_rows_stay(void **state)
{
    const fixture *f = *state;
    enum { ROWS = 7, COLS = 33, STRIDE = 40 };
    if (is_oclgrind()) /* takes what clEnqueueWriteBufferRect wrote for uninitialized */
        skip();
    arrays a = arrays_open(f, ROWS, COLS);
    clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
    float *x = pages(ROWS * STRIDE * sizeof(float)), *y = pages(ROWS * STRIDE * sizeof(float));
    clnorm_input_fill(clnorm_input_find("normal"), CLNORM_F32, ROWS, STRIDE, 3, x);
    a.args.x_stride = a.args.y_stride = STRIDE;
    for (options.copy = 0; options.copy < 2; options.copy++) {
        clnorm_host_args args = a.args;
        clnorm_verdict v = CLNORM_VERDICT_INIT;
        args.x = x;
        args.y = y;
        memset(y, 0x5a, ROWS * STRIDE * sizeof(float));
        MUST(clnorm_forward_host(a.op, ROWS, &args, &options, NULL, error));
        MUST(clnorm_verify_forward(&a.desc, clnorm_op_depth(a.op), &args, ROWS, 0, &v, error));
        assert_int_equal(v.wrong, 0);
        for (size_t i = 0; i < ROWS * STRIDE * sizeof(float); i++)
            if (i / sizeof(float) % STRIDE >= COLS)
                assert_int_equal(((unsigned char *)y)[i], 0x5a);
    }
    free(x);
    free(y);
    arrays_close(&a);
}

static void test_in_place(void **state)
{
    const fixture *f = *state;
    arrays a = arrays_open(f, 50, 64);
    clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
    float *both = pages(a.bytes);
    poison(&a);
    MUST(clnorm_forward_host(a.op, a.rows, &a.args, NULL, NULL, error));
    for (options.copy = 0; options.copy < 2; options.copy++) {
        clnorm_host_args args = a.args;
        memcpy(both, a.args.x, a.bytes);
        args.x = args.y = both;
        MUST(clnorm_forward_host(a.op, a.rows, &args, &options, NULL, error));
        assert_memory_equal(both, a.args.y, a.bytes);
    }
    free(both);
    arrays_close(&a);
}

typedef struct {
    uint64_t last, stop_after, calls;
} watcher;

static int watch(void *user, uint64_t rows_done, uint64_t rows)
{
    watcher *w = user;
    assert_int_equal(rows, 61);
    assert_true(rows_done > w->last && rows_done <= rows);
    w->last = rows_done;
    w->calls++;
    return w->stop_after && rows_done >= w->stop_after;
}

static void test_progress_and_stop(void **state)
{
    const fixture *f = *state;
    arrays a = arrays_open(f, 61, 100);
    watcher w = {0, 0, 0};
    clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
    options.max_device_bytes = 50000;
    options.progress = watch;
    options.user = &w;
    MUST(clnorm_forward_host(a.op, a.rows, &a.args, &options, NULL, error));
    assert_int_equal(w.last, 61);
    assert_true(w.calls > 3);
    w = (watcher){0, 30, 0};
    EXPECT_ERROR(clnorm_forward_host(a.op, a.rows, &a.args, &options, NULL, error),
                 CLNORM_CANCELLED, "stopped after", "of 61 rows");
    assert_true(w.last < 61);
    arrays_close(&a);
}

static void test_a_row_that_does_not_fit(void **state)
{
    const fixture *f = *state;
    arrays a = arrays_open(f, 3, 100);
    clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
    options.max_device_bytes = 1000;
    EXPECT_ERROR(clnorm_forward_host(a.op, a.rows, &a.args, &options, NULL, error),
                 CLNORM_OUT_OF_MEMORY, "one row needs 1208 bytes", "1000 are allowed");
    arrays_close(&a);
}

static void test_arrays_that_cannot_be(void **state)
{
    const fixture *f = *state;
    arrays a = arrays_open(f, 4, 16);
    clnorm_host_args args = a.args;
    MUST(clnorm_forward_host(a.op, 0, &args, NULL, NULL, error));
    args.x = NULL;
    EXPECT_ERROR(clnorm_forward_host(a.op, 4, &args, NULL, NULL, error), CLNORM_BAD_ARGS, "x is",
                 "NULL");
    args = a.args;
    args.y = (char *)a.args.y + 1;
    EXPECT_ERROR(clnorm_forward_host(a.op, 3, &args, NULL, NULL, error), CLNORM_BAD_ARGS, "y is at",
                 "aligned to f32");
    args = a.args;
    args.y = (char *)(uintptr_t)a.args.x + 64;
    EXPECT_ERROR(clnorm_forward_host(a.op, 3, &args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "y overlaps x", "may be x");
    args = a.args;
    args.x_stride = 15;
    EXPECT_ERROR(clnorm_forward_host(a.op, 3, &args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "x_stride is 15", "16");
    args = a.args;
    args.struct_size = 0;
    EXPECT_ERROR(clnorm_forward_host(a.op, 4, &args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "args.struct_size is 0", "not");
    arrays_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunks_change_no_bit),
        cmocka_unit_test(test_gaps_between_rows_stay),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_progress_and_stop),
        cmocka_unit_test(test_a_row_that_does_not_fit),
        cmocka_unit_test(test_arrays_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

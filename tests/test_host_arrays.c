/* SPDX-License-Identifier: MIT */
/* clnorm_forward_host, clnorm_backward_host: arrays with gaps, in place, given twice, of no rows;
 * what cannot be is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host_call.h"

/* Copies a matrix into one with gaps that hold a pattern. */
static void spread(call *c, clnorm_tensor_id id, uint64_t stride)
{
    const clnorm_tensor_use use = family_use(&c->f, c->direction, (int)id);
    const size_t element = clnorm_dtype_bytes(use.dtype);
    const size_t pitch = (size_t)stride * element, width = (size_t)use.cols * element;
    char *old = clnorm_host_array(&c->args, id).data;
    char *data = pages(use.rows * pitch);
    memset(data, 0x5a, use.rows * pitch);
    for (uint64_t row = 0; row < use.rows; row++)
        memcpy(data + row * pitch, old + row * width, width);
    free(old);
    clnorm_host_array_set(&c->args, id, data, stride);
}

static void expect_gaps(const call *c, clnorm_tensor_id id, uint64_t stride)
{
    const clnorm_tensor_use use = family_use(&c->f, c->direction, (int)id);
    const size_t element = clnorm_dtype_bytes(use.dtype);
    const unsigned char *data = clnorm_host_array(&c->args, id).data;
    for (size_t i = 0; i < use.rows * stride * element; i++)
        if (i / element % stride >= use.cols)
            assert_int_equal(data[i], 0x5a);
}

static void test_gaps_between_rows_stay(void **state)
{
    static const clnorm_tensor_id matrices[2][3] = {{TENSOR_y, TENSOR_x, TENSOR_scale},
                                                    {TENSOR_dx, TENSOR_dy, TENSOR_dscale}};
    if (is_oclgrind()) /* takes what clEnqueueWriteBufferRect wrote for uninitialized */
        skip();
    for (int direction = CLNORM_FORWARD; direction <= CLNORM_BACKWARD; direction++)
        for (int copy = 0; copy < 2; copy++) {
            const clnorm_desc desc = with_mods(3, CLNORM_WITH_MODULATION);
            call c = call_open(*state, &desc, (clnorm_direction)direction, 7);
            clnorm_host_report report = CLNORM_HOST_REPORT_INIT;
            prepare(&c);
            for (size_t i = 0; i < 3; i++)
                spread(&c, matrices[direction][i], 128);
            clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
            options.copy = copy;
            if (direction == CLNORM_FORWARD)
                MUST(clnorm_forward_host(c.op, 7, &c.args, &options, &report, error));
            else
                MUST(clnorm_backward_host(c.op, 7, &c.args, &options, &report, error));
            prove(&c, "gaps");
            for (size_t i = 0; i < 3; i++)
                expect_gaps(&c, matrices[direction][i], 128);
            call_close(&c);
        }
}

/* Outputs in the place of an input, and inputs that are one array. */
static void test_in_place(void **state)
{
    static const struct {
        clnorm_direction direction;
        clnorm_tensor_id output, input;
    } pairs[] = {
        {CLNORM_FORWARD, TENSOR_y, TENSOR_x},
        {CLNORM_FORWARD, TENSOR_sum, TENSOR_x},
        {CLNORM_FORWARD, TENSOR_sum, TENSOR_residual},
        {CLNORM_BACKWARD, TENSOR_dx, TENSOR_dy},
        {CLNORM_BACKWARD, TENSOR_dx, TENSOR_dsum},
        {CLNORM_BACKWARD, TENSOR_dresidual, TENSOR_dsum},
    };
    clnorm_desc desc = desc_of_kind(CLNORM_LAYER_NORM);
    desc.inputs = CLNORM_WITH_RESIDUAL;
    for (size_t i = 0; i < COUNT(pairs); i++)
        for (int copy = 0; copy < 2; copy++) {
            const clnorm_tensor_id out = pairs[i].output, in = pairs[i].input;
            call c = call_open(*state, &desc, pairs[i].direction, 50);
            clnorm_host_report report = CLNORM_HOST_REPORT_INIT;
            run(&c, NULL, &report);
            call same = c;
            void *both = pages(c.bytes[out]);
            memcpy(both, clnorm_host_array(&c.args, in).data, c.bytes[in]);
            void *expected = pages(c.bytes[out]);
            memcpy(expected, clnorm_host_array(&c.args, out).data, c.bytes[out]);
            clnorm_host_array_set(&same.args, in, both, 0);
            clnorm_host_array_set(&same.args, out, both, 0);
            clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
            options.copy = copy;
            if (c.direction == CLNORM_FORWARD)
                MUST(clnorm_forward_host(c.op, 50, &same.args, &options, &report, error));
            else
                MUST(clnorm_backward_host(c.op, 50, &same.args, &options, &report, error));
            if (memcmp(both, expected, c.bytes[out]) != 0)
                fail_msg("%s = %s, copy %d: other bits", clnorm_tensor_name(out),
                         clnorm_tensor_name(in), copy);
            free(both);
            free(expected);
            call_close(&c);
        }
}

static void test_one_array_as_two_inputs(void **state)
{
    clnorm_desc desc = desc_of_kind(CLNORM_LAYER_NORM);
    desc.inputs = CLNORM_WITH_RESIDUAL;
    call c = call_open(*state, &desc, CLNORM_FORWARD, 20);
    free((void *)(uintptr_t)c.args.residual.data);
    c.args.residual = c.args.x;
    run(&c, NULL, NULL);
    prove(&c, "x as residual");
    c.args.residual.data = NULL;
    call_close(&c);
}

typedef struct {
    uint64_t last, stop_after, calls;
} watcher;

static int watch(void *user, uint64_t rows_done, uint64_t rows)
{
    watcher *w = user;
    assert_int_equal(rows, ROWS);
    assert_true(rows_done > w->last && rows_done <= rows);
    w->last = rows_done;
    w->calls++;
    return w->stop_after && rows_done >= w->stop_after;
}

static void test_progress_and_stop(void **state)
{
    const clnorm_desc desc = desc_of_kind(CLNORM_LAYER_NORM);
    for (int direction = CLNORM_FORWARD; direction <= CLNORM_BACKWARD; direction++) {
        call c = call_open(*state, &desc, (clnorm_direction)direction, ROWS);
        watcher w = {0, 0, 0};
        clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
        options.max_device_bytes = whole_bytes(&c) / 2;
        options.progress = watch;
        options.user = &w;
        run(&c, &options, NULL);
        assert_int_equal(w.last, ROWS);
        assert_true(w.calls > 2);
        w = (watcher){0, ROWS / 2, 0};
        EXPECT_ERROR(direction == CLNORM_FORWARD
                         ? clnorm_forward_host(c.op, ROWS, &c.args, &options, NULL, error)
                         : clnorm_backward_host(c.op, ROWS, &c.args, &options, NULL, error),
                     CLNORM_CANCELLED, "stopped after", "of 61 rows");
        assert_true(w.last < ROWS);
        call_close(&c);
    }
}

static void test_a_row_that_does_not_fit(void **state)
{
    const clnorm_desc desc = desc_of_kind(CLNORM_LAYER_NORM);
    call c = call_open(*state, &desc, CLNORM_FORWARD, 3);
    clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
    options.max_device_bytes = 1000;
    /* x, y, weight, bias of 96 floats, mean and rstd */
    EXPECT_ERROR(clnorm_forward_host(c.op, 3, &c.args, &options, NULL, error), CLNORM_OUT_OF_MEMORY,
                 "one row needs 1544 bytes", "1000 are allowed");
    call_close(&c);
}

static void test_no_rows(void **state)
{
    const clnorm_desc desc = desc_of_kind(CLNORM_LAYER_NORM);
    call c = call_open(*state, &desc, CLNORM_BACKWARD, 3);
    static const char zeroes[COLS * sizeof(float)];
    const clnorm_host_args none = CLNORM_HOST_ARGS_INIT;
    prepare(&c);
    MUST(clnorm_forward_host(c.op, 0, &none, NULL, NULL, error));
    EXPECT_ERROR(clnorm_forward_host(c.op, 0, &c.args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "dy is given", "no use");
    MUST(clnorm_backward_host(c.op, 0, &c.args, NULL, NULL, error));
    assert_memory_equal(c.args.dweight.data, zeroes, sizeof(zeroes));
    assert_memory_equal(c.args.dbias.data, zeroes, sizeof(zeroes));
    assert_int_equal(((unsigned char *)c.args.dx.data)[0], 0x5a);
    call_close(&c);
}

static void test_arrays_that_cannot_be(void **state)
{
    const clnorm_desc desc = desc_of_kind(CLNORM_LAYER_NORM);
    call c = call_open(*state, &desc, CLNORM_FORWARD, 4);
    clnorm_host_args args = c.args;
    args.x.data = NULL;
    EXPECT_ERROR(clnorm_forward_host(c.op, 4, &args, NULL, NULL, error), CLNORM_BAD_ARGS, "x is",
                 "NULL");
    args = c.args;
    args.y.data = (char *)c.args.y.data + 1;
    EXPECT_ERROR(clnorm_forward_host(c.op, 3, &args, NULL, NULL, error), CLNORM_BAD_ARGS, "y is at",
                 "aligned to f32");
    args = c.args;
    args.y.data = (char *)(uintptr_t)c.args.x.data + 64;
    EXPECT_ERROR(clnorm_forward_host(c.op, 3, &args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "y overlaps x", "may be x");
    args = c.args;
    args.mean.data = (void *)(uintptr_t)c.args.weight.data;
    EXPECT_ERROR(clnorm_forward_host(c.op, 3, &args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "mean overlaps weight", "must not");
    args = c.args;
    args.x.stride = COLS - 1;
    EXPECT_ERROR(clnorm_forward_host(c.op, 3, &args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "x.stride is 95", "96");
    args = c.args;
    args.dx.data = c.args.y.data;
    EXPECT_ERROR(clnorm_forward_host(c.op, 3, &args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "dx is given", "no use");
    EXPECT_ERROR(clnorm_backward_host(c.op, 3, &c.args, NULL, NULL, error), CLNORM_BAD_ARGS, "y is",
                 "no use");
    args = c.args;
    args.struct_size = 0;
    EXPECT_ERROR(clnorm_forward_host(c.op, 4, &args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "args.struct_size is 0", "not");
    call_close(&c);
}

static void test_a_batch_of_one_has_no_variance(void **state)
{
    clnorm_desc desc = of_channels(CLNORM_BATCH_NORM, COLS, CLNORM_NCHW);
    desc.ddof = 1;
    call c = call_open(*state, &desc, CLNORM_FORWARD, 2);
    EXPECT_ERROR(clnorm_forward_host(c.op, 1, &c.args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "rows is 1", "ddof 1");
    call_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gaps_between_rows_stay),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_one_array_as_two_inputs),
        cmocka_unit_test(test_progress_and_stop),
        cmocka_unit_test(test_a_row_that_does_not_fit),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_arrays_that_cannot_be),
        cmocka_unit_test(test_a_batch_of_one_has_no_variance),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

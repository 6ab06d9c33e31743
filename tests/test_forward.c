/* SPDX-License-Identifier: MIT */
/* clnorm_forward as a guest of the application's queue: events, order, placement, and bits that
 * depend on nothing but the row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "device.h"

static void run(const fixture *f, problem *p, const clnorm_args *args, uint64_t rows)
{
    MUST(clnorm_forward(p->op, f->queue, rows, args, 0, NULL, NULL, error));
    MUST(clFinish(f->queue));
}

static void test_result_is_right(void **state)
{
    const fixture *f = *state;
    problem p = problem_open(f, desc_of(257), 5, "normal");
    run(f, &p, &p.args, p.rows);
    read_back(f, p.args.y.buffer, p.bytes, p.y);
    expect_right(&p);
    problem_close(&p);
}

static void test_mean_of_a_million(void **state)
{
    const fixture *f = *state;
    for (size_t i = 0; i < FORMS; i++) {
        clnorm_desc desc = desc_of(1000);
        desc.form = all_forms[i];
        problem p = problem_open(f, desc, 8, "mean_1e6");
        run(f, &p, &p.args, p.rows);
        read_back(f, p.args.y.buffer, p.bytes, p.y);
        const clnorm_verdict v = expect_right(&p);
        printf("max |error| / (1 + |y|) at mean 1e6: %.2e\n", v.max_scaled_error);
        /* a mean kept as one float is off by 3e-2 here; fast math gives as much */
        assert_true(v.max_scaled_error < 2e-6);
        problem_close(&p);
    }
}

static void test_wait_list_is_waited_for(void **state)
{
    const fixture *f = *state;
    if (is_oclgrind() || is_pocl_basic())
        skip();
    problem p = problem_open(f, desc_of(100), 3, "normal");
    clnorm_args *args = malloc(sizeof(*args));
    cl_int code, state_of_event;
    cl_event gate = clCreateUserEvent(f->cl, &code), done = NULL;
    MUST(code);
    *args = p.args;
    MUST(clnorm_forward(p.op, f->queue, p.rows, args, 1, &gate, &done, error));
    memset(args, 0xff, sizeof(*args)); /* nothing of the caller's may be needed any more */
    free(args);
    MUST(clFlush(f->queue));
    MUST(clGetEventInfo(done, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(state_of_event),
                        &state_of_event, NULL));
    assert_int_not_equal(state_of_event, CL_COMPLETE);
    MUST(clSetUserEventStatus(gate, CL_COMPLETE));
    MUST(clWaitForEvents(1, &done));
    read_back(f, p.args.y.buffer, p.bytes, p.y);
    expect_right(&p);
    clReleaseEvent(gate);
    clReleaseEvent(done);
    problem_close(&p);
}

static void test_out_of_order_queue_by_events(void **state)
{
    const fixture *f = *state;
    const cl_command_queue queue = out_of_order_queue(f);
    if (!queue)
        skip();
    problem p = problem_open(f, desc_of(640), 9, "normal");
    cl_mem middle = buffer_of(f, CL_MEM_READ_WRITE, p.bytes, NULL);
    clnorm_args first = p.args, second = p.args;
    const cl_event ready = after_writes(f);
    cl_event events[2];
    first.y.buffer = second.x.buffer = middle;
    MUST(clnorm_forward(p.op, queue, p.rows, &first, 1, &ready, &events[0], error));
    MUST(clnorm_forward(p.op, queue, p.rows, &second, 1, &events[0], &events[1], error));
    MUST(clWaitForEvents(1, &events[1]));
    read_back(f, middle, p.bytes, p.x); /* the second call's input */
    read_back(f, p.args.y.buffer, p.bytes, p.y);
    expect_right(&p);
    clReleaseEvent(ready);
    clReleaseEvent(events[0]);
    clReleaseEvent(events[1]);
    clReleaseMemObject(middle);
    clReleaseCommandQueue(queue);
    problem_close(&p);
}

static void test_zero_rows_give_an_event(void **state)
{
    const fixture *f = *state;
    problem p = problem_open(f, desc_of(33), 1, "normal");
    cl_event done = NULL;
    float y[33], before[33];
    memcpy(before, p.y, sizeof(before));
    MUST(clnorm_forward(p.op, f->queue, 0, &p.args, 0, NULL, &done, error));
    assert_non_null(done);
    MUST(clWaitForEvents(1, &done));
    read_back(f, p.args.y.buffer, sizeof(y), y);
    assert_memory_equal(y, before, sizeof(y));
    clReleaseEvent(done);
    problem_close(&p);
}

static void expect_same_in_place(const fixture *f, const char *input, clnorm_form form)
{
    clnorm_desc desc = desc_of(1001);
    desc.form = form;
    problem p = problem_open(f, desc, 6, input);
    float *in_place = malloc(p.bytes);
    clnorm_args args = p.args;
    run(f, &p, &p.args, p.rows);
    read_back(f, p.args.y.buffer, p.bytes, p.y);
    args.x.buffer = args.y.buffer = buffer_of(f, CL_MEM_READ_WRITE, p.bytes, p.x);
    run(f, &p, &args, p.rows);
    read_back(f, args.y.buffer, p.bytes, in_place);
    assert_memory_equal(p.y, in_place, p.bytes);
    clReleaseMemObject(args.x.buffer);
    free(in_place);
    problem_close(&p);
}

/* Rows out of range are read once more, by every work-item of a group for itself. */
static void test_in_place_gives_the_same_bits(void **state)
{
    static const char *const inputs[] = {"mean_1e4", "huge"};
    for (size_t i = 0; i < 2 * FORMS; i++)
        expect_same_in_place(*state, inputs[i / FORMS], all_forms[i % FORMS]);
}

/* x in the left half of a wide matrix, y in the right half. */
static void test_halves_of_one_matrix(void **state)
{
    const fixture *f = *state;
    enum { ROWS = 5, COLS = 70 };
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    float wide[ROWS][2 * COLS];
    for (size_t row = 0; row < ROWS; row++) {
        memcpy(wide[row], p.x + row * COLS, COLS * sizeof(float));
        memset(wide[row] + COLS, 0x5a, COLS * sizeof(float));
    }
    clnorm_args args = p.args;
    args.x.buffer = args.y.buffer = buffer_of(f, CL_MEM_READ_WRITE, sizeof(wide), wide);
    args.x.stride = args.y.stride = 2 * COLS;
    args.y.offset = COLS;
    run(f, &p, &args, ROWS);
    read_back(f, args.x.buffer, sizeof(wide), wide);
    for (size_t row = 0; row < ROWS; row++) {
        assert_memory_equal(wide[row], p.x + row * COLS, COLS * sizeof(float));
        memcpy(p.y + row * COLS, wide[row] + COLS, COLS * sizeof(float));
    }
    expect_right(&p);
    clReleaseMemObject(args.x.buffer);
    problem_close(&p);
}

static void test_bits_of_a_row_are_its_own(void **state)
{
    const fixture *f = *state;
    problem p = problem_open(f, desc_of(300), 41, "mean_1e3");
    const size_t row_bytes = (size_t)p.desc.cols * sizeof(float);
    float alone[300];
    run(f, &p, &p.args, p.rows);
    read_back(f, p.args.y.buffer, p.bytes, p.y);
    cl_mem y = buffer_of(f, CL_MEM_READ_WRITE, row_bytes, NULL);
    for (uint64_t row = 0; row < p.rows; row += 13) {
        clnorm_args args = p.args;
        args.x.offset = row * p.desc.cols;
        args.y.buffer = y;
        run(f, &p, &args, 1);
        read_back(f, y, row_bytes, alone);
        assert_memory_equal(p.y + row * p.desc.cols, alone, row_bytes);
    }
    clReleaseMemObject(y);
    problem_close(&p);
}

static void test_statistics_do_not_change_bits(void **state)
{
    const fixture *f = *state;
    problem p = problem_open(f, desc_of(129), 4, "normal");
    float *with = malloc(p.bytes);
    clnorm_args args = p.args;
    run(f, &p, &p.args, p.rows);
    read_back(f, p.args.y.buffer, p.bytes, p.y);
    args.mean.buffer = buffer_of(f, CL_MEM_WRITE_ONLY, 4 * sizeof(float), NULL);
    args.rstd.buffer = buffer_of(f, CL_MEM_WRITE_ONLY, 4 * sizeof(float), NULL);
    run(f, &p, &args, p.rows);
    read_back(f, p.args.y.buffer, p.bytes, with);
    assert_memory_equal(p.y, with, p.bytes);
    clReleaseMemObject(args.mean.buffer);
    clReleaseMemObject(args.rstd.buffer);
    free(with);
    problem_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_result_is_right),
        cmocka_unit_test(test_mean_of_a_million),
        cmocka_unit_test(test_wait_list_is_waited_for),
        cmocka_unit_test(test_out_of_order_queue_by_events),
        cmocka_unit_test(test_zero_rows_give_an_event),
        cmocka_unit_test(test_in_place_gives_the_same_bits),
        cmocka_unit_test(test_halves_of_one_matrix),
        cmocka_unit_test(test_bits_of_a_row_are_its_own),
        cmocka_unit_test(test_statistics_do_not_change_bits),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

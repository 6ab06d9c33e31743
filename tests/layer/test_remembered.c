/* SPDX-License-Identifier: MIT */
/* What an op remembers of queues and buffers is never stale, and forgotten when they are gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <threads.h>

#include "../device.h"
#include "counted.h"
#include "loaded.h"

enum { THREADS = 4 };

/* ---- buffers and queues -------------------------------------------------------------------- */

/* y in a buffer that fits and is destroyed, then in a smaller one that has its handle, or in turn.
 * A driver may keep the last buffers of a kernel, so that a handle comes back later. */
static void expect_no_stale_size(const fixture *f, const problem *p, bool parts)
{
    enum { SMALL = 64, TRIES = 300 };
    clnorm_args args = p->args;
    cl_mem whole = matrix_of(f), small = NULL;
    int reused = 0;
    for (int i = 0; i < TRIES; i++) {
        cl_mem large = parts ? part_of(whole, ROWS * COLS * 4) : matrix_of(f);
        args.y.buffer = large;
        reused += large == small;
        MUST(clnorm_forward(p->op, f->queue, ROWS, &args, 0, NULL, NULL, error));
        MUST(clFinish(f->queue));
        clReleaseMemObject(large);
        args.y.buffer = small = parts ? part_of(whole, SMALL) : buffer_of(f, 0, SMALL, NULL);
        reused += small == large;
        EXPECT_ERROR(clnorm_forward(p->op, f->queue, ROWS, &args, 0, NULL, NULL, error),
                     CLNORM_BAD_ARGS, "y:", "64 bytes");
        clReleaseMemObject(small);
    }
    clReleaseMemObject(whole);
    printf("%d of %d handles were used again\n", reused, 2 * TRIES);
}

static void test_a_handle_that_is_used_again(void **state)
{
    const fixture *f = *state;
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    expect_no_stale_size(f, &p, false);
    expect_no_stale_size(f, &p, true);
    problem_close(&p);
}

/* No more allocations than before. A driver may tell of a buffer's end from a thread of its own, a
 * little later; there may also be fewer, as it does so of buffers of the tests before. */
static void expect_live(long before)
{
    for (int i = 0; i < 2000 && live > before; i++)
        thrd_sleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (live > before)
        fail_msg("%ld allocations, %ld before", (long)live, before);
}

static void test_buffers_are_forgotten(void **state)
{
    const fixture *f = *state;
    const long before = live;
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    clnorm_args args = p.args;
    for (int i = 0; i < 1000; i++) {
        args.y.buffer = matrix_of(f);
        MUST(clnorm_forward(p.op, f->queue, 1, &args, 0, NULL, NULL, error));
        MUST(clFinish(f->queue));
        clReleaseMemObject(args.y.buffer);
    }
    problem_close(&p);
    expect_live(before);
}

static void test_buffers_and_queue_outlive_the_context(void **state)
{
    const fixture *f = *state;
    const struct layer *layer = layer_find();
    clnorm_context *context = NULL;
    clnorm_op *op = NULL;
    const long at_first = live;
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    const long before = live;
    layer->reset();
    MUST(clnorm_context_wrap(f->cl, f->device, NULL, NULL, &context, error));
    MUST(clnorm_context_set_self_test(context, CLNORM_SELF_TEST_OFF, error)); /* has a queue */
    MUST(clnorm_op_create(context, &p.desc, &op, error));
    MUST(clnorm_forward(op, f->queue, ROWS, &p.args, 0, NULL, NULL, error));
    MUST(clFinish(f->queue));
    clnorm_op_destroy(op);
    clnorm_context_destroy(context);
    assert_true(live > before); /* what waits for the end of the buffers */
    assert_int_equal(layer->calls("clRetainCommandQueue"), 1);
    assert_int_equal(layer->calls("clReleaseCommandQueue"), 1);
    const clnorm_tensor gone = p.args.y;
    clReleaseMemObject(gone.buffer);
    p.args.y.buffer = matrix_of(f);
    MUST(clnorm_forward(p.op, f->queue, ROWS, &p.args, 0, NULL, NULL, error));
    read_back(f, p.args.y.buffer, p.bytes, p.y);
    expect_right(&p);
    problem_close(&p);
    expect_live(at_first);
}

/* More than are remembered, in turns, in-order and out-of-order ones. */
static void test_many_queues(void **state)
{
    const fixture *f = *state;
    enum { QUEUES = 20 };
    cl_command_queue queues[QUEUES];
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    clnorm_args args = CLNORM_ARGS_INIT;
    clnorm_tensor *const tensors[] = {&args.x, &args.dy, &args.dbias};
    give(f, tensors, COUNT(tensors));
    for (int i = 0; i < QUEUES; i++) {
        cl_int code;
        queues[i] = i % 2 ? out_of_order_queue(f) : NULL;
        const bool out_of_order = queues[i] != NULL;
        if (!out_of_order)
            queues[i] = clCreateCommandQueue(f->cl, f->device, 0, &code);
        for (int k = 0; k < 2; k++) {
            clnorm_error text = {.text = ""};
            const clnorm_status status =
                clnorm_backward(p.op, queues[i], ROWS, &args, 0, NULL, NULL, &text);
            if (status != (out_of_order ? CLNORM_BAD_ARGS : CLNORM_OK))
                fail_msg("queue %d, call %d: %s %s", i, k, clnorm_status_name(status), text.text);
        }
        MUST(clFinish(queues[i]));
        clReleaseCommandQueue(queues[i]);
    }
    take(tensors, COUNT(tensors));
    problem_close(&p);
}

/* ---- threads ------------------------------------------------------------------------------- */

typedef struct {
    const fixture *f;
    const problem *p;
    cl_event ready;
    int failed, wrong;
} worker;

static void *work(void *user)
{
    worker *w = user;
    const fixture *f = w->f;
    float y[ROWS * COLS];
    cl_int code;
    cl_command_queue queue = clCreateCommandQueue(f->cl, f->device, 0, &code);
    for (int i = 0; i < 100; i++) {
        clnorm_args args = w->p->args;
        args.y.buffer = clCreateBuffer(f->cl, CL_MEM_READ_WRITE, sizeof(y), NULL, &code);
        w->failed += clnorm_forward(w->p->op, queue, ROWS, &args, 1, &w->ready, NULL, NULL) != 0;
        w->failed +=
            clEnqueueReadBuffer(queue, args.y.buffer, CL_TRUE, 0, sizeof(y), y, 0, NULL, NULL) != 0;
        w->wrong += memcmp(y, w->p->y, sizeof(y)) != 0;
        clReleaseMemObject(args.y.buffer);
    }
    clReleaseCommandQueue(queue);
    return NULL;
}

/* Not on Oclgrind: see test_threads.c. */
static void test_buffers_come_and_go_in_threads(void **state)
{
    const fixture *f = *state;
    pthread_t threads[THREADS];
    worker workers[THREADS];
    if (is_oclgrind())
        skip();
    const long before = live;
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    MUST(clnorm_forward(p.op, f->queue, ROWS, &p.args, 0, NULL, NULL, error));
    read_back(f, p.args.y.buffer, p.bytes, p.y);
    expect_right(&p);
    cl_event ready = after_writes(f);
    MUST(clFinish(f->queue));
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.f = f, .p = &p, .ready = ready};
        MUST(pthread_create(&threads[i], NULL, work, &workers[i]));
    }
    for (int i = 0; i < THREADS; i++) {
        MUST(pthread_join(threads[i], NULL));
        if (workers[i].failed || workers[i].wrong)
            fail_msg("thread %d: %d calls failed, %d results wrong", i, workers[i].failed,
                     workers[i].wrong);
    }
    clReleaseEvent(ready);
    problem_close(&p);
    expect_live(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_handle_that_is_used_again),
        cmocka_unit_test(test_buffers_are_forgotten),
        cmocka_unit_test(test_buffers_and_queue_outlive_the_context),
        cmocka_unit_test(test_many_queues),
        cmocka_unit_test(test_buffers_come_and_go_in_threads),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

/* SPDX-License-Identifier: MIT */
/* One op in several threads: a kernel object that two threads share gives wrong results.
 * Not on Oclgrind: it counts the references to its objects, and reads its modules, without a lock,
 * and dies in threads that only create and release kernels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "device.h"

enum { THREADS = 4, RUNS = 60, ROWS = 3, COLS = 200 };

typedef struct {
    const fixture *f;
    const problem *p;
    int number, wrong, failed;
} worker;

/* Each thread has its own output and queue, and another row count in every run. */
static void *work(void *user)
{
    worker *w = user;
    const size_t bytes = w->p->bytes;
    cl_int code;
    float y[ROWS * COLS];
    cl_command_queue queue = clCreateCommandQueue(w->f->cl, w->f->device, 0, &code);
    cl_mem out = clCreateBuffer(w->f->cl, CL_MEM_READ_WRITE, bytes, NULL, &code);
    for (int i = 0; i < RUNS; i++) {
        clnorm_args args = w->p->args;
        const uint64_t rows = 1 + (uint64_t)i % ROWS;
        args.y.buffer = out;
        w->failed += clnorm_forward(w->p->op, queue, rows, &args, 0, NULL, NULL, NULL) != CLNORM_OK;
        w->failed +=
            clEnqueueReadBuffer(queue, out, CL_TRUE, 0, bytes, y, 0, NULL, NULL) != CL_SUCCESS;
        w->wrong += memcmp(y, w->p->y, (size_t)rows * COLS * sizeof(float)) != 0;
    }
    clReleaseMemObject(out);
    clReleaseCommandQueue(queue);
    return NULL;
}

/* `task` in all threads at once, each with a worker of its own. */
static void run_threads(const fixture *f, const problem *p, void *(*task)(void *))
{
    pthread_t threads[THREADS];
    worker workers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.f = f, .p = p, .number = i};
        MUST(pthread_create(&threads[i], NULL, task, &workers[i]));
    }
    for (int i = 0; i < THREADS; i++) {
        MUST(pthread_join(threads[i], NULL));
        if (workers[i].wrong || workers[i].failed)
            fail_msg("thread %d, %d runs: %d results wrong, %d calls failed", i, RUNS,
                     workers[i].wrong, workers[i].failed);
    }
}

static void test_one_op_in_many_threads(void **state)
{
    const fixture *f = *state;
    if (is_oclgrind())
        skip();
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    MUST(clnorm_forward(p.op, f->queue, ROWS, &p.args, 0, NULL, NULL, error));
    read_back(f, p.args.y.buffer, p.bytes, p.y);
    expect_right(&p);
    run_threads(f, &p, work);
    problem_close(&p);
}

/* The kernels of a call share the op's workspace for the queue with those of the others. */
static void *add_up(void *user)
{
    worker *w = user;
    const fixture *f = w->f;
    static const float values[THREADS] = {1, 2, 4, 8};
    const float value = values[w->number];
    float dy[ROWS * COLS], dbias[COLS];
    for (int i = 0; i < ROWS * COLS; i++)
        dy[i] = value;
    clnorm_args args = w->p->args;
    args.y.buffer = NULL;
    args.dy.buffer = buffer_of(f, CL_MEM_READ_ONLY, sizeof(dy), dy);
    args.dbias.buffer = buffer_of(f, CL_MEM_READ_WRITE, sizeof(dbias), NULL);
    for (int i = 0; i < RUNS; i++) {
        w->failed += clnorm_backward(w->p->op, f->queue, ROWS, &args, 0, NULL, NULL, NULL) != 0;
        read_back(f, args.dbias.buffer, sizeof(dbias), dbias);
        for (int c = 0; c < COLS; c++)
            w->wrong += dbias[c] != ROWS * value;
    }
    clReleaseMemObject(args.dy.buffer);
    clReleaseMemObject(args.dbias.buffer);
    return NULL;
}

/* PoCL's basic driver, which runs commands where they are enqueued, waits there for itself when
 * threads share a queue. */
static void test_gradients_in_many_threads_on_one_queue(void **state)
{
    const fixture *f = *state;
    if (is_oclgrind() || is_pocl_basic())
        skip();
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    run_threads(f, &p, add_up);
    problem_close(&p);
}

static void *create(void *user)
{
    worker *w = user;
    const clnorm_desc desc = desc_of(77);
    for (int i = 0; i < RUNS; i++) {
        clnorm_op *op = NULL;
        w->failed += clnorm_op_create(w->f->context, &desc, &op, NULL) != CLNORM_OK;
        clnorm_op_destroy(op);
    }
    return NULL;
}

static void test_ops_made_in_many_threads(void **state)
{
    const fixture *f = *state;
    if (is_oclgrind())
        skip();
    run_threads(f, NULL, create);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_op_in_many_threads),
        cmocka_unit_test(test_gradients_in_many_threads_on_one_queue),
        cmocka_unit_test(test_ops_made_in_many_threads),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

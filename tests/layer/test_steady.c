/* SPDX-License-Identifier: MIT */
/* From its second call on, an op of the same queue and buffers asks, allocates and builds nothing;
 * and what it remembers of them is never stale. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <threads.h>

#include "../device.h"
#include "loaded.h"
#include "ops/op.h"
#include "ops/tensors.h"

enum { ROWS = 5, COLS = 40, THREADS = 4 };

/* ---- the allocations of this program, which has the library in it (--wrap of the linker) --- */

static atomic_long allocations, live;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void __real_free(void *p);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
void __wrap_free(void *p);

static void *counted(void *p)
{
    allocations++;
    live += p != NULL;
    return p;
}

void *__wrap_malloc(size_t bytes) { return counted(__real_malloc(bytes)); }
void *__wrap_calloc(size_t count, size_t bytes) { return counted(__real_calloc(count, bytes)); }

void *__wrap_realloc(void *old, size_t bytes)
{
    live -= old != NULL;
    return counted(__real_realloc(old, bytes));
}

void __wrap_free(void *p)
{
    live -= p != NULL;
    __real_free(p);
}

/* ---- calls --------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    clnorm_direction direction;
    clnorm_op *op;
    cl_command_queue queue;
    const clnorm_args *args;
    unsigned long launches, events; /* that are wanted, and released: of calls without an event */
} call;

static void run(const call *c)
{
    MUST((c->direction == CLNORM_FORWARD ? clnorm_forward : clnorm_backward)(
        c->op, c->queue, ROWS, c->args, 0, NULL, NULL, error));
}

/* Buffers alone: in both kernels of a backward pass, which have a workspace as well. */
static unsigned long most_arguments(const call *c)
{
    bool given[TENSOR_COUNT];
    unsigned long buffers = 1;
    clnorm_args_given(c->args, given);
    for (int i = 0; i < TENSOR_COUNT; i++)
        buffers += given[i];
    return c->launches * buffers;
}

/* Nothing but arguments and launches in the second call and the third, and as much in both. */
static void expect_steady(const call *c)
{
    const struct layer *layer = layer_find();
    unsigned long arguments[2];
    run(c);
    for (int i = 0; i < 2; i++) {
        MUST(clFinish(c->queue));
        layer->reset();
        allocations = 0;
        run(c);
        const unsigned long launches = layer->calls("clEnqueueNDRangeKernel");
        const unsigned long events = layer->calls("clReleaseEvent");
        const long allocated = allocations;
        arguments[i] = layer->calls("clSetKernelArg");
        if (allocated || launches != c->launches || events != c->events ||
            layer->all_calls() != arguments[i] + launches + events) {
            layer->print();
            fail_msg("%s: %ld allocations, and the calls above; wanted are 0, %lu launches, %lu "
                     "events released, and arguments",
                     c->name, allocated, c->launches, c->events);
        }
    }
    assert_int_equal(arguments[0], arguments[1]);
    assert_in_range(arguments[0], 1, most_arguments(c));
    MUST(clFinish(c->queue));
}

static cl_mem matrix_of(const fixture *f)
{
    return buffer_of(f, CL_MEM_READ_WRITE, ROWS * COLS * 4, NULL);
}

/* Every gradient that args name has a buffer of ROWS x COLS. */
static void give(const fixture *f, clnorm_tensor *const *tensors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tensors[i]->buffer = matrix_of(f);
        MUST(clEnqueueWriteBuffer(f->queue, tensors[i]->buffer, CL_TRUE, 0, ROWS * COLS * 4,
                                  (float[ROWS * COLS]){0}, 0, NULL, NULL));
    }
}

static void take(clnorm_tensor *const *tensors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        clReleaseMemObject(tensors[i]->buffer);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_forward(void **state)
{
    const fixture *f = *state;
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    clnorm_args args = p.args;
    clnorm_tensor *const statistics[] = {&args.mean, &args.rstd};
    give(f, statistics, COUNT(statistics));
    expect_steady(&(call){"forward", CLNORM_FORWARD, p.op, f->queue, &args, 1, 0});
    expect_steady(&(call){"forward, no statistics", CLNORM_FORWARD, p.op, f->queue, &p.args, 1, 0});
    take(statistics, COUNT(statistics));
    problem_close(&p);
}

static void test_backward(void **state)
{
    const fixture *f = *state;
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    clnorm_args args = CLNORM_ARGS_INIT;
    clnorm_tensor *const tensors[] = {&args.x,  &args.dy,      &args.weight,
                                      &args.dx, &args.dweight, &args.dbias};
    give(f, tensors, COUNT(tensors));
    args.workspace.offset = (uint64_t)1 << 40; /* of no buffer: it is not looked at */
    expect_steady(&(call){"backward", CLNORM_BACKWARD, p.op, f->queue, &args, 2, 0});
    args.workspace.offset = 0;
    clnorm_args only_dx = args;
    only_dx.dweight.buffer = only_dx.dbias.buffer = NULL;
    expect_steady(&(call){"backward, dx only", CLNORM_BACKWARD, p.op, f->queue, &only_dx, 1, 0});
    cl_command_queue queue = out_of_order_queue(f);
    if (queue) {
        size_t bytes = 0;
        MUST(clnorm_op_workspace(p.op, CLNORM_BACKWARD, ROWS, &bytes, error));
        args.workspace.buffer = buffer_of(f, CL_MEM_READ_WRITE, bytes, NULL);
        expect_steady(&(call){"backward, out-of-order", CLNORM_BACKWARD, p.op, queue, &args, 2, 1});
        clReleaseMemObject(args.workspace.buffer);
        clReleaseCommandQueue(queue);
    }
    take(tensors, COUNT(tensors));
    problem_close(&p);
}

/* Six gradients, of which three are sums over the rows of each mod, and three over all rows. */
static void test_backward_with_all_gradients(void **state)
{
    const fixture *f = *state;
    clnorm_desc desc = desc_of(COLS);
    desc.inputs =
        CLNORM_WITH_RESIDUAL | CLNORM_WITH_X_BIAS | CLNORM_WITH_GATE | CLNORM_WITH_MODULATION;
    desc.rows_per_mod = 2;
    clnorm_op *op = NULL;
    MUST(clnorm_op_create(f->context, &desc, &op, error));
    clnorm_args args = CLNORM_ARGS_INIT;
    clnorm_tensor *const tensors[] = {
        &args.x,      &args.residual, &args.x_bias, &args.gate,      &args.scale,  &args.shift,
        &args.weight, &args.bias,     &args.dy,     &args.dx,        &args.dgate,  &args.dscale,
        &args.dshift, &args.dweight,  &args.dbias,  &args.dresidual, &args.dx_bias};
    give(f, tensors, COUNT(tensors));
    expect_steady(&(call){"backward, six gradients", CLNORM_BACKWARD, op, f->queue, &args, 2, 0});
    take(tensors, COUNT(tensors));
    clnorm_op_destroy(op);
}

/* Rows whose parts groups share: their statistics first. */
static void test_shared_rows(void **state)
{
    const fixture *f = *state;
    clnorm_desc desc = desc_of(70001);
    desc.form = CLNORM_FORM_SEQUENTIAL;
    if (is_oclgrind() || is_on("rusticl"))
        skip();
    problem p = problem_open(f, desc, ROWS, "normal");
    size_t bytes = 0;
    p.op->geometry.slots = 2 * ROWS; /* on any device */
    MUST(clnorm_op_workspace(p.op, CLNORM_FORWARD, ROWS, &bytes, error));
    assert_true(bytes > 0);
    expect_steady(&(call){"forward, shared rows", CLNORM_FORWARD, p.op, f->queue, &p.args, 2, 0});
    cl_command_queue queue = out_of_order_queue(f);
    if (queue) {
        clnorm_args args = p.args;
        expect_steady(&(call){"forward, out-of-order", CLNORM_FORWARD, p.op, queue, &args, 1, 0});
        args.workspace.buffer = buffer_of(f, CL_MEM_READ_WRITE, bytes, NULL);
        expect_steady(&(call){"forward, events", CLNORM_FORWARD, p.op, queue, &args, 2, 1});
        clReleaseMemObject(args.workspace.buffer);
        clReleaseCommandQueue(queue);
    }
    problem_close(&p);
}

static cl_mem part_of(cl_mem whole, size_t bytes)
{
    const cl_buffer_region region = {0, bytes};
    cl_int code;
    cl_mem part = clCreateSubBuffer(whole, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    MUST(code);
    return part;
}

static void test_sub_buffers(void **state)
{
    const fixture *f = *state;
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    clnorm_args args = p.args;
    args.y.buffer = part_of(p.args.y.buffer, p.bytes);
    expect_steady(&(call){"forward, sub-buffer", CLNORM_FORWARD, p.op, f->queue, &args, 1, 0});
    clReleaseMemObject(args.y.buffer);
    problem_close(&p);
}

/* ---- nothing is stale ---------------------------------------------------------------------- */

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
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_backward),
        cmocka_unit_test(test_shared_rows),
        cmocka_unit_test(test_backward_with_all_gradients),
        cmocka_unit_test(test_sub_buffers),
        cmocka_unit_test(test_a_handle_that_is_used_again),
        cmocka_unit_test(test_buffers_are_forgotten),
        cmocka_unit_test(test_buffers_and_queue_outlive_the_context),
        cmocka_unit_test(test_many_queues),
        cmocka_unit_test(test_buffers_come_and_go_in_threads),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

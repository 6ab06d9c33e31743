/* SPDX-License-Identifier: MIT */
/* Calls of recurrent nets: the same bits whatever the queue, threads, calls that are refused, and
 * what CLBlast compiles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "recurrent_device.h"

#include "ops/gemm/clblast.h"

/* ---- the same bits ------------------------------------------------------------------------- */

enum { FEATURES = 6, HIDDEN = 20, STEPS = 5, BATCH = 7 };

static device_net lstm_open(const fixture *f)
{
    clnorm_recurrent_desc desc = CLNORM_RECURRENT_DESC_INIT;
    const net n = net_make(&desc, FEATURES, HIDDEN, STEPS, BATCH, NULL, 5);
    return device_net_open(f, &n, WITH_ALL, CLNORM_FORM_AUTO);
}

static void run_both(const device_net *d, cl_command_queue queue)
{
    run(d, CLNORM_FORWARD, queue);
    run(d, CLNORM_BACKWARD, queue);
}

/* As d->got is now. */
static void copy_results(const device_net *d, float *to[RECURRENT_COUNT])
{
    for (int id = 0; id < RECURRENT_COUNT; id++) {
        const size_t bytes = d->got[id] ? net_count(&d->n, id) * sizeof(float) : 0;
        to[id] = bytes ? malloc(bytes) : NULL;
        if (bytes)
            memcpy(to[id], d->got[id], bytes);
    }
}

static void free_results(float *results[RECURRENT_COUNT])
{
    for (int id = 0; id < RECURRENT_COUNT; id++)
        free(results[id]);
}

static int first_other(const device_net *d, float *const expected[RECURRENT_COUNT])
{
    for (int id = 0; id < RECURRENT_COUNT; id++)
        if (d->got[id] && memcmp(d->got[id], expected[id], net_count(&d->n, id) * sizeof(float)))
            return id;
    return RECURRENT_COUNT;
}

static void expect_bits(const device_net *d, float *const expected[RECURRENT_COUNT], const char *of)
{
    const int id = first_other(d, expected);
    if (id < RECURRENT_COUNT)
        fail_msg("%s has other bits %s", clnorm_recurrent_tensor_name((clnorm_recurrent_id)id), of);
}

static void test_bits_are_the_same_again(void **state)
{
    const fixture *f = *state;
    float *expected[RECURRENT_COUNT];
    device_net d = lstm_open(f);
    cl_command_queue unordered = out_of_order_queue(f);
    run_both(&d, f->queue);
    copy_results(&d, expected);
    run_both(&d, f->queue);
    expect_bits(&d, expected, "in a second run");
    if (unordered) {
        run_both(&d, unordered);
        expect_bits(&d, expected, "on an out-of-order queue");
        clReleaseCommandQueue(unordered);
    }
    free_results(expected);
    device_net_close(&d);
}

/* Its products of h and states of c are in the workspace then. */
static void test_forward_alone_has_the_bits_of_forward_that_saves(void **state)
{
    const fixture *f = *state;
    float *expected[RECURRENT_COUNT];
    device_net d = lstm_open(f);
    run_both(&d, f->queue);
    copy_results(&d, expected);
    clnorm_recurrent_args args = args_of(&d, CLNORM_FORWARD);
    args.saved = (clnorm_tensor){NULL, 0, 0};
    enqueue(&d, CLNORM_FORWARD, &args, f->queue);
    read_results(&d, CLNORM_FORWARD, d.got);
    expect_bits(&d, expected, "without saved");
    free_results(expected);
    device_net_close(&d);
}

/* ---- threads ------------------------------------------------------------------------------- */

enum { THREADS = 2, RUNS = 8 };

typedef struct {
    const device_net *shared;
    float *const *expected;
    int wrong;
} worker;

/* An op of all threads; queue, outputs and workspace are its own. */
static void *work(void *user)
{
    worker *w = user;
    cl_int code;
    fixture f = *w->shared->f;
    f.queue = clCreateCommandQueue(f.cl, f.device, 0, &code);
    device_net own = lstm_open(&f);
    clnorm_recurrent *const unused = own.op;
    own.op = w->shared->op;
    for (int i = 0; i < RUNS; i++) {
        run_both(&own, f.queue);
        w->wrong += first_other(&own, w->expected) < RECURRENT_COUNT;
    }
    own.op = unused;
    device_net_close(&own);
    clReleaseCommandQueue(f.queue);
    return NULL;
}

static void test_an_op_runs_in_several_threads(void **state)
{
    if (is_oclgrind()) /* it dies in threads that only create and release kernels */
        skip();
    float *expected[RECURRENT_COUNT];
    device_net d = lstm_open(*state);
    pthread_t threads[THREADS];
    worker workers[THREADS];
    run_both(&d, d.f->queue);
    copy_results(&d, expected);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){&d, expected, 0};
        MUST(pthread_create(&threads[i], NULL, work, &workers[i]));
    }
    for (int i = 0; i < THREADS; i++) {
        MUST(pthread_join(threads[i], NULL));
        if (workers[i].wrong)
            fail_msg("thread %d: %d of %d runs have other bits", i, workers[i].wrong, RUNS);
    }
    free_results(expected);
    device_net_close(&d);
}

/* ---- calls that are refused ---------------------------------------------------------------- */

typedef struct {
    const char *word, *other;
    void (*spoil)(clnorm_recurrent_args *args);
} mistake;

static void drop_y(clnorm_recurrent_args *args) { args->y.buffer = NULL; }
static void drop_workspace(clnorm_recurrent_args *args) { args->workspace.buffer = NULL; }
static void drop_saved(clnorm_recurrent_args *args) { args->saved.buffer = NULL; }
static void shift_workspace(clnorm_recurrent_args *args) { args->workspace.offset += 8; }
static void move_saved(clnorm_recurrent_args *args) { args->saved.offset += 64; }
static void stretch_x(clnorm_recurrent_args *args) { args->x.stride = FEATURES + 1; }
static void move_x(clnorm_recurrent_args *args) { args->x.offset++; }
static void give_weight(clnorm_recurrent_args *args) { args->weight = args->weight_c; }
static void join_dx_and_x(clnorm_recurrent_args *args) { args->dx = args->x; }
static void join_saved_and_dx(clnorm_recurrent_args *args) { args->dx = args->saved; }
static void forget_size(clnorm_recurrent_args *args) { args->struct_size = 0; }

static const mistake mistakes[] = {
    {"y is NULL", "needs it", drop_y},
    {"workspace.buffer is NULL", "bytes", drop_workspace},
    {"saved.buffer is NULL", "bytes", drop_saved},
    {"workspace", "multiple of 64", shift_workspace},
    {"saved", "behind it", move_saved},
    {"x.stride is 7", "allowed are 0 and 6", stretch_x},
    {"x: 35 rows of 6", "do not fit", move_x},
    {"weight is given", "lstm", give_weight},
    {"dx", "overlaps x", join_dx_and_x},
    {"dx", "overlaps", join_saved_and_dx},
    {"struct_size", "CLNORM_RECURRENT_ARGS_INIT", forget_size},
};

/* Nothing is enqueued, and the event stays as it is. */
static void test_bad_calls_are_refused(void **state)
{
    const fixture *f = *state;
    device_net d = lstm_open(f);
    const uint32_t long_ones[BATCH] = {STEPS, STEPS, STEPS + 1};
    cl_event event = NULL;
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        clnorm_recurrent_args args = args_of(&d, CLNORM_BACKWARD);
        mistakes[i].spoil(&args);
        EXPECT_ERROR(
            clnorm_recurrent_backward(d.op, f->queue, STEPS, BATCH, &args, 0, NULL, &event, error),
            CLNORM_BAD_ARGS, mistakes[i].word, mistakes[i].other);
        assert_null(event);
    }
    clnorm_recurrent_args args = args_of(&d, CLNORM_FORWARD);
    EXPECT_ERROR(clnorm_recurrent_forward(d.op, f->queue, 0, BATCH, &args, 0, NULL, &event, error),
                 CLNORM_BAD_ARGS, "steps is 0", "");
    args.lengths = long_ones;
    EXPECT_ERROR(
        clnorm_recurrent_forward(d.op, f->queue, STEPS, BATCH, &args, 0, NULL, &event, error),
        CLNORM_BAD_ARGS, "lengths[2] is 6", "0 to steps, 5");
    device_net_close(&d);
}

/* ---- CLBlast ------------------------------------------------------------------------------- */

typedef struct {
    unsigned calls, all, stop_at;
} progress;

static int count_progress(void *user, unsigned done, unsigned all, const char *what)
{
    progress *p = user;
    assert_int_equal(done, p->calls);
    assert_int_equal(done == all, *what == '\0');
    p->calls++;
    p->all = all;
    return done == p->stop_at;
}

/* In the order of a user: compiled, in use, dropped, in use. */
static void test_products_are_compiled_ahead(void **state)
{
    const fixture *f = *state;
    float *expected[RECURRENT_COUNT];
    device_net d = lstm_open(f);
    progress p = {0, 0, 1000}, stopped = {0, 0, 2};
    MUST(clnorm_recurrent_warm_up(d.op, f->queue, STEPS, BATCH, count_progress, &p, error));
    assert_int_equal(p.all, 7);
    assert_int_equal(p.calls, 8);
    EXPECT_ERROR(
        clnorm_recurrent_warm_up(d.op, f->queue, STEPS, BATCH, count_progress, &stopped, error),
        CLNORM_CANCELLED, "progress", "");
    assert_int_equal(stopped.calls, 3);
    run_both(&d, f->queue);
    copy_results(&d, expected);
    if (is_on("intel-cpu")) { /* where compiling again is quick */
        MUST(clnorm_recurrent_clear_cache(error));
        run_both(&d, f->queue);
        expect_bits(&d, expected, "after clnorm_recurrent_clear_cache");
    }
    free_results(expected);
    device_net_close(&d);
}

/* A library that was built without it says so at once. */
static void test_without_clblast_nothing_is_made(void **state)
{
    const fixture *f = *state;
    clnorm_recurrent_desc desc = CLNORM_RECURRENT_DESC_INIT;
    clnorm_recurrent *op = NULL;
    desc.features = desc.hidden = 8;
    EXPECT_ERROR(clnorm_recurrent_create(f->context, &desc, &op, error), CLNORM_UNSUPPORTED,
                 "CLBlast", "built without");
    assert_null(op);
    EXPECT_ERROR(clnorm_recurrent_clear_cache(error), CLNORM_UNSUPPORTED, "CLBlast", "");
}

int main(void)
{
    const struct CMUnitTest with_clblast[] = {
        cmocka_unit_test(test_bits_are_the_same_again),
        cmocka_unit_test(test_forward_alone_has_the_bits_of_forward_that_saves),
        cmocka_unit_test(test_an_op_runs_in_several_threads),
        cmocka_unit_test(test_bad_calls_are_refused),
        cmocka_unit_test(test_products_are_compiled_ahead),
    };
    const struct CMUnitTest without_clblast[] = {
        cmocka_unit_test(test_without_clblast_nothing_is_made),
    };
    if (clnorm_clblast_check(NULL) != CLNORM_OK)
        return cmocka_run_group_tests(without_clblast, fixture_open, fixture_close);
    return cmocka_run_group_tests(with_clblast, fixture_open, fixture_close);
}

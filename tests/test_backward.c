/* SPDX-License-Identifier: MIT */
/* clnorm_backward as a guest of the application's queue: gradients of rows with large means, in
 * place, with and without a workspace, and bits that depend on neither queue nor run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "device.h"

enum { ROWS = 37, COLS = 260, ELEMENTS = ROWS * COLS, SEED = 7 };

/* The outputs of one call, one after the other. */
typedef struct {
    float dx[ELEMENTS], dweight[COLS], dbias[COLS];
} gradients;

typedef struct {
    problem p;
    float dy[ELEMENTS], mean[ROWS], rstd[ROWS];
    clnorm_args args; /* of the backward call */
} task;

static task task_open(const fixture *f, clnorm_form form, const char *input)
{
    clnorm_desc desc = desc_of(COLS);
    desc.form = form;
    task t = {.p = problem_open(f, desc, ROWS, input)};
    clnorm_args forward = t.p.args;
    clnorm_tensor_fill(&desc, TENSOR_dy, CLNORM_F32, ELEMENTS, SEED, t.dy);
    forward.mean.buffer = buffer_of(f, CL_MEM_READ_WRITE, sizeof(t.mean), NULL);
    forward.rstd.buffer = buffer_of(f, CL_MEM_READ_WRITE, sizeof(t.rstd), NULL);
    MUST(clnorm_forward(t.p.op, f->queue, ROWS, &forward, 0, NULL, NULL, error));
    read_back(f, forward.mean.buffer, sizeof(t.mean), t.mean);
    read_back(f, forward.rstd.buffer, sizeof(t.rstd), t.rstd);
    t.args = forward;
    t.args.y.buffer = NULL;
    t.args.dy.buffer = buffer_of(f, CL_MEM_READ_ONLY, sizeof(t.dy), t.dy);
    t.args.dx.buffer = buffer_of(f, CL_MEM_READ_WRITE, sizeof(t.dy), NULL);
    t.args.dweight.buffer = buffer_of(f, CL_MEM_READ_WRITE, COLS * sizeof(float), NULL);
    t.args.dbias.buffer = buffer_of(f, CL_MEM_READ_WRITE, COLS * sizeof(float), NULL);
    return t;
}

static void task_close(task *t)
{
    const cl_mem buffers[] = {t->args.mean.buffer, t->args.rstd.buffer,    t->args.dy.buffer,
                              t->args.dx.buffer,   t->args.dweight.buffer, t->args.dbias.buffer};
    for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++)
        clReleaseMemObject(buffers[i]);
    problem_close(&t->p);
}

static void read_gradients(const fixture *f, const clnorm_args *args, gradients *g)
{
    read_back(f, args->dx.buffer, sizeof(g->dx), g->dx);
    read_back(f, args->dweight.buffer, sizeof(g->dweight), g->dweight);
    read_back(f, args->dbias.buffer, sizeof(g->dbias), g->dbias);
}

static void run(const fixture *f, const task *t, const clnorm_args *args, gradients *g)
{
    MUST(clnorm_backward(t->p.op, f->queue, ROWS, args, 0, NULL, NULL, error));
    MUST(clFinish(f->queue));
    read_gradients(f, args, g);
}

static void expect_gradients(const task *t, const gradients *g)
{
    clnorm_verdict v = CLNORM_VERDICT_INIT;
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.x.data = t->p.x;
    args.weight.data = t->p.weight;
    args.bias.data = t->p.bias;
    args.dy.data = t->dy;
    args.dx.data = (void *)g->dx;
    args.dweight.data = (void *)g->dweight;
    args.dbias.data = (void *)g->dbias;
    MUST(clnorm_verify(&t->p.desc, CLNORM_BACKWARD, clnorm_op_depth(t->p.op), ROWS, 0, &args, NULL,
                       &v, error));
    if (v.wrong)
        fail_msg("%llu wrong; %dx%d seed %d: %s[%llu, %llu] is %.9g, expected %.9g +- %.3g",
                 (unsigned long long)v.wrong, ROWS, COLS, SEED, v.worst_tensor,
                 (unsigned long long)v.worst_row, (unsigned long long)v.worst_col, v.worst_got,
                 v.worst_expected, v.worst_bound);
    assert_int_equal(v.compared, ELEMENTS + 2 * COLS);
}

static void expect_same(const gradients *a, const gradients *b, const char *when)
{
    const float *const x = (const float *)a, *const y = (const float *)b;
    for (size_t i = 0; i < sizeof(*a) / sizeof(float); i++)
        if (memcmp(&x[i], &y[i], sizeof(float)))
            fail_msg("%s: number %zu of dx, dweight, dbias is %.9g, was %.9g (seed %d)", when, i,
                     (double)y[i], (double)x[i], SEED);
}

/* Saved as one float, a mean of a million is off by 3e-2: dx must not show it. */
static void test_gradients_at_large_means(void **state)
{
    const fixture *f = *state;
    static const char *const inputs[] = {"normal", "mean_1e3", "mean_1e6"};
    static gradients g;
    for (size_t i = 0; i < 3 * FORMS; i++) {
        task t = task_open(f, all_forms[i % FORMS], inputs[i / FORMS]);
        clnorm_args again = t.args;
        run(f, &t, &t.args, &g);
        expect_gradients(&t, &g);
        again.mean.buffer = again.rstd.buffer = NULL;
        run(f, &t, &again, &g);
        expect_gradients(&t, &g);
        task_close(&t);
    }
}

/* One value of another sign among many: its difference to the mean is larger than any float. */
static void test_saved_statistics_of_the_widest_rows(void **state)
{
    const fixture *f = *state;
    static gradients g;
    for (size_t i = 0; i < FORMS; i++) {
        task t = task_open(f, all_forms[i], "normal");
        for (int k = 0; k < ELEMENTS; k++)
            t.p.x[k] = k % COLS == k / COLS ? 3e38f : -3e38f;
        const cl_mem old = t.p.args.x.buffer;
        clnorm_args forward = t.p.args;
        forward.x.buffer = buffer_of(f, CL_MEM_READ_ONLY, t.p.bytes, t.p.x);
        forward.mean.buffer = t.args.mean.buffer;
        forward.rstd.buffer = t.args.rstd.buffer;
        MUST(clnorm_forward(t.p.op, f->queue, ROWS, &forward, 0, NULL, NULL, error));
        t.p.args.x.buffer = t.args.x.buffer = forward.x.buffer;
        run(f, &t, &t.args, &g);
        expect_gradients(&t, &g);
        clReleaseMemObject(old);
        task_close(&t);
    }
}

static void test_in_place(void **state)
{
    const fixture *f = *state;
    static gradients apart, in_place;
    for (size_t i = 0; i < FORMS; i++) {
        task t = task_open(f, all_forms[i], "mean_1e3");
        clnorm_args args = t.args;
        run(f, &t, &t.args, &apart);
        args.dx.buffer = args.dy.buffer = buffer_of(f, CL_MEM_READ_WRITE, sizeof(t.dy), t.dy);
        run(f, &t, &args, &in_place);
        expect_same(&apart, &in_place, "dx is dy");
        clReleaseMemObject(args.dx.buffer);
        task_close(&t);
    }
}

static void test_same_bits_in_every_run_and_workspace(void **state)
{
    const fixture *f = *state;
    static gradients first, again;
    size_t bytes = 0;
    task t = task_open(f, CLNORM_FORM_AUTO, "normal");
    clnorm_args args = t.args;
    MUST(clnorm_op_workspace(t.p.op, CLNORM_BACKWARD, ROWS, &bytes, error));
    assert_true(bytes > 0);
    run(f, &t, &t.args, &first);
    run(f, &t, &t.args, &again);
    expect_same(&first, &again, "a second run");
    args.workspace.buffer = buffer_of(f, CL_MEM_READ_WRITE, bytes + 64, NULL);
    args.workspace.offset = 16;
    run(f, &t, &args, &again);
    expect_same(&first, &again, "a workspace of the caller's");
    cl_int code;
    fixture other = *f;
    other.queue = clCreateCommandQueue(f->cl, f->device, 0, &code);
    MUST(code);
    run(&other, &t, &t.args, &again);
    expect_same(&first, &again, "another queue");
    clReleaseCommandQueue(other.queue);
    clReleaseMemObject(args.workspace.buffer);
    task_close(&t);
}

/* Each gradient alone is what it is among the others. */
static void test_any_choice_of_gradients(void **state)
{
    const fixture *f = *state;
    static gradients all, some;
    task t = task_open(f, CLNORM_FORM_AUTO, "mean_1e3");
    run(f, &t, &t.args, &all);
    for (unsigned wanted = 1; wanted < 8; wanted++) {
        clnorm_args args = t.args;
        clnorm_tensor *const outputs[] = {&args.dx, &args.dweight, &args.dbias};
        for (int i = 0; i < 3; i++)
            if (!(wanted & 1u << i))
                outputs[i]->buffer = NULL;
        MUST(clnorm_backward(t.p.op, f->queue, ROWS, &args, 0, NULL, NULL, error));
        MUST(clFinish(f->queue));
        read_gradients(f, &t.args, &some);
        expect_same(&all, &some, "without some gradients");
    }
    task_close(&t);
}

static void test_out_of_order_queue(void **state)
{
    const fixture *f = *state;
    const cl_command_queue queue = out_of_order_queue(f);
    if (!queue)
        skip();
    static gradients g;
    size_t bytes = 0;
    task t = task_open(f, CLNORM_FORM_AUTO, "normal");
    clnorm_args args = t.args;
    cl_event done = NULL;
    EXPECT_ERROR(clnorm_backward(t.p.op, queue, ROWS, &args, 0, NULL, &done, error),
                 CLNORM_BAD_ARGS, "workspace", "out-of-order");
    assert_null(done);
    args.dweight.buffer = args.dbias.buffer = NULL; /* no sums, no workspace */
    MUST(clnorm_backward(t.p.op, queue, ROWS, &args, 0, NULL, NULL, error));
    MUST(clFinish(queue));
    args = t.args;
    MUST(clnorm_op_workspace(t.p.op, CLNORM_BACKWARD, ROWS, &bytes, error));
    args.workspace.buffer = buffer_of(f, CL_MEM_READ_WRITE, bytes, NULL);
    const cl_event ready = after_writes(f);
    MUST(clnorm_backward(t.p.op, queue, ROWS, &args, 1, &ready, &done, error));
    MUST(clWaitForEvents(1, &done));
    read_gradients(f, &args, &g);
    expect_gradients(&t, &g);
    clReleaseEvent(ready);
    clReleaseEvent(done);
    clReleaseMemObject(args.workspace.buffer);
    clReleaseCommandQueue(queue);
    task_close(&t);
}

static void test_zero_rows_give_zeros(void **state)
{
    const fixture *f = *state;
    static gradients g, before;
    task t = task_open(f, CLNORM_FORM_AUTO, "normal");
    cl_event done = NULL;
    run(f, &t, &t.args, &before);
    MUST(clnorm_backward(t.p.op, f->queue, 0, &t.args, 0, NULL, &done, error));
    assert_non_null(done);
    MUST(clWaitForEvents(1, &done));
    read_gradients(f, &t.args, &g);
    assert_memory_equal(g.dx, before.dx, sizeof(g.dx));
    for (int i = 0; i < COLS; i++)
        if (g.dweight[i] != 0 || g.dbias[i] != 0)
            fail_msg("of no rows dweight[%d] is %g, dbias %g; expected 0", i, (double)g.dweight[i],
                     (double)g.dbias[i]);
    clReleaseEvent(done);
    clnorm_args alone = CLNORM_ARGS_INIT; /* a buffer of no rows cannot be made */
    alone.dweight = t.args.dweight;
    MUST(clnorm_backward(t.p.op, f->queue, 0, &alone, 0, NULL, NULL, error));
    alone.dresidual = t.args.dx;
    EXPECT_ERROR(clnorm_backward(t.p.op, f->queue, 0, &alone, 0, NULL, NULL, error),
                 CLNORM_BAD_ARGS, "dresidual", "no use for it");
    task_close(&t);
}

static void test_refusals(void **state)
{
    const fixture *f = *state;
    size_t bytes = 0;
    task t = task_open(f, CLNORM_FORM_AUTO, "normal");
    clnorm_args args = t.args;
    args.dy.buffer = NULL;
    EXPECT_ERROR(clnorm_backward(t.p.op, f->queue, ROWS, &args, 0, NULL, NULL, error),
                 CLNORM_BAD_ARGS, "dy is NULL", "needs it");
    args = t.args;
    args.mean.buffer = NULL;
    EXPECT_ERROR(clnorm_backward(t.p.op, f->queue, ROWS, &args, 0, NULL, NULL, error),
                 CLNORM_BAD_ARGS, "mean and rstd", "both");
    args = t.args;
    args.dx.buffer = args.x.buffer;
    EXPECT_ERROR(clnorm_backward(t.p.op, f->queue, ROWS, &args, 0, NULL, NULL, error),
                 CLNORM_BAD_ARGS, "dx", "CL_MEM_READ_ONLY");
    args = t.args;
    args.dresidual.buffer = args.dx.buffer;
    EXPECT_ERROR(clnorm_backward(t.p.op, f->queue, ROWS, &args, 0, NULL, NULL, error),
                 CLNORM_BAD_ARGS, "dresidual", "no use for it");
    MUST(clnorm_op_workspace(t.p.op, CLNORM_BACKWARD, ROWS, &bytes, error));
    args = t.args;
    args.workspace.buffer = buffer_of(f, CL_MEM_READ_WRITE, bytes, NULL);
    args.workspace.offset = bytes; /* not 8: small buffers are made larger */
    EXPECT_ERROR(clnorm_backward(t.p.op, f->queue, ROWS, &args, 0, NULL, NULL, error),
                 CLNORM_BAD_ARGS, "workspace", "multiple of 8");
    clReleaseMemObject(args.workspace.buffer);
    args.workspace = t.args.dx;
    EXPECT_ERROR(clnorm_backward(t.p.op, f->queue, ROWS, &args, 0, NULL, NULL, error),
                 CLNORM_BAD_ARGS, "workspace", "overlaps dx");
    args.workspace.buffer = buffer_of(f, CL_MEM_READ_ONLY, bytes, NULL);
    EXPECT_ERROR(clnorm_backward(t.p.op, f->queue, ROWS, &args, 0, NULL, NULL, error),
                 CLNORM_BAD_ARGS, "workspace", "CL_MEM_READ_ONLY");
    clReleaseMemObject(args.workspace.buffer);
    task_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients_at_large_means),
        cmocka_unit_test(test_saved_statistics_of_the_widest_rows),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_same_bits_in_every_run_and_workspace),
        cmocka_unit_test(test_any_choice_of_gradients),
        cmocka_unit_test(test_out_of_order_queue),
        cmocka_unit_test(test_zero_rows_give_zeros),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

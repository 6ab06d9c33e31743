/* SPDX-License-Identifier: MIT */
/* From its second call on, an op asks, allocates and builds nothing for the same queue and
 * buffers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../device.h"
#include "counted.h"
#include "loaded.h"
#include "ops/op.h"
#include "ops/tensors.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),     cmocka_unit_test(test_backward),
        cmocka_unit_test(test_shared_rows), cmocka_unit_test(test_backward_with_all_gradients),
        cmocka_unit_test(test_sub_buffers),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

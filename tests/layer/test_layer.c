/* SPDX-License-Identifier: MIT */
/* The layer that other tests rely on: a layer that is not there, counts nothing or falsifies
 * nothing would let them pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>

#include "../device.h"
#include "loaded.h"

enum { ROWS = 3, COLS = 40 };

static void test_calls_are_counted(void **state)
{
    const fixture *f = *state;
    const struct layer *layer = layer_find();
    layer->reset();
    assert_int_equal(layer->all_calls(), 0);
    MUST(clFinish(f->queue));
    clReleaseMemObject(buffer_of(f, CL_MEM_READ_WRITE, 64, NULL));
    clReleaseMemObject(buffer_of(f, CL_MEM_READ_WRITE, 64, NULL));
    assert_int_equal(layer->calls("clFinish"), 1);
    assert_int_equal(layer->calls("clCreateBuffer"), 2);
    assert_int_equal(layer->calls("clReleaseMemObject"), 2);
    assert_int_equal(layer->all_calls(), 5);
    assert_true(layer->calls("clFinnish") == ULONG_MAX);
}

/* Elements of y that are not right. */
static uint64_t count_wrong(const fixture *f, const problem *p, cl_command_queue queue)
{
    clnorm_verdict v = CLNORM_VERDICT_INIT;
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    cl_event ready = after_writes(f), done;
    MUST(clFlush(f->queue));
    MUST(clnorm_forward(p->op, queue, ROWS, &p->args, 1, &ready, &done, error));
    MUST(clEnqueueReadBuffer(queue, p->args.y.buffer, CL_TRUE, 0, p->bytes, p->y, 1, &done, NULL));
    clReleaseEvent(ready);
    clReleaseEvent(done);
    args.x.data = p->x;
    args.y.data = p->y;
    args.weight.data = p->weight;
    args.bias.data = p->bias;
    MUST(clnorm_verify(&p->desc, CLNORM_FORWARD, clnorm_op_depth(p->op), ROWS, 0, &args, NULL, &v,
                       error));
    return v.wrong;
}

/* Launches of a rule that wrong results show, or right ones. */
static void expect_falsified(const fixture *f, const problem *p, const char *rule, bool falsified)
{
    const struct layer *layer = layer_find();
    cl_command_queue queues[] = {f->queue, out_of_order_queue(f)};
    for (size_t i = 0; i < 2 && queues[i]; i++) {
        layer->falsify(rule);
        layer->reset();
        const uint64_t wrong = count_wrong(f, p, queues[i]);
        const unsigned long launches = layer->falsified();
        layer->falsify(NULL);
        if (launches != falsified || wrong != (falsified ? ROWS * COLS : 0))
            fail_msg("%s, %s queue: %lu launches falsified, %llu of %d elements wrong",
                     rule ? rule : "no rule", i ? "out-of-order" : "in-order", launches,
                     (unsigned long long)wrong, ROWS * COLS);
    }
    if (queues[1])
        clReleaseCommandQueue(queues[1]);
}

static void test_one_kernel_is_falsified(void **state)
{
    const fixture *f = *state;
    clnorm_desc desc = desc_of(COLS);
    desc.form = CLNORM_FORM_COOPERATIVE;
    problem p = problem_open(f, desc, ROWS, "normal");
    expect_falsified(f, &p, NULL, false);
    expect_falsified(f, &p, "forward_norm", true);
    expect_falsified(f, &p, "forward_norm: -DCENTER=1 ", true);
    expect_falsified(f, &p, "forward_norm: -DCENTER=0 ", false);
    expect_falsified(f, &p, "backward_norm", false);
    expect_falsified(f, &p, NULL, false);
    problem_close(&p);
}

/* The library does not set an offset again that is as it was. */
static void test_what_is_before_the_output_stays(void **state)
{
    enum { BEFORE = 64 };
    const fixture *f = *state;
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    char before[BEFORE], got[BEFORE];
    memset(before, 7, BEFORE);
    clReleaseMemObject(p.args.y.buffer);
    p.args.y.offset = BEFORE;
    p.args.y.buffer = buffer_of(f, CL_MEM_READ_WRITE, BEFORE * sizeof(float) + p.bytes, NULL);
    layer_find()->falsify("forward_norm");
    for (int call = 1; call <= 2; call++) {
        MUST(clEnqueueWriteBuffer(f->queue, p.args.y.buffer, CL_TRUE, 0, BEFORE, before, 0, NULL,
                                  NULL));
        layer_find()->reset();
        MUST(clnorm_forward(p.op, f->queue, ROWS, &p.args, 0, NULL, NULL, error));
        MUST(clFinish(f->queue));
        read_back(f, p.args.y.buffer, BEFORE, got);
        if (layer_find()->falsified() != 1 || memcmp(got, before, BEFORE))
            fail_msg("call %d: %lu launches falsified, byte 0 is %d, must be 1 and %d", call,
                     layer_find()->falsified(), got[0], before[0]);
    }
    layer_find()->falsify(NULL);
    problem_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_are_counted),
        cmocka_unit_test(test_one_kernel_is_falsified),
        cmocka_unit_test(test_what_is_before_the_output_stays),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

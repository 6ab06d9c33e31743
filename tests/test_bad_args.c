/* SPDX-License-Identifier: MIT */
/* What drivers accept and then get wrong is refused before anything is enqueued: the text names the
 * argument, the output and the event stay as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "device.h"

enum { ROWS = 4, COLS = 50 };

static cl_event *const no_event = (cl_event *)(uintptr_t)1; /* must not be written to */

/* One argument changed, and the words that must be in the text. */
static void expect_refusal(const fixture *f, problem *p, const clnorm_args *args, const char *word,
                           const char *other)
{
    cl_event event = (cl_event)(uintptr_t)no_event;
    float y[ROWS * COLS];
    EXPECT_ERROR(clnorm_forward(p->op, f->queue, ROWS, args, 0, NULL, &event, error),
                 CLNORM_BAD_ARGS, word, other);
    assert_ptr_equal(event, no_event);
    MUST(clFinish(f->queue));
    read_back(f, p->args.y.buffer, sizeof(y), y);
    assert_memory_equal(y, p->y, sizeof(y));
}

static void test_missing_tensors(void **state)
{
    const fixture *f = *state;
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    clnorm_args args = p.args;
    args.x.buffer = NULL;
    expect_refusal(f, &p, &args, "x is NULL", "needs it");
    args = p.args;
    args.y.buffer = NULL;
    expect_refusal(f, &p, &args, "y is NULL", "needs it");
    args = p.args;
    args.struct_size = 8;
    expect_refusal(f, &p, &args, "struct_size", "8");
    problem_close(&p);
}

static void test_ranges_past_the_end(void **state)
{
    const fixture *f = *state;
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    clnorm_args args = p.args;
    args.x.offset = 1;
    expect_refusal(f, &p, &args, "x:", "800 bytes");
    args = p.args;
    args.y.stride = COLS + 1;
    expect_refusal(f, &p, &args, "y:", "51 apart");
    args = p.args;
    args.x.stride = COLS - 1;
    expect_refusal(f, &p, &args, "x.stride is 49", "overlap");
    args = p.args;
    args.weight.offset = UINT64_MAX / 2; /* times four bytes is past 64 bits */
    expect_refusal(f, &p, &args, "weight:", "do not fit");
    args = p.args;
    args.mean.buffer = buffer_of(f, CL_MEM_READ_WRITE, 64, NULL);
    args.mean.offset = 13;
    expect_refusal(f, &p, &args, "mean:", "do not fit");
    clReleaseMemObject(args.mean.buffer);
    problem_close(&p);
}

static void test_memory_that_must_not_be_used_so(void **state)
{
    const fixture *f = *state;
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    cl_mem read_only = buffer_of(f, CL_MEM_READ_ONLY, p.bytes, NULL);
    cl_mem write_only = buffer_of(f, CL_MEM_WRITE_ONLY, p.bytes, NULL);
    clnorm_args args = p.args;
    args.y.buffer = read_only;
    expect_refusal(f, &p, &args, "y is an output", "CL_MEM_READ_ONLY");
    args = p.args;
    args.x.buffer = write_only;
    expect_refusal(f, &p, &args, "x is an input", "CL_MEM_WRITE_ONLY");
    clReleaseMemObject(read_only);
    clReleaseMemObject(write_only);
    problem_close(&p);
}

static void test_overlaps(void **state)
{
    const fixture *f = *state;
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    cl_mem large = buffer_of(f, CL_MEM_READ_WRITE, 4 * p.bytes, NULL);
    clnorm_args args = p.args;
    args.x.buffer = args.y.buffer = large;
    args.x.offset = COLS;
    expect_refusal(f, &p, &args, "x (", "overlaps y");
    args.x.offset = 0; /* in place, but rows end up elsewhere */
    args.x.stride = 2 * COLS;
    expect_refusal(f, &p, &args, "x (", "overlaps y");
    args = p.args;
    args.y.buffer = args.rstd.buffer = large;
    args.rstd.offset = 3;
    expect_refusal(f, &p, &args, "overlaps", "rstd");
    args = p.args;
    args.y.buffer = args.weight.buffer = large;
    expect_refusal(f, &p, &args, "overlaps", "weight");
    clReleaseMemObject(large);
    problem_close(&p);
}

static void test_overlap_through_sub_buffers(void **state)
{
    const fixture *f = *state;
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    cl_mem large = buffer_of(f, CL_MEM_READ_WRITE, 8192, NULL);
    const cl_buffer_region regions[] = {{0, 2048}, {512, 2048}};
    cl_mem parts[2];
    cl_int code;
    for (int i = 0; i < 2; i++) {
        parts[i] = clCreateSubBuffer(large, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION,
                                     &regions[i], &code);
        MUST(code);
    }
    clnorm_args args = p.args;
    args.x.buffer = parts[0];
    args.y.buffer = parts[1];
    expect_refusal(f, &p, &args, "x (bytes 0", "overlaps y (512");
    clReleaseMemObject(parts[0]);
    clReleaseMemObject(parts[1]);
    clReleaseMemObject(large);
    problem_close(&p);
}

static void test_other_contexts(void **state)
{
    const fixture *f = *state;
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    cl_int code;
    cl_context other = clCreateContext(NULL, 1, &f->device, NULL, NULL, &code);
    if (code) { /* a device may need its platform named */
        problem_close(&p);
        skip();
    }
    cl_command_queue queue = clCreateCommandQueue(other, f->device, 0, &code);
    MUST(code);
    cl_mem foreign = clCreateBuffer(other, CL_MEM_READ_WRITE, p.bytes, NULL, &code);
    MUST(code);
    clnorm_args args = p.args;
    args.x.buffer = foreign;
    expect_refusal(f, &p, &args, "x is of another", "context");
    EXPECT_ERROR(clnorm_forward(p.op, queue, ROWS, &p.args, 0, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "queue", "another OpenCL context");
    EXPECT_ERROR(clnorm_forward(p.op, NULL, ROWS, &p.args, 0, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "queue", "NULL");
    clReleaseMemObject(foreign);
    clReleaseCommandQueue(queue);
    clReleaseContext(other);
    problem_close(&p);
}

static void test_wait_lists_that_contradict(void **state)
{
    const fixture *f = *state;
    problem p = problem_open(f, desc_of(COLS), ROWS, "normal");
    cl_event nothing = NULL;
    EXPECT_ERROR(clnorm_forward(p.op, f->queue, ROWS, &p.args, 1, NULL, NULL, error),
                 CLNORM_BAD_ARGS, "n_wait is 1", "NULL");
    EXPECT_ERROR(clnorm_forward(p.op, f->queue, ROWS, &p.args, 0, &nothing, NULL, error),
                 CLNORM_BAD_ARGS, "n_wait is 0", "given");
    problem_close(&p);
}

static void test_ops_that_cannot_be(void **state)
{
    const fixture *f = *state;
    clnorm_op *op = NULL;
    clnorm_desc desc = desc_of(0);
    EXPECT_ERROR(clnorm_op_create(f->context, &desc, &op, error), CLNORM_BAD_DESC, "cols is 0",
                 "1 to");
    desc = desc_of(10);
    desc.eps = -1;
    EXPECT_ERROR(clnorm_op_create(f->context, &desc, &op, error), CLNORM_BAD_DESC, "eps", "-1");
    desc = desc_of(10);
    desc.x_dtype = desc.y_dtype = desc.param_dtype = CLNORM_F64;
    if (!clnorm_context_device(f->context)->has_fp64)
        EXPECT_ERROR(clnorm_op_create(f->context, &desc, &op, error), CLNORM_UNSUPPORTED, "f64",
                     "cl_khr_fp64");
    assert_null(op);
    EXPECT_ERROR(clnorm_op_create(NULL, &desc, &op, error), CLNORM_BAD_ARGS, "context", "NULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing_tensors),
        cmocka_unit_test(test_ranges_past_the_end),
        cmocka_unit_test(test_memory_that_must_not_be_used_so),
        cmocka_unit_test(test_overlaps),
        cmocka_unit_test(test_overlap_through_sub_buffers),
        cmocka_unit_test(test_other_contexts),
        cmocka_unit_test(test_wait_lists_that_contradict),
        cmocka_unit_test(test_ops_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

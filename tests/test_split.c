/* SPDX-License-Identifier: MIT */
/* Rows that are long enough to have parts: right wherever their values are out of range, and of the
 * same bits whether groups share them or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/runner.h"
#include "device.h"
#include "ops/self_test.h"

#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const clnorm_form forms[] = {CLNORM_FORM_SEQUENTIAL, CLNORM_FORM_COOPERATIVE};

/* Compilers and a simulator to which a million elements are minutes. */
static bool is_slow(void) { return is_oclgrind() || is_on("rusticl"); }

static bool is_parted(const clnorm_op *op) { return op->geometry.part > 0; }

/* ---- on few elements, whatever the device -------------------------------------------------- */

static void test_kernels_pass_their_self_test(void **state)
{
    const fixture *f = *state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        clnorm_desc desc = desc_of(70001);
        clnorm_op *op = NULL;
        desc.form = forms[i];
        clnorm_error why;
        const clnorm_status status = clnorm_op_make(f->context, &desc, false, &op, &why);
        if (status == CLNORM_UNSUPPORTED) /* loops end early */
            continue;
        MUST(status);
        if (is_parted(op)) {
            clnorm_built built = {.kernels = NULL};
            MUST(clnorm_op_build(op, CLNORM_KERNEL_FORWARD_USUAL, &op->geometry, &built, error));
            assert_non_null(built.parts);
            const clnorm_finding finding =
                clnorm_self_test_kernel(op, CLNORM_KERNEL_FORWARD_USUAL, &built);
            if (finding.trial != CLNORM_TRUSTED)
                fail_msg("form %d: %s", (int)forms[i], finding.text);
            clnorm_built_release(&built);
        }
        clnorm_op_destroy(op);
    }
}

/* ---- every way to run it ------------------------------------------------------------------- */

typedef struct {
    const char *variant;
    clnorm_dtype dtype;
    clnorm_form form;
    const char *input;
    uint64_t rows, cols;
} split_case;

static const split_case cases[] = {
    {"layer_norm", CLNORM_F32, CLNORM_FORM_SEQUENTIAL, "mixed", 1, 65537},
    {"layer_norm", CLNORM_F32, CLNORM_FORM_SEQUENTIAL, "mixed", 3, 300001},
    {"layer_norm", CLNORM_F32, CLNORM_FORM_COOPERATIVE, "mixed", 1, 32769},
    {"layer_norm", CLNORM_F32, CLNORM_FORM_COOPERATIVE, "mixed", 3, 300001},
    {"rms_norm", CLNORM_BF16, CLNORM_FORM_SEQUENTIAL, "mixed", 9, 65537},
    {"rms_norm", CLNORM_BF16, CLNORM_FORM_SEQUENTIAL, "nan", 3, 65537},
    {"rms_norm+residual+exact", CLNORM_BF16, CLNORM_FORM_COOPERATIVE, "mixed", 3, 65537},
    {"layer_norm+silu_after+modulation", CLNORM_F32, CLNORM_FORM_SEQUENTIAL, "means", 4, 65537},
    {"layer_norm", CLNORM_F32, CLNORM_FORM_SEQUENTIAL, "constant_huge", 3, 65537},
};

static void run_case(const fixture *f, const split_case *s)
{
    const clnorm_check_shape shape = clnorm_check_shape_of(s->rows, s->cols);
    clnorm_check_case c = {.variant = clnorm_variant_find(s->variant),
                           .rows = s->rows,
                           .input = clnorm_input_find(s->input),
                           .seed = 1,
                           .all = 1};
    clnorm_check_result result;
    char name[256];
    c.desc = clnorm_variant_desc(c.variant, &shape);
    c.desc.form = s->form;
    c.desc.x_dtype = c.desc.y_dtype = c.desc.param_dtype = s->dtype;
    clnorm_check_run(f->context, &c, &result);
    clnorm_check_case_name(&c, name, sizeof(name));
    if (result.outcome == CLNORM_FAILED)
        fail_msg("%s: %s", name, result.reason);
}

static void test_all_ways_give_the_same_bits(void **state)
{
    const fixture *f = *state;
    if (is_slow())
        skip();
    for (size_t i = 0; i < COUNT(cases); i++)
        run_case(f, &cases[i]);
}

/* What a work-item keeps of the row before must not be taken for this one's: with dropout it does
 * not find the next row's statistics while it writes one. */
static void test_a_work_item_has_several_rows(void **state)
{
    static const char *const variants[] = {"layer_norm", "layer_norm+dropout"};
    const fixture *f = *state;
    const cl_uint units = f->context->device.compute_units;
    if (is_slow())
        skip();
    f->context->device.compute_units = 1;
    for (size_t i = 0; i < COUNT(variants); i++)
        run_case(
            f, &(split_case){variants[i], CLNORM_F32, CLNORM_FORM_SEQUENTIAL, "means", 40, 65537});
    f->context->device.compute_units = units;
}

/* ---- values out of range in some parts or in all ------------------------------------------- */

static double normal(double v, uint64_t part, uint64_t parts)
{
    (void)part, (void)parts;
    return v;
}

static double means_far_apart(double v, uint64_t part, uint64_t parts)
{
    return v + 1000 * (double)(part % 3) + (double)(part == parts - 1) * 1e6;
}

static double one_huge_part(double v, uint64_t part, uint64_t parts)
{
    return part == parts / 2 ? v * 1e30 : v;
}

/* Squares that no part overflows with, but the row does. */
static double huge_together(double v, uint64_t part, uint64_t parts)
{
    (void)part;
    return copysign(sqrt(1e38 / 4096 / (double)parts * 4), v);
}

static double all_tiny(double v, uint64_t part, uint64_t parts)
{
    (void)parts;
    return part == 1 ? 0 : v * 1e-30;
}

static double tiny_but_one(double v, uint64_t part, uint64_t parts)
{
    return part == parts - 1 ? v * 1e-10 : v * 1e-30;
}

static double tiny_and_huge(double v, uint64_t part, uint64_t parts)
{
    (void)parts;
    return part == 0 ? v * 1e-30 : part == 1 ? v * 1e30 : v;
}

static double constant(double v, uint64_t part, uint64_t parts)
{
    (void)v, (void)part, (void)parts;
    return 12345.678;
}

static double a_nan_at_the_end(double v, uint64_t part, uint64_t parts)
{
    return part == parts - 1 ? (double)NAN : v;
}

static double (*const inputs[])(double v, uint64_t part, uint64_t parts) = {
    normal,       means_far_apart, one_huge_part, huge_together,    all_tiny,
    tiny_but_one, tiny_and_huge,   constant,      a_nan_at_the_end,
};

static void refill(const fixture *f, problem *p, const float *from, size_t input)
{
    const uint64_t part = p->op->geometry.part, parts = (p->desc.cols + part - 1) / part;
    for (uint64_t i = 0; i < p->desc.cols; i++)
        p->x[i] = (float)inputs[input](from[i], i / part, parts);
    MUST(clEnqueueWriteBuffer(f->queue, p->args.x.buffer, CL_TRUE, 0, p->bytes, p->x, 0, NULL,
                              NULL));
}

/* The row shared by groups, and then by one. */
static void run_both_ways(const fixture *f, problem *p, size_t input)
{
    float *shared = malloc(p->bytes);
    const unsigned slots = p->op->geometry.slots;
    assert_non_null(shared);
    p->op->geometry.slots = UINT32_MAX;
    MUST(clnorm_forward(p->op, f->queue, 1, &p->args, 0, NULL, NULL, error));
    read_back(f, p->args.y.buffer, p->bytes, shared);
    p->op->geometry.slots = 0;
    MUST(clnorm_forward(p->op, f->queue, 1, &p->args, 0, NULL, NULL, error));
    read_back(f, p->args.y.buffer, p->bytes, p->y);
    p->op->geometry.slots = slots;
    expect_right(p);
    for (uint64_t i = 0; i < p->desc.cols; i++)
        if (memcmp(&shared[i], &p->y[i], sizeof(float)) && !(isnan(shared[i]) && isnan(p->y[i])))
            fail_msg("input %zu: y[%llu] is %.9g of a row that groups share, else %.9g", input,
                     (unsigned long long)i, shared[i], p->y[i]);
    free(shared);
}

static void test_parts_out_of_range(void **state)
{
    const fixture *f = *state;
    if (is_slow())
        skip();
    for (size_t i = 0; i < 2 * COUNT(forms); i++) {
        clnorm_desc desc = desc_of(i < COUNT(forms) ? 70001 : 66000);
        desc.form = forms[i % COUNT(forms)];
        desc.kind = i < COUNT(forms) ? CLNORM_LAYER_NORM : CLNORM_RMS_NORM;
        desc.eps = i < COUNT(forms) ? 1e-35 : 0;
        problem p = problem_open(f, desc, 1, "normal");
        float *from = malloc(p.bytes);
        assert_non_null(from);
        assert_true(is_parted(p.op) || desc.form != p.op->desc.form);
        memcpy(from, p.x, p.bytes);
        for (size_t input = 0; is_parted(p.op) && input < COUNT(inputs); input++) {
            refill(f, &p, from, input);
            run_both_ways(f, &p, input);
        }
        free(from);
        problem_close(&p);
    }
}

/* ---- workspaces ---------------------------------------------------------------------------- */

static void run_on(const fixture *f, problem *p, cl_command_queue queue, const clnorm_args *args)
{
    cl_event written = after_writes(f);
    memset(p->y, 0, p->bytes);
    MUST(clnorm_forward(p->op, queue, 1, args, 1, &written, NULL, error));
    MUST(clFinish(queue));
    clReleaseEvent(written);
    read_back(f, p->args.y.buffer, p->bytes, p->y);
    expect_right(p);
}

static void test_workspace(void **state)
{
    const fixture *f = *state;
    if (is_slow())
        skip();
    clnorm_desc desc = desc_of(100000);
    desc.form = CLNORM_FORM_SEQUENTIAL;
    problem p = problem_open(f, desc, 1, "normal");
    const cl_command_queue queue = out_of_order_queue(f);
    size_t bytes = 0, none = 1;
    p.op->geometry.slots = 4; /* whatever the device */
    MUST(clnorm_op_workspace(p.op, CLNORM_FORWARD, 1, &bytes, error));
    MUST(clnorm_op_workspace(p.op, CLNORM_FORWARD, 400, &none, error));
    assert_true(bytes > 0);
    assert_int_equal(none, 0);
    clnorm_args args = p.args;
    args.workspace.buffer = buffer_of(f, CL_MEM_READ_WRITE, bytes + 64, NULL);
    args.workspace.offset = 64;
    run_on(f, &p, f->queue, &args);
    if (queue) {
        run_on(f, &p, queue, &args);
        run_on(f, &p, queue, &p.args); /* without one: as it always could */
        clReleaseCommandQueue(queue);
    }
    args.workspace.offset = 72;
    EXPECT_ERROR(clnorm_forward(p.op, f->queue, 1, &args, 0, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "workspace", "offset 72");
    clReleaseMemObject(args.workspace.buffer);
    problem_close(&p);
}

/* In chunks of one row, which groups share, where all rows at once would have one each. */
static void test_host_arrays(void **state)
{
    enum { ROWS = 9 };
    const fixture *f = *state;
    if (is_slow())
        skip();
    clnorm_desc desc = desc_of(70001);
    desc.form = CLNORM_FORM_SEQUENTIAL;
    problem p = problem_open(f, desc, ROWS, "normal");
    float *y = malloc(p.bytes);
    clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
    clnorm_host_report report = CLNORM_HOST_REPORT_INIT;
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    assert_non_null(y);
    args.x.data = p.x;
    args.y.data = y;
    args.weight.data = p.weight;
    args.bias.data = p.bias;
    options.max_device_bytes = (uint64_t)6 * 70001 * sizeof(float);
    options.copy = 1;
    p.op->geometry.slots = 4;
    assert_false(clnorm_shares_rows(&p.op->geometry, ROWS));
    assert_true(clnorm_shares_rows(&p.op->geometry, 1));
    MUST(clnorm_forward_host(p.op, ROWS, &args, &options, &report, error));
    assert_int_equal(report.rows_per_chunk, 1);
    MUST(clnorm_forward(p.op, f->queue, ROWS, &p.args, 0, NULL, NULL, error));
    read_back(f, p.args.y.buffer, p.bytes, p.y);
    expect_right(&p);
    assert_memory_equal(y, p.y, p.bytes);
    free(y);
    problem_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernels_pass_their_self_test),
        cmocka_unit_test(test_all_ways_give_the_same_bits),
        cmocka_unit_test(test_a_work_item_has_several_rows),
        cmocka_unit_test(test_parts_out_of_range),
        cmocka_unit_test(test_workspace),
        cmocka_unit_test(test_host_arrays),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

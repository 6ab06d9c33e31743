/* SPDX-License-Identifier: MIT */
/* clnorm_forward_host, clnorm_backward_host: chunks must not change a bit, lose a row or write past
 * one, whichever way the memory goes, for every tensor of the family. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "device.h"
#include "family.h"

#define SEED 11

/* ---- arrays -------------------------------------------------------------------------------- */

enum { GUARD = 64 };

/* Arrays that a device may use in place: whole pages. */
static void *pages(size_t bytes)
{
    void *data = aligned_alloc(4096, (bytes + GUARD + 4095) / 4096 * 4096);
    assert_non_null(data);
    return data;
}

typedef struct {
    family f; /* inputs */
    clnorm_op *op;
    clnorm_direction direction;
    size_t bytes[TENSOR_COUNT];
    clnorm_host_args args;
} call;

static call call_open(const fixture *f, const clnorm_desc *desc, clnorm_direction direction,
                      uint64_t rows)
{
    call c = {.f = family_make(desc, rows, SEED), .direction = direction};
    MUST(clnorm_op_create(f->context, desc, &c.op, error));
    c.args = (clnorm_host_args)CLNORM_HOST_ARGS_INIT;
    c.args.seed = 77;
    c.args.first_row = 5;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use use = family_use(&c.f, direction, id);
        c.bytes[id] = (size_t)(use.rows * use.cols) * clnorm_dtype_bytes(use.dtype);
        if (use.role == CLNORM_UNUSED || (use.role == CLNORM_INPUT && !c.f.in[id]))
            continue;
        void *data = pages(c.bytes[id]);
        if (use.role == CLNORM_INPUT)
            memcpy(data, c.f.in[id], c.bytes[id]);
        clnorm_host_array_set(&c.args, (clnorm_tensor_id)id, data, 0);
    }
    return c;
}

static void call_close(call *c)
{
    clnorm_op_destroy(c->op);
    for (int id = 0; id < TENSOR_COUNT; id++)
        free(clnorm_host_array(&c->args, (clnorm_tensor_id)id).data);
    family_free(&c->f);
}

static bool is_output(const call *c, int id)
{
    return family_use(&c->f, c->direction, id).role >= CLNORM_OUTPUT &&
           clnorm_host_array(&c->args, (clnorm_tensor_id)id).data;
}

/* As before any run: running statistics have a value, other outputs a pattern. */
static void prepare(const call *c)
{
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use use = family_use(&c->f, c->direction, id);
        unsigned char *data = clnorm_host_array(&c->args, (clnorm_tensor_id)id).data;
        if (!is_output(c, id))
            continue;
        memset(data, 0x5a, c->bytes[id] + GUARD);
        if (use.role == CLNORM_IN_OUT)
            family_fill(&c->f, use.dtype, id, use.rows * use.cols, SEED, data);
    }
}

static void run(const call *c, const clnorm_host_options *options, clnorm_host_report *report)
{
    prepare(c);
    if (c->direction == CLNORM_FORWARD)
        MUST(clnorm_forward_host(c->op, c->f.rows, &c->args, options, report, error));
    else
        MUST(clnorm_backward_host(c->op, c->f.rows, &c->args, options, report, error));
    for (int id = 0; id < TENSOR_COUNT; id++)
        for (size_t i = 0; is_output(c, id) && i < GUARD; i++) {
            const unsigned char *data = clnorm_host_array(&c->args, (clnorm_tensor_id)id).data;
            assert_int_equal(data[c->bytes[id] + i], 0x5a);
        }
}

static clnorm_status try_limit(const call *c, uint64_t limit, int copy, clnorm_host_report *report,
                               clnorm_error *error)
{
    clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
    options.max_device_bytes = limit;
    options.copy = copy;
    prepare(c);
    return c->direction == CLNORM_FORWARD
               ? clnorm_forward_host(c->op, c->f.rows, &c->args, &options, report, error)
               : clnorm_backward_host(c->op, c->f.rows, &c->args, &options, report, error);
}

static void prove(const call *c, const char *name)
{
    call before = *c; /* running statistics as they were */
    clnorm_verdict v = CLNORM_VERDICT_INIT;
    void *old[TENSOR_COUNT] = {NULL};
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use use = family_use(&c->f, c->direction, id);
        if (use.role != CLNORM_IN_OUT || !is_output(c, id))
            continue;
        old[id] = pages(c->bytes[id]);
        family_fill(&c->f, use.dtype, id, use.rows * use.cols, SEED, old[id]);
        clnorm_host_array_set(&before.args, (clnorm_tensor_id)id, old[id], 0);
    }
    MUST(clnorm_verify(&c->f.asked, c->direction, clnorm_op_depth(c->op), c->f.rows, 0, &c->args,
                       &before.args, &v, error));
    if (v.wrong)
        fail_msg("%s: %llu wrong, seed %d: %s[%llu, %llu] is %.9g, expected %.9g +- %.3g", name,
                 (unsigned long long)v.wrong, SEED, v.worst_tensor, (unsigned long long)v.worst_row,
                 (unsigned long long)v.worst_col, v.worst_got, v.worst_expected, v.worst_bound);
    assert_true(v.compared > 0);
    for (int id = 0; id < TENSOR_COUNT; id++)
        free(old[id]);
}

/* ---- the family ---------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    bool together[2]; /* forward, backward: needs all rows at once */
    clnorm_desc desc;
} subject;

enum { SUBJECTS = 13, ROWS = 61, COLS = 96 };

static clnorm_desc desc_of_kind(clnorm_kind kind)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    desc.kind = kind;
    desc.cols = COLS;
    return desc;
}

static clnorm_desc of_channels(clnorm_kind kind, uint64_t channels, clnorm_layout layout)
{
    clnorm_desc desc = desc_of_kind(kind);
    desc.channels = channels;
    desc.layout = layout;
    return desc;
}

static clnorm_desc with_mods(uint64_t rows_per_mod, unsigned inputs)
{
    clnorm_desc desc = desc_of_kind(CLNORM_LAYER_NORM);
    desc.inputs = inputs;
    desc.rows_per_mod = rows_per_mod;
    desc.x_dtype = desc.y_dtype = CLNORM_F16;
    return desc;
}

static clnorm_desc quantised(clnorm_kind kind, clnorm_dtype dtype, clnorm_quant quant)
{
    clnorm_desc desc = desc_of_kind(kind);
    desc.y_dtype = dtype;
    desc.quant = quant;
    desc.quant_group = quant == CLNORM_QUANT_GROUP ? 32 : 0;
    return desc;
}

static void make_subjects(subject subjects[SUBJECTS])
{
    const unsigned all = CLNORM_WITH_RESIDUAL | CLNORM_WITH_X_BIAS | CLNORM_WITH_GATE;
    const subject made[SUBJECTS] = {
        {"layer_norm", {false}, desc_of_kind(CLNORM_LAYER_NORM)},
        {"residual, bias, gate for 7 rows each, dropout",
         {false},
         with_mods(7, all | CLNORM_WITH_MODULATION)},
        {"modulation of each row", {false}, with_mods(1, CLNORM_WITH_MODULATION)},
        {"modulation of the tensor", {false}, with_mods(0, CLNORM_WITH_MODULATION)},
        {"given statistics, SiLU", {false}, desc_of_kind(CLNORM_LAYER_NORM)},
        {"weight_norm", {false}, desc_of_kind(CLNORM_WEIGHT_NORM)},
        {"group_norm", {false}, of_channels(CLNORM_GROUP_NORM, 12, CLNORM_NHWC)},
        {"batch_norm", {true, true}, of_channels(CLNORM_BATCH_NORM, 12, CLNORM_NCHW)},
        {"batch_norm, running", {false, true}, of_channels(CLNORM_BATCH_NORM, 12, CLNORM_NHWC)},
        {"i8, asymmetric", {false}, quantised(CLNORM_RMS_NORM, CLNORM_I8, CLNORM_QUANT_GROUP)},
        {"e4m3 in groups", {false}, quantised(CLNORM_LAYER_NORM, CLNORM_E4M3, CLNORM_QUANT_GROUP)},
        {"i8, one scale and zero point",
         {false},
         quantised(CLNORM_LAYER_NORM, CLNORM_I8, CLNORM_QUANT_STATIC)},
        {"groups of a row", {false}, desc_of_kind(CLNORM_RMS_NORM)},
    };
    memcpy(subjects, made, sizeof(made));
    subjects[1].desc.dropout = 0.25;
    subjects[4].desc.stats = CLNORM_STATS_GIVEN;
    subjects[4].desc.act_gate = CLNORM_ACT_AFTER;
    subjects[6].desc.groups = 4;
    subjects[8].desc.stats = CLNORM_STATS_RUNNING;
    subjects[9].desc.quant_asymmetric = 1;
    subjects[11].desc.quant_asymmetric = 1;
    subjects[12].desc.groups = 4;
}

static size_t whole_bytes(const call *c)
{
    size_t bytes = 0;
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (clnorm_host_array(&c->args, (clnorm_tensor_id)id).data)
            bytes += c->bytes[id];
    return bytes;
}

static void expect_same(const call *c, void *const *whole, const char *name, uint64_t limit)
{
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const void *data = clnorm_host_array(&c->args, (clnorm_tensor_id)id).data;
        if (is_output(c, id) && memcmp(data, whole[id], c->bytes[id]) != 0)
            fail_msg("%s, seed %d: %s differs within %llu bytes", name, SEED,
                     clnorm_tensor_name((clnorm_tensor_id)id), (unsigned long long)limit);
    }
}

/* Half of the memory each time, until it is too little. */
static uint64_t squeeze(const call *c, const subject *s, bool together, void *const *whole)
{
    uint64_t most_chunks = 0;
    for (uint64_t limit = whole_bytes(c) * 2; limit > 16; limit /= 2)
        for (int copy = is_oclgrind(); copy < 2; copy++) {
            clnorm_host_report report = CLNORM_HOST_REPORT_INIT;
            clnorm_error error = {.text = ""};
            const clnorm_status status = try_limit(c, limit, copy, &report, &error);
            if (status == CLNORM_OUT_OF_MEMORY) {
                if (together && !strstr(error.text, "needs all rows at once"))
                    fail_msg("%s", error.text);
                return most_chunks;
            }
            if (status != CLNORM_OK)
                fail_msg("%s: %s", s->name, error.text);
            assert_false(copy && report.zero_copy);
            expect_same(c, whole, s->name, limit);
            most_chunks = report.chunks > most_chunks ? report.chunks : most_chunks;
        }
    fail_msg("%s: 16 bytes are enough", s->name);
    return 0;
}

static void squeeze_one(const fixture *f, const subject *s, clnorm_direction direction)
{
    call c = call_open(f, &s->desc, direction, is_oclgrind() ? 19 : ROWS);
    void *whole[TENSOR_COUNT] = {NULL};
    clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
    options.copy = 1;
    run(&c, &options, NULL);
    prove(&c, s->name);
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (is_output(&c, id)) {
            whole[id] = pages(c.bytes[id]);
            memcpy(whole[id], clnorm_host_array(&c.args, (clnorm_tensor_id)id).data, c.bytes[id]);
        }
    const bool together = s->together[direction];
    const uint64_t chunks = squeeze(&c, s, together, whole);
    printf("%s, %s: at most %llu chunks\n", s->name, direction ? "backward" : "forward",
           (unsigned long long)chunks);
    if (together)
        assert_int_equal(chunks, 1);
    else
        assert_true(chunks > 2);
    for (int id = 0; id < TENSOR_COUNT; id++)
        free(whole[id]);
    call_close(&c);
}

static void test_chunks_change_no_bit(void **state)
{
    subject subjects[SUBJECTS];
    make_subjects(subjects);
    const size_t step = is_on("intel-cpu") ? 1 : 3; /* elsewhere all take minutes to build */
    for (size_t i = 0; i < SUBJECTS; i += step)
        for (int direction = CLNORM_FORWARD; direction <= CLNORM_BACKWARD; direction++)
            squeeze_one(*state, &subjects[i], (clnorm_direction)direction);
}

/* ---- one by one ---------------------------------------------------------------------------- */

/* Copies a matrix into one with gaps that hold a pattern. */
static void spread(call *c, clnorm_tensor_id id, uint64_t stride)
{
    const clnorm_tensor_use use = family_use(&c->f, c->direction, (int)id);
    const size_t element = clnorm_dtype_bytes(use.dtype);
    const size_t pitch = (size_t)stride * element, width = (size_t)use.cols * element;
    char *old = clnorm_host_array(&c->args, id).data;
    char *data = pages(use.rows * pitch);
    memset(data, 0x5a, use.rows * pitch);
    for (uint64_t row = 0; row < use.rows; row++)
        memcpy(data + row * pitch, old + row * width, width);
    free(old);
    clnorm_host_array_set(&c->args, id, data, stride);
}

static void expect_gaps(const call *c, clnorm_tensor_id id, uint64_t stride)
{
    const clnorm_tensor_use use = family_use(&c->f, c->direction, (int)id);
    const size_t element = clnorm_dtype_bytes(use.dtype);
    const unsigned char *data = clnorm_host_array(&c->args, id).data;
    for (size_t i = 0; i < use.rows * stride * element; i++)
        if (i / element % stride >= use.cols)
            assert_int_equal(data[i], 0x5a);
}

static void test_gaps_between_rows_stay(void **state)
{
    static const clnorm_tensor_id matrices[2][3] = {{TENSOR_y, TENSOR_x, TENSOR_scale},
                                                    {TENSOR_dx, TENSOR_dy, TENSOR_dscale}};
    if (is_oclgrind()) /* takes what clEnqueueWriteBufferRect wrote for uninitialized */
        skip();
    for (int direction = CLNORM_FORWARD; direction <= CLNORM_BACKWARD; direction++)
        for (int copy = 0; copy < 2; copy++) {
            const clnorm_desc desc = with_mods(3, CLNORM_WITH_MODULATION);
            call c = call_open(*state, &desc, (clnorm_direction)direction, 7);
            clnorm_host_report report = CLNORM_HOST_REPORT_INIT;
            prepare(&c);
            for (size_t i = 0; i < 3; i++)
                spread(&c, matrices[direction][i], 128);
            clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
            options.copy = copy;
            if (direction == CLNORM_FORWARD)
                MUST(clnorm_forward_host(c.op, 7, &c.args, &options, &report, error));
            else
                MUST(clnorm_backward_host(c.op, 7, &c.args, &options, &report, error));
            prove(&c, "gaps");
            for (size_t i = 0; i < 3; i++)
                expect_gaps(&c, matrices[direction][i], 128);
            call_close(&c);
        }
}

/* Outputs in the place of an input, and inputs that are one array. */
static void test_in_place(void **state)
{
    static const struct {
        clnorm_direction direction;
        clnorm_tensor_id output, input;
    } pairs[] = {
        {CLNORM_FORWARD, TENSOR_y, TENSOR_x},
        {CLNORM_FORWARD, TENSOR_sum, TENSOR_x},
        {CLNORM_FORWARD, TENSOR_sum, TENSOR_residual},
        {CLNORM_BACKWARD, TENSOR_dx, TENSOR_dy},
        {CLNORM_BACKWARD, TENSOR_dx, TENSOR_dsum},
        {CLNORM_BACKWARD, TENSOR_dresidual, TENSOR_dsum},
    };
    clnorm_desc desc = desc_of_kind(CLNORM_LAYER_NORM);
    desc.inputs = CLNORM_WITH_RESIDUAL;
    for (size_t i = 0; i < COUNT(pairs); i++)
        for (int copy = 0; copy < 2; copy++) {
            const clnorm_tensor_id out = pairs[i].output, in = pairs[i].input;
            call c = call_open(*state, &desc, pairs[i].direction, 50);
            clnorm_host_report report = CLNORM_HOST_REPORT_INIT;
            run(&c, NULL, &report);
            call same = c;
            void *both = pages(c.bytes[out]);
            memcpy(both, clnorm_host_array(&c.args, in).data, c.bytes[in]);
            void *expected = pages(c.bytes[out]);
            memcpy(expected, clnorm_host_array(&c.args, out).data, c.bytes[out]);
            clnorm_host_array_set(&same.args, in, both, 0);
            clnorm_host_array_set(&same.args, out, both, 0);
            clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
            options.copy = copy;
            if (c.direction == CLNORM_FORWARD)
                MUST(clnorm_forward_host(c.op, 50, &same.args, &options, &report, error));
            else
                MUST(clnorm_backward_host(c.op, 50, &same.args, &options, &report, error));
            if (memcmp(both, expected, c.bytes[out]) != 0)
                fail_msg("%s = %s, copy %d: other bits", clnorm_tensor_name(out),
                         clnorm_tensor_name(in), copy);
            free(both);
            free(expected);
            call_close(&c);
        }
}

static void test_one_array_as_two_inputs(void **state)
{
    clnorm_desc desc = desc_of_kind(CLNORM_LAYER_NORM);
    desc.inputs = CLNORM_WITH_RESIDUAL;
    call c = call_open(*state, &desc, CLNORM_FORWARD, 20);
    free((void *)(uintptr_t)c.args.residual.data);
    c.args.residual = c.args.x;
    run(&c, NULL, NULL);
    prove(&c, "x as residual");
    c.args.residual.data = NULL;
    call_close(&c);
}

typedef struct {
    uint64_t last, stop_after, calls;
} watcher;

static int watch(void *user, uint64_t rows_done, uint64_t rows)
{
    watcher *w = user;
    assert_int_equal(rows, ROWS);
    assert_true(rows_done > w->last && rows_done <= rows);
    w->last = rows_done;
    w->calls++;
    return w->stop_after && rows_done >= w->stop_after;
}

static void test_progress_and_stop(void **state)
{
    const clnorm_desc desc = desc_of_kind(CLNORM_LAYER_NORM);
    for (int direction = CLNORM_FORWARD; direction <= CLNORM_BACKWARD; direction++) {
        call c = call_open(*state, &desc, (clnorm_direction)direction, ROWS);
        watcher w = {0, 0, 0};
        clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
        options.max_device_bytes = whole_bytes(&c) / 2;
        options.progress = watch;
        options.user = &w;
        run(&c, &options, NULL);
        assert_int_equal(w.last, ROWS);
        assert_true(w.calls > 2);
        w = (watcher){0, ROWS / 2, 0};
        EXPECT_ERROR(direction == CLNORM_FORWARD
                         ? clnorm_forward_host(c.op, ROWS, &c.args, &options, NULL, error)
                         : clnorm_backward_host(c.op, ROWS, &c.args, &options, NULL, error),
                     CLNORM_CANCELLED, "stopped after", "of 61 rows");
        assert_true(w.last < ROWS);
        call_close(&c);
    }
}

static void test_a_row_that_does_not_fit(void **state)
{
    const clnorm_desc desc = desc_of_kind(CLNORM_LAYER_NORM);
    call c = call_open(*state, &desc, CLNORM_FORWARD, 3);
    clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
    options.max_device_bytes = 1000;
    /* x, y, weight, bias of 96 floats, mean and rstd */
    EXPECT_ERROR(clnorm_forward_host(c.op, 3, &c.args, &options, NULL, error), CLNORM_OUT_OF_MEMORY,
                 "one row needs 1544 bytes", "1000 are allowed");
    call_close(&c);
}

static void test_no_rows(void **state)
{
    const clnorm_desc desc = desc_of_kind(CLNORM_LAYER_NORM);
    call c = call_open(*state, &desc, CLNORM_BACKWARD, 3);
    static const char zeroes[COLS * sizeof(float)];
    const clnorm_host_args none = CLNORM_HOST_ARGS_INIT;
    prepare(&c);
    MUST(clnorm_forward_host(c.op, 0, &none, NULL, NULL, error));
    EXPECT_ERROR(clnorm_forward_host(c.op, 0, &c.args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "dy is given", "no use");
    MUST(clnorm_backward_host(c.op, 0, &c.args, NULL, NULL, error));
    assert_memory_equal(c.args.dweight.data, zeroes, sizeof(zeroes));
    assert_memory_equal(c.args.dbias.data, zeroes, sizeof(zeroes));
    assert_int_equal(((unsigned char *)c.args.dx.data)[0], 0x5a);
    call_close(&c);
}

static void test_arrays_that_cannot_be(void **state)
{
    const clnorm_desc desc = desc_of_kind(CLNORM_LAYER_NORM);
    call c = call_open(*state, &desc, CLNORM_FORWARD, 4);
    clnorm_host_args args = c.args;
    args.x.data = NULL;
    EXPECT_ERROR(clnorm_forward_host(c.op, 4, &args, NULL, NULL, error), CLNORM_BAD_ARGS, "x is",
                 "NULL");
    args = c.args;
    args.y.data = (char *)c.args.y.data + 1;
    EXPECT_ERROR(clnorm_forward_host(c.op, 3, &args, NULL, NULL, error), CLNORM_BAD_ARGS, "y is at",
                 "aligned to f32");
    args = c.args;
    args.y.data = (char *)(uintptr_t)c.args.x.data + 64;
    EXPECT_ERROR(clnorm_forward_host(c.op, 3, &args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "y overlaps x", "may be x");
    args = c.args;
    args.mean.data = (void *)(uintptr_t)c.args.weight.data;
    EXPECT_ERROR(clnorm_forward_host(c.op, 3, &args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "mean overlaps weight", "must not");
    args = c.args;
    args.x.stride = COLS - 1;
    EXPECT_ERROR(clnorm_forward_host(c.op, 3, &args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "x.stride is 95", "96");
    args = c.args;
    args.dx.data = c.args.y.data;
    EXPECT_ERROR(clnorm_forward_host(c.op, 3, &args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "dx is given", "no use");
    EXPECT_ERROR(clnorm_backward_host(c.op, 3, &c.args, NULL, NULL, error), CLNORM_BAD_ARGS, "y is",
                 "no use");
    args = c.args;
    args.struct_size = 0;
    EXPECT_ERROR(clnorm_forward_host(c.op, 4, &args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "args.struct_size is 0", "not");
    call_close(&c);
}

static void test_a_batch_of_one_has_no_variance(void **state)
{
    clnorm_desc desc = of_channels(CLNORM_BATCH_NORM, COLS, CLNORM_NCHW);
    desc.ddof = 1;
    call c = call_open(*state, &desc, CLNORM_FORWARD, 2);
    EXPECT_ERROR(clnorm_forward_host(c.op, 1, &c.args, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "rows is 1", "ddof 1");
    call_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunks_change_no_bit),
        cmocka_unit_test(test_gaps_between_rows_stay),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_one_array_as_two_inputs),
        cmocka_unit_test(test_progress_and_stop),
        cmocka_unit_test(test_a_row_that_does_not_fit),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_arrays_that_cannot_be),
        cmocka_unit_test(test_a_batch_of_one_has_no_variance),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

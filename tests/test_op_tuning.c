/* SPDX-License-Identifier: MIT */
/* Parameters are really used, from the descriptor and from the user's table, are right within the
 * bound, and the bits of a row do not depend on how many there are. */
#define _XOPEN_SOURCE 700 /* mkstemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "device.h"
#include "ops/usual.h"
#include "runtime/subgroup.h"

enum { ROWS = 11 };

/* Those that each device takes as they are: Oclgrind runs with groups of 16. */
static const char *const overrides[] = {
    "form=sequential vec=2 group=1 team=1",  "form=sequential vec=4 group=1 team=1",
    "form=sequential vec=16 group=1 team=1", "form=cooperative vec=2 group=16 team=16",
    "form=held vec=8 group=16 team=16",      "form=sliced vec=2 group=16 team=8",
};

static bool is_used(const clnorm_op *op, const char *fields)
{
    char text[CLNORM_TUNING_BYTES];
    MUST(clnorm_op_tuning(op, text, sizeof(text), error));
    return !strncmp(text, fields, strlen(fields));
}

static void expect_used(const clnorm_op *op, const char *fields)
{
    char text[CLNORM_TUNING_BYTES];
    MUST(clnorm_op_tuning(op, text, sizeof(text), error));
    if (!is_used(op, fields))
        fail_msg("'%s' is asked for, '%s' is used", fields, text);
}

static void run(const fixture *f, problem *p, uint64_t rows)
{
    memset(p->y, 0x5a, p->bytes);
    MUST(clEnqueueWriteBuffer(f->queue, p->args.y.buffer, CL_TRUE, 0, p->bytes, p->y, 0, NULL,
                              NULL));
    MUST(clnorm_forward(p->op, f->queue, rows, &p->args, 0, NULL, NULL, error));
    read_back(f, p->args.y.buffer, p->bytes, p->y);
}

static void test_an_override_is_used(void **state)
{
    const fixture *f = *state;
    for (size_t i = 0; i < sizeof(overrides) / sizeof(overrides[0]); i++) {
        clnorm_desc desc = desc_of(100);
        desc.tuning = overrides[i];
        problem p = problem_open(f, desc, ROWS, "normal");
        expect_used(p.op, overrides[i]);
        assert_null(clnorm_op_desc(p.op)->tuning);
        run(f, &p, ROWS);
        expect_right(&p);
        float *all = malloc(p.bytes);
        memcpy(all, p.y, p.bytes);
        for (uint64_t rows = 1; rows < ROWS; rows += 3) {
            run(f, &p, rows);
            if (memcmp(all, p.y, (size_t)(rows * desc.cols) * sizeof(float)))
                fail_msg("%s: %llu rows have other bits than %d, seed 7", overrides[i],
                         (unsigned long long)rows, ROWS);
        }
        free(all);
        problem_close(&p);
    }
}

/* The device's limit, and rows that a form cannot take, are no failure. */
static void test_an_override_is_limited(void **state)
{
    const fixture *f = *state;
    clnorm_desc desc = desc_of(100);
    desc.tuning = "form=cooperative vec=16 group=1024 team=1024";
    problem p = problem_open(f, desc, ROWS, "normal");
    run(f, &p, ROWS);
    expect_right(&p);
    problem_close(&p);
    desc.tuning = "form=sliced vec=2 group=4 team=2"; /* 50 vectors for a work-item */
    p = problem_open(f, desc, ROWS, "normal");
    assert_false(is_used(p.op, "form=sliced"));
    run(f, &p, ROWS);
    expect_right(&p);
    problem_close(&p);
}

/* 700 columns: the last work-items of a team have none, or not a whole vector. */
static void test_totals_by_sub_groups(void **state)
{
    static const char *const texts[] = {
        "form=sliced vec=4 group=128 team=32 subgroups=intel",
        "form=held vec=4 group=64 team=64 subgroups=intel",
        "form=cooperative vec=4 group=64 team=64 subgroups=intel",
        "form=held vec=4 group=64 team=64 subgroups=khr",
        "form=cooperative vec=4 group=64 team=64 subgroups=khr",
    };
    const fixture *f = *state;
    const clnorm_subgroups has = clnorm_subgroups_of(clnorm_context_device(f->context));
    if (!has.intel && !has.khr)
        skip();
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        clnorm_desc desc = desc_of(700);
        if (strstr(texts[i], "khr") ? !has.khr : !has.intel)
            continue;
        desc.tuning = texts[i];
        problem p = problem_open(f, desc, ROWS, "mean_1e6");
        expect_used(p.op, texts[i]);
        run(f, &p, ROWS);
        expect_right(&p);
        problem_close(&p);
    }
}

static void test_too_little_room_for_the_text(void **state)
{
    const fixture *f = *state;
    const clnorm_desc desc = desc_of(8);
    char text[CLNORM_TUNING_BYTES];
    clnorm_op *op;
    MUST(clnorm_op_create(f->context, &desc, &op, error));
    MUST(clnorm_op_tuning(op, text, sizeof(text), error));
    const size_t needed = strlen(text) + 1;
    MUST(clnorm_op_tuning(op, text, needed, error));
    char number[32];
    snprintf(number, sizeof(number), "%zu bytes", needed);
    EXPECT_ERROR(clnorm_op_tuning(op, text, needed - 1, error), CLNORM_BAD_ARGS, "bytes is",
                 number);
    EXPECT_ERROR(clnorm_op_tuning(op, NULL, 99, error), CLNORM_BAD_ARGS, "text is NULL", number);
    clnorm_op_destroy(op);
}

/* ---- the user's table ---------------------------------------------------------------------- */

static void count_warnings(void *user, clnorm_log_level level, const char *text)
{
    printf("log: %s\n", text);
    *(int *)user += level == CLNORM_LOG_WARNING;
}

static void write_table(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void expect_of_table(clnorm_context *context, clnorm_desc desc, const char *fields)
{
    clnorm_op *op;
    MUST(clnorm_op_create(context, &desc, &op, error));
    expect_used(op, fields);
    clnorm_op_destroy(op);
}

static void test_a_table_is_used(void **state)
{
    (void)state;
    char path[] = "/tmp/clnorm-tuning-XXXXXX";
    int warnings = 0;
    clnorm_context *context;
    close(mkstemp(path));
    write_table(path, "# of a test\n"
                      "kind=layer_norm cols=1..99 form=sequential vec=2\n"
                      "cols=100..200 driver=\"of old\" form=cooperative vec=2 group=16\r\n"
                      "cols=100..200 form=rusty\n"
                      "cols=100..200 elsewhere=1 vec=16\n");
    MUST(clnorm_context_create(NULL, count_warnings, &warnings, &context, error));
    MUST(clnorm_context_set_tuning(context, path, error));
    assert_int_equal(warnings, 2);
    expect_of_table(context, desc_of(99), "form=sequential vec=2");
    expect_of_table(context, desc_of(100), "form=cooperative vec=2 group=16 team=16");
    expect_of_table(context, desc_of(200), "form=cooperative vec=2 group=16 team=16");
    assert_int_equal(warnings, 3); /* another driver is told once */
    clnorm_desc desc = desc_of(100);
    desc.tuning = "form=sequential vec=16"; /* goes first */
    expect_of_table(context, desc, "form=sequential vec=16");
    desc.tuning = NULL;
    desc.form = CLNORM_FORM_SEQUENTIAL; /* the record is of another form */
    expect_of_table(context, desc, "form=sequential");
    EXPECT_ERROR(clnorm_context_set_tuning(context, "", error), CLNORM_BAD_ARGS, "path", "empty");
    EXPECT_ERROR(clnorm_context_set_tuning(NULL, path, error), CLNORM_BAD_ARGS, "context", "NULL");
    remove(path);
    MUST(clnorm_context_set_tuning(context, path, error)); /* an empty table now */
    assert_int_equal(warnings, 3);
    desc = desc_of(99);
    desc.kind = CLNORM_RMS_NORM;
    clnorm_op *op;
    MUST(clnorm_op_create(context, &desc, &op, error));
    assert_false(is_used(op, "form=sequential vec=2 "));
    clnorm_op_destroy(op);
    clnorm_context_destroy(context);
}

/* What the op says of itself gives the same op again, and no sub-groups where there were none. */
static void test_the_text_is_taken_back(void **state)
{
    const fixture *f = *state;
    for (size_t i = 0; i < sizeof(overrides) / sizeof(overrides[0]); i++) {
        char asked[CLNORM_TUNING_BYTES], first[CLNORM_TUNING_BYTES], second[CLNORM_TUNING_BYTES];
        clnorm_desc desc = desc_of(100);
        clnorm_op *op;
        snprintf(asked, sizeof(asked), "%s subgroups=off", overrides[i]);
        desc.tuning = asked;
        MUST(clnorm_op_create(f->context, &desc, &op, error));
        MUST(clnorm_op_tuning(op, first, sizeof(first), error));
        clnorm_op_destroy(op);
        desc.tuning = first;
        MUST(clnorm_op_create(f->context, &desc, &op, error));
        MUST(clnorm_op_tuning(op, second, sizeof(second), error));
        assert_string_equal(first, second);
        clnorm_op_destroy(op);
    }
}

/* A backward kernel may be in another form than the op, and need what the op's own does not. */
static void test_alignment_is_that_of_all_forms(void **state)
{
    const fixture *f = *state;
    clnorm_desc desc = desc_of(64);
    desc.form = CLNORM_FORM_SEQUENTIAL;
    problem p = problem_open(f, desc, ROWS, "normal");
    bool any = false;
    for (size_t i = 0; i < p.op->n_candidates; i++)
        any = any || clnorm_may_align(&p.op->desc, &p.op->candidates[i]);
    assert_true(clnorm_is_usual(p.op, CLNORM_FORWARD, &p.args));
    p.args.x.offset = 1;
    assert_int_equal(clnorm_is_usual(p.op, CLNORM_FORWARD, &p.args), !any);
    p.args.x.offset = 0;
    problem_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_override_is_used),
        cmocka_unit_test(test_an_override_is_limited),
        cmocka_unit_test(test_totals_by_sub_groups),
        cmocka_unit_test(test_the_text_is_taken_back),
        cmocka_unit_test(test_alignment_is_that_of_all_forms),
        cmocka_unit_test(test_too_little_room_for_the_text),
        cmocka_unit_test(test_a_table_is_used),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

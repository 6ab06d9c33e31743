/* SPDX-License-Identifier: MIT */
/* Risk: a kernel that the driver breaks is used, or a sound one is not; tests that are run again
 * and again, or that touch what is the application's. The layer plays the broken driver. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../cache_dir.h"
#include "../device.h"
#include "loaded.h"
#include "ops/op.h"

enum { ROWS = 5, COLS = 40 };

typedef struct {
    int passed, failed, known; /* known: verdicts against a kernel, out of files */
    char wrong[1024], right[1024]; /* the last of each */
} lines;

static void take_line(void *user, clnorm_log_level level, const char *text)
{
    lines *log = user;
    log->known += strstr(text, "failed its self-test before") != NULL;
    if (strncmp(text, "self-test of ", 13) != 0)
        return;
    log->passed += strstr(text, ": passed") != NULL;
    log->failed += level == CLNORM_LOG_WARNING;
    snprintf(level == CLNORM_LOG_WARNING ? log->wrong : log->right, sizeof(log->right), "%s", text);
}

/* A context of its own, which knows of no test yet. */
static fixture fresh(const fixture *f, lines *log)
{
    fixture own = *f;
    *log = (lines){.passed = 0};
    MUST(clnorm_context_wrap(f->cl, f->device, take_line, log, &own.context, error));
    return own;
}

static clnorm_desc desc_in(clnorm_form form)
{
    clnorm_desc desc = desc_of(COLS);
    desc.form = form;
    return desc;
}

/* y of a call is right, and no launch of it was falsified. */
static void expect_sound(const fixture *f, const problem *p)
{
    const unsigned long before = layer_find()->falsified();
    MUST(clnorm_forward(p->op, f->queue, ROWS, &p->args, 0, NULL, NULL, error));
    read_back(f, p->args.y.buffer, p->bytes, p->y);
    assert_int_equal(layer_find()->falsified(), before);
    expect_right(p);
}

/* Launches that the creation of an op takes. */
static unsigned long launches_of_create(const fixture *f, const clnorm_desc *desc)
{
    const struct layer *layer = layer_find();
    clnorm_op *op = NULL;
    layer->reset();
    MUST(clnorm_op_create(f->context, desc, &op, error));
    clnorm_op_destroy(op);
    return layer->calls("clEnqueueNDRangeKernel");
}

static void test_a_verdict_is_kept(void **state)
{
    lines log;
    const fixture f = fresh(*state, &log);
    clnorm_desc desc = desc_of(COLS);
    const unsigned long first = launches_of_create(&f, &desc);
    assert_true(first > 0 && log.passed == 1);
    assert_int_equal(first, log.passed + log.failed);
    desc.eps = 1e-3; /* no matter for the program */
    assert_int_equal(launches_of_create(&f, &desc), 0);
    MUST(clnorm_context_set_self_test(f.context, CLNORM_SELF_TEST_ALWAYS, error));
    assert_int_equal(launches_of_create(&f, &desc), first);
    assert_int_equal(launches_of_create(&f, &desc), first);
    assert_int_equal(log.passed, 3);
    MUST(clnorm_context_set_self_test(f.context, CLNORM_SELF_TEST_OFF, error));
    desc.kind = CLNORM_RMS_NORM;
    assert_int_equal(launches_of_create(&f, &desc), 0);
    assert_int_equal(log.passed, 3);
    clnorm_context_destroy(f.context);
}

/* A rule for the programs of a form: its group on this device, or an option that it has alone. */
static void rule_of(const fixture *f, clnorm_form form, const char *kernel, char rule[80])
{
    lines log;
    const fixture own = fresh(f, &log);
    const clnorm_desc desc = desc_in(form);
    unsigned group = 0;
    launches_of_create(&own, &desc);
    const char *at = strstr(log.right, "group ");
    assert_true(at && sscanf(at, "group %u", &group) == 1);
    if (group == 1)
        snprintf(rule, 80, "%s: -DNARROW=1 -DGIVEN=3 -DCPU_HINTS=1 ", kernel);
    else
        snprintf(rule, 80, "%s: -DGROUP_SIZE=%u ", kernel, group);
    clnorm_context_destroy(own.context);
}

/* The op of a new context with a cache, as a process has it. */
static lines create_with_cache(const fixture *shared, const cache_fixture *files,
                               clnorm_self_test_policy policy)
{
    lines log;
    clnorm_op *op = NULL;
    const clnorm_desc desc = desc_of(COLS);
    const fixture f = fresh(shared, &log);
    MUST(clnorm_context_set_cache(f.context, files->path, 0, error));
    MUST(clnorm_context_set_self_test(f.context, policy, error));
    MUST(clnorm_op_create(f.context, &desc, &op, error));
    clnorm_op_destroy(op);
    clnorm_context_destroy(f.context);
    return log;
}

/* The forward kernel that this device has for plain calls. */
static void falsify_first_form(const fixture *shared)
{
    char rule[80];
    rule_of(shared, CLNORM_FORM_AUTO, "forward_norm", rule);
    layer_find()->falsify(rule);
}

static void test_a_verdict_is_kept_in_files(void **state)
{
    const fixture *f = *state;
    void *files_state = NULL;
    /* the one has no binaries; the other's first form is the last, which no rule tells from it */
    if (is_oclgrind() || is_on("rusticl"))
        skip();
    cache_fixture_open(&files_state);
    const cache_fixture *files = files_state;
    lines log = create_with_cache(f, files, CLNORM_SELF_TEST_OFF);
    assert_true(log.passed == 0 && count_kind(&files->dir, CLNORM_CACHE_ENTRY) == 1);
    log = create_with_cache(f, files, CLNORM_SELF_TEST_FIRST_USE);
    assert_int_equal(log.passed, 1);
    log = create_with_cache(f, files, CLNORM_SELF_TEST_FIRST_USE);
    assert_int_equal(log.passed, 0);
    /* what was right and is wrong now is compiled anew before it is given up */
    falsify_first_form(f);
    log = create_with_cache(f, files, CLNORM_SELF_TEST_ALWAYS);
    assert_true(log.failed > 0 && log.known == 0);
    log = create_with_cache(f, files, CLNORM_SELF_TEST_FIRST_USE);
    assert_true(log.failed > 0 && log.known == 0);
    layer_find()->falsify(NULL);
    log = create_with_cache(f, files, CLNORM_SELF_TEST_FIRST_USE);
    assert_true(log.failed == 0 && log.passed == 0 && log.known > 0);
    log = create_with_cache(f, files, CLNORM_SELF_TEST_ALWAYS);
    assert_int_equal(log.passed, 1); /* the first form is there again */
    log = create_with_cache(f, files, CLNORM_SELF_TEST_FIRST_USE);
    assert_true(log.failed == 0 && log.passed == 0 && log.known == 0);
    cache_fixture_close(&files_state);
}

/* The program is that of rows of any length. */
static void test_a_verdict_of_short_rows_has_vectors(void **state)
{
    lines log;
    const fixture f = fresh(*state, &log);
    clnorm_op *op = NULL;
    clnorm_desc desc = desc_of(1);
    unsigned long long rows = 0, cols = 0;
    desc.form = CLNORM_FORM_SEQUENTIAL;
    layer_find()->falsify("forward_norm");
    EXPECT_ERROR(clnorm_op_create(f.context, &desc, &op, error), CLNORM_UNSUPPORTED,
                 "fails the self-test", "'forward'");
    const char *at = strstr(log.wrong, " is right, in ");
    assert_true(at && sscanf(at, " is right, in %llu rows of %llu", &rows, &cols) == 2);
    assert_in_range(cols, 33, 100000);
    clnorm_context_destroy(f.context);
}

static void test_a_bad_policy_is_refused(void **state)
{
    const fixture *f = *state;
    EXPECT_ERROR(clnorm_context_set_self_test(f->context, (clnorm_self_test_policy)7, error),
                 CLNORM_BAD_ARGS, "7", "ALWAYS");
    EXPECT_ERROR(clnorm_context_set_self_test(NULL, CLNORM_SELF_TEST_OFF, error), CLNORM_BAD_ARGS,
                 "context", "NULL");
}

static void expect_another_form(const fixture *shared, clnorm_form form)
{
    lines log;
    char rule[80];
    const clnorm_desc desc = desc_in(form);
    rule_of(shared, form, "forward_norm", rule);
    const fixture f = fresh(shared, &log);
    layer_find()->reset();
    layer_find()->falsify(rule);
    problem p = problem_open(&f, desc, ROWS, "normal");
    const unsigned long falsified = layer_find()->falsified();
    printf("%s: %lu launches were falsified, form %d is used\n", rule, falsified,
           (int)clnorm_op_desc(p.op)->form);
    assert_int_equal(log.passed, 1);
    assert_true((unsigned long)log.failed >= falsified);
    if (form != CLNORM_FORM_SEQUENTIAL) {
        assert_true(falsified > 0 && clnorm_op_desc(p.op)->form != form);
        assert_non_null(strstr(log.wrong, "failed, and is not used: element 0 of y is"));
    }
    expect_sound(&f, &p);
    const clnorm_op_health health = clnorm_op_health_of(p.op);
    assert_true((health.passed_over > 0) == (log.failed > 0) && !health.disabled);
    assert_int_equal(launches_of_create(&f, &desc), 0); /* a second op knows */
    problem_close(&p);
    clnorm_context_destroy(f.context);
}

static void test_the_next_form_takes_over(void **state)
{
    expect_another_form(*state, CLNORM_FORM_COOPERATIVE);
    expect_another_form(*state, CLNORM_FORM_SEQUENTIAL);
}

static void test_two_forms_in_a_row_fail(void **state)
{
    lines log;
    const fixture f = fresh(*state, &log);
    layer_find()->falsify("forward_norm: -DCENTER=1 -DGIVEN=3 "); /* of teams */
    problem p = problem_open(&f, desc_in(CLNORM_FORM_HELD), ROWS, "normal");
    assert_int_equal(clnorm_op_desc(p.op)->form, CLNORM_FORM_SEQUENTIAL);
    assert_true(log.failed >= 2);
    expect_sound(&f, &p);
    problem_close(&p);
    clnorm_context_destroy(f.context);
}

static void test_all_forms_fail(void **state)
{
    lines log;
    const fixture f = fresh(*state, &log);
    clnorm_op *op = NULL;
    const clnorm_desc desc = desc_of(COLS);
    layer_find()->falsify("forward_norm");
    EXPECT_ERROR(clnorm_op_create(f.context, &desc, &op, error), CLNORM_UNSUPPORTED,
                 "fails the self-test", "'forward'");
    assert_null(op);
    assert_true(log.failed >= 2);
    MUST(clnorm_context_set_self_test(f.context, CLNORM_SELF_TEST_OFF, error));
    MUST(clnorm_op_create(f.context, &desc, &op, error)); /* it is the application's risk */
    assert_true(clnorm_op_health_of(op).disabled);
    clnorm_op_destroy(op);
    clnorm_context_destroy(f.context);
}

/* dx in the form that is left, and dweight with it. */
static void test_a_broken_backward_pass_gives_way(void **state)
{
    lines log;
    char rule[80];
    rule_of(*state, CLNORM_FORM_COOPERATIVE, "backward_norm", rule);
    const fixture f = fresh(*state, &log);
    const size_t bytes = ROWS * COLS * sizeof(float), params = COLS * sizeof(float);
    float dy[ROWS * COLS], dx[ROWS * COLS], dweight[COLS], dbias[COLS];
    layer_find()->falsify(rule);
    problem p = problem_open(&f, desc_in(CLNORM_FORM_COOPERATIVE), ROWS, "normal");
    for (int i = 0; i < ROWS * COLS; i++)
        dy[i] = (float)(i % 7) - 2;
    clnorm_args args = CLNORM_ARGS_INIT;
    args.x = p.args.x;
    args.weight = p.args.weight;
    args.bias = p.args.bias;
    args.dy.buffer = buffer_of(&f, CL_MEM_READ_WRITE, bytes, dy);
    args.dx.buffer = buffer_of(&f, CL_MEM_READ_WRITE, bytes, dy);
    args.dweight.buffer = buffer_of(&f, CL_MEM_READ_WRITE, params, dy);
    args.dbias.buffer = buffer_of(&f, CL_MEM_READ_WRITE, params, dy);
    MUST(clnorm_backward(p.op, f.queue, ROWS, &args, 0, NULL, NULL, error));
    read_back(&f, args.dx.buffer, bytes, dx);
    read_back(&f, args.dweight.buffer, params, dweight);
    read_back(&f, args.dbias.buffer, params, dbias);
    const clnorm_host_args host = {.struct_size = sizeof(host),
                                   .x = {p.x, 0},
                                   .weight = {p.weight, 0},
                                   .bias = {p.bias, 0},
                                   .dy = {dy, 0},
                                   .dx = {dx, 0},
                                   .dweight = {dweight, 0},
                                   .dbias = {dbias, 0}};
    clnorm_verdict v = CLNORM_VERDICT_INIT;
    MUST(clnorm_verify(&p.desc, CLNORM_BACKWARD, clnorm_op_depth(p.op), ROWS, 0, &host, NULL, &v,
                       error));
    if (v.wrong || v.compared < ROWS * COLS + 2 * COLS)
        fail_msg("%llu of %llu wrong: %s[%llu, %llu] is %.9g, expected %.9g +- %.3g",
                 (unsigned long long)v.wrong, (unsigned long long)v.compared, v.worst_tensor,
                 (unsigned long long)v.worst_row, (unsigned long long)v.worst_col, v.worst_got,
                 v.worst_expected, v.worst_bound);
    /* forward, the second form of backward, sums */
    printf("%d passed, %d failed: %s\n", log.passed, log.failed, log.wrong);
    assert_true(log.failed > 0 && log.passed == 3);
    clReleaseMemObject(args.dy.buffer);
    clReleaseMemObject(args.dx.buffer);
    clReleaseMemObject(args.dweight.buffer);
    clReleaseMemObject(args.dbias.buffer);
    problem_close(&p);
    clnorm_context_destroy(f.context);
}

/* ---- all forms of a device ----------------------------------------------------------------- */

enum { MOST_RESULTS = 64 };
typedef struct {
    int right, wrong, last; /* which is the last that is wanted; 0: all are */
    char names[MOST_RESULTS][128];
} counted;

/* What a report shows of a kernel tells it from all others. */
static int count_result(void *user, const clnorm_self_test_result *result)
{
    counted *count = user;
    const int n = count->right + count->wrong;
    assert_true(n < MOST_RESULTS);
    snprintf(count->names[n], sizeof(count->names[n]), "form %d, %s, %u, %u, %u, %u",
             (int)result->form, result->kernel, result->vec, result->group, result->team,
             result->subgroups);
    for (int i = 0; i < n; i++)
        assert_string_not_equal(count->names[i], count->names[n]);
    count->right += result->status == CLNORM_OK;
    count->wrong += result->status == CLNORM_UNSUPPORTED;
    if (result->status != CLNORM_OK)
        printf("%s: %s\n", count->names[n], result->text);
    return n + 1 == count->last;
}

static void test_the_device_is_tested(void **state)
{
    lines log;
    if (!is_on("intel-cpu") && !is_oclgrind()) /* twenty programs, which others take a minute for */
        skip();
    const fixture f = fresh(*state, &log);
    counted sound = {0}, broken_one = {0}, ended = {.last = 2};
    MUST(clnorm_self_test(f.context, count_result, &sound, error));
    assert_true(sound.right >= 8 && sound.wrong == 0); /* two forms, four kernels */
    layer_find()->falsify("add_lines");
    EXPECT_ERROR(clnorm_self_test(f.context, count_result, &broken_one, error), CLNORM_UNSUPPORTED,
                 "sums of gradients", "is right");
    assert_int_equal(broken_one.right + broken_one.wrong, sound.right);
    assert_true(broken_one.wrong > 0);
    EXPECT_ERROR(clnorm_self_test(f.context, count_result, &ended, error), CLNORM_CANCELLED,
                 "self-test", "ended");
    assert_int_equal(ended.right + ended.wrong, 2);
    clnorm_context_destroy(f.context);
}

static int sound_again(void **state)
{
    (void)state;
    layer_find()->falsify(NULL);
    return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, sound_again)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_verdict_is_kept),
        TEST(test_a_verdict_is_kept_in_files),
        TEST(test_a_verdict_of_short_rows_has_vectors),
        TEST(test_a_bad_policy_is_refused),
        TEST(test_the_next_form_takes_over),
        TEST(test_two_forms_in_a_row_fail),
        TEST(test_all_forms_fail),
        TEST(test_a_broken_backward_pass_gives_way),
        TEST(test_the_device_is_tested),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

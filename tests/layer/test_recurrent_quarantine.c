/* SPDX-License-Identifier: MIT */
/* Risk: a kernel of a recurrent step that the driver breaks is used, or a sound one is not. The
 * layer plays the broken driver. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../device.h"
#include "loaded.h"
#include "ops/gemm/clblast.h"
#include "ops/recurrent/op.h"

typedef struct {
    int passed, failed;
    char wrong[1024]; /* the last of them */
} lines;

static void take_line(void *user, clnorm_log_level level, const char *text)
{
    lines *log = user;
    if (strncmp(text, "self-test of a step of ", 23) != 0)
        return;
    log->passed += strstr(text, ": passed") != NULL;
    log->failed += level == CLNORM_LOG_WARNING;
    if (level == CLNORM_LOG_WARNING)
        snprintf(log->wrong, sizeof(log->wrong), "%s", text);
}

/* A context of its own, which knows of no test yet. */
static clnorm_context *fresh(const fixture *f, lines *log)
{
    clnorm_context *context = NULL;
    *log = (lines){.passed = 0};
    MUST(clnorm_context_wrap(f->cl, f->device, take_line, log, &context, error));
    return context;
}

static clnorm_recurrent_desc lstm(void)
{
    clnorm_recurrent_desc desc = CLNORM_RECURRENT_DESC_INIT;
    desc.features = 3;
    desc.hidden = 5;
    return desc;
}

/* Launches that the creation of an op takes. */
static unsigned long launches_of_create(clnorm_context *context, const clnorm_recurrent_desc *desc)
{
    const struct layer *layer = layer_find();
    clnorm_recurrent *op = NULL;
    layer->reset();
    MUST(clnorm_recurrent_create(context, desc, &op, error));
    clnorm_recurrent_destroy(op);
    return layer->calls("clEnqueueNDRangeKernel");
}

static void test_a_verdict_is_kept(void **state)
{
    lines log;
    clnorm_context *context = fresh(*state, &log);
    clnorm_recurrent_desc desc = lstm();
    assert_int_equal(launches_of_create(context, &desc), 2);
    desc.hidden = 9; /* no matter for the programs */
    desc.eps = 0;
    assert_int_equal(launches_of_create(context, &desc), 0);
    MUST(clnorm_context_set_self_test(context, CLNORM_SELF_TEST_ALWAYS, error));
    assert_int_equal(launches_of_create(context, &desc), 2);
    assert_int_equal(log.passed, 4);
    clnorm_context_destroy(context);
}

/* In all forms: nothing is left. */
static void expect_refused(const fixture *f, const char *kernel, const char *tensor)
{
    lines log;
    char wrong[64];
    clnorm_context *context = fresh(f, &log);
    const clnorm_recurrent_desc desc = lstm();
    clnorm_recurrent *op = NULL;
    layer_find()->falsify(kernel);
    EXPECT_ERROR(clnorm_recurrent_create(context, &desc, &op, error), CLNORM_UNSUPPORTED,
                 "fails the self-test", "a step of lstm");
    assert_null(op);
    assert_true(log.failed >= 1);
    snprintf(wrong, sizeof(wrong), "failed, and is not used: %s[0, 0] is ", tensor);
    assert_non_null(strstr(log.wrong, wrong));
    MUST(clnorm_context_set_self_test(context, CLNORM_SELF_TEST_OFF, error));
    MUST(clnorm_recurrent_create(context, &desc, &op, error)); /* it is the application's risk */
    clnorm_recurrent_destroy(op);
    clnorm_context_destroy(context);
}

static void test_broken_steps_are_refused(void **state)
{
    expect_refused(*state, "recurrent_forward", "y");
    expect_refused(*state, "recurrent_backward", "dp");
}

static void expect_another_form(const fixture *f, const char *kernel)
{
    lines log;
    char rule[80];
    const clnorm_recurrent_desc desc = lstm();
    clnorm_context *context = fresh(f, &log);
    clnorm_recurrent *op = NULL;
    MUST(clnorm_recurrent_make(context, &desc, CLNORM_FORM_COOPERATIVE, &op, error));
    const unsigned group = op->geometry.group_size;
    clnorm_recurrent_destroy(op);
    clnorm_context_destroy(context);
    context = fresh(f, &log);
    snprintf(rule, sizeof(rule), "%s: -DGROUP_SIZE=%u ", kernel, group);
    layer_find()->falsify(rule);
    MUST(clnorm_recurrent_make(context, &desc, CLNORM_FORM_COOPERATIVE, &op, error));
    printf("groups of %u, then of %u: %s\n", group, op->geometry.group_size, log.wrong);
    assert_true(log.failed > 0 && op->geometry.group_size != group);
    layer_find()->falsify(NULL);
    clnorm_recurrent_destroy(op);
    clnorm_context_destroy(context);
}

static void test_the_next_form_takes_over(void **state)
{
    expect_another_form(*state, "recurrent_forward");
    expect_another_form(*state, "recurrent_backward");
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
        TEST(test_broken_steps_are_refused),
        TEST(test_the_next_form_takes_over),
    };
    if (clnorm_clblast_check(NULL) != CLNORM_OK) {
        printf("recurrent: built without CLBlast\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

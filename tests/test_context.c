/* SPDX-License-Identifier: MIT */
/* The context: programs are built once and their errors are found again, the application's handles
 * stay its own, and a forked child is told so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "ops/switches.h"
#include "runtime/program.h"

/* What an op of f32 tensors is compiled with. */
static void good_defines(const fixture *f, char text[CLNORM_MOST_DEFINES])
{
    const clnorm_desc desc = desc_of(20);
    clnorm_op *op = NULL;
    MUST(clnorm_op_create(f->context, &desc, &op, error));
    const clnorm_purpose purpose = {CLNORM_FORWARD, false, true};
    MUST(clnorm_switches(op, purpose, &op->geometry, text, error));
    clnorm_op_destroy(op);
}

static void test_build_error_has_file_and_line(void **state)
{
    const fixture *f = *state;
    cl_program program = NULL;
    char good[CLNORM_MOST_DEFINES], bad[CLNORM_MOST_DEFINES + 16];
    if (is_oclgrind()) /* reports the failed call, and messages do not heed #line */
        skip();
    good_defines(f, good);
    snprintf(bad, sizeof(bad), "%s -DX_TYPE=f31", good);
    /* the option's typo makes each use of the type an error */
    EXPECT_ERROR(clnorm_program_get(f->context, CLNORM_SOURCE_FORWARD, bad, &program, error),
                 CLNORM_BUILD_FAILED, ".cl:", "f31");
    assert_null(program);
    MUST(clnorm_program_get(f->context, CLNORM_SOURCE_FORWARD, good, &program, error));
    assert_non_null(program);
}

static void test_programs_are_built_once(void **state)
{
    const fixture *f = *state;
    cl_program first = NULL, second = NULL, other = NULL;
    char good[CLNORM_MOST_DEFINES];
    good_defines(f, good);
    MUST(clnorm_program_get(f->context, CLNORM_SOURCE_FORWARD, good, &first, error));
    MUST(clnorm_program_get(f->context, CLNORM_SOURCE_FORWARD, good, &second, error));
    MUST(clnorm_program_get(f->context, CLNORM_SOURCE_COMPANION, good, &other, error));
    assert_ptr_equal(first, second);
    assert_ptr_not_equal(first, other);
}

typedef struct {
    unsigned calls, warnings;
} log_count;

static void count_log(void *user, clnorm_log_level level, const char *text)
{
    log_count *count = user;
    count->calls++;
    count->warnings += level == CLNORM_LOG_WARNING;
    assert_true(strlen(text) > 0 && text[strlen(text) - 1] != '\n');
}

static void test_wrapped_handles_outlive_the_context(void **state)
{
    const fixture *f = *state;
    clnorm_context *wrapped = NULL;
    clnorm_op *op = NULL;
    log_count count = {0, 0};
    const clnorm_desc desc = desc_of(20);
    size_t bytes = 0;
    MUST(clnorm_context_wrap(f->cl, f->device, count_log, &count, &wrapped, error));
    assert_ptr_equal(clnorm_context_cl(wrapped), f->cl);
    assert_ptr_equal(clnorm_context_device(wrapped)->device_id, f->device);
    MUST(clnorm_op_create(wrapped, &desc, &op, error));
    assert_int_not_equal(clnorm_op_desc(op)->form, CLNORM_FORM_AUTO);
    MUST(clnorm_op_workspace(op, CLNORM_FORWARD, 1000, &bytes, error));
    assert_int_equal(bytes, 0);
    MUST(clnorm_op_workspace(op, CLNORM_BACKWARD, 1000, &bytes, error));
    assert_true(bytes > 0);
    clnorm_op_destroy(op);
    clnorm_context_destroy(wrapped);
    assert_true(count.calls >= 2);
    assert_int_equal(count.warnings, 0);
    clReleaseMemObject(buffer_of(f, CL_MEM_READ_WRITE, 64, NULL)); /* the handle still works */
    EXPECT_ERROR(clnorm_context_wrap(NULL, f->device, NULL, NULL, &wrapped, error), CLNORM_BAD_ARGS,
                 "cl is", "NULL");
}

/* Drivers hang in a child that uses what its parent opened. */
static void test_forked_child_is_told(void **state)
{
    const fixture *f = *state;
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const clnorm_desc desc = desc_of(20);
        clnorm_op *op = NULL;
        _exit(clnorm_op_create(f->context, &desc, &op, NULL) == CLNORM_FORKED ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build_error_has_file_and_line),
        cmocka_unit_test(test_programs_are_built_once),
        cmocka_unit_test(test_wrapped_handles_outlive_the_context),
        cmocka_unit_test(test_forked_child_is_told),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

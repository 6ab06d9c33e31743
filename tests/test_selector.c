/* SPDX-License-Identifier: MIT */
/* Risk: a selector that picks another device than the user meant. Device: none, the list is made
 * up: on a real machine most of these devices are not there. */
#define _DEFAULT_SOURCE
#include "clnorm/clnorm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const clnorm_device devices[] = {
    {.index = 0,
     .platform = 1,
     .ordinal = 0,
     .type = CL_DEVICE_TYPE_GPU,
     .name = "GeForce RTX",
     .platform_name = "NVIDIA CUDA",
     .uuid = "00112233445566778899aabbccddeeff",
     .alias_of = -1,
     .usable = 1},
    {.index = 1,
     .platform = 0,
     .ordinal = 1,
     .type = CL_DEVICE_TYPE_GPU,
     .name = "Arc A770",
     .platform_name = "Intel(R) OpenCL Graphics",
     .alias_of = -1,
     .usable = 1},
    {.index = 2,
     .platform = 0,
     .ordinal = 0,
     .type = CL_DEVICE_TYPE_ACCELERATOR,
     .name = "Board",
     .platform_name = "Intel(R) FPGA SDK",
     .alias_of = -1,
     .usable = 1},
    {.index = 3,
     .platform = 3,
     .ordinal = 0,
     .type = CL_DEVICE_TYPE_CPU,
     .name = "pthread-EPYC",
     .platform_name = "Portable Computing Language",
     .alias_of = -1,
     .usable = 1},
    {.index = 4,
     .platform = 4,
     .ordinal = 0,
     .name = "Simulator",
     .platform_name = "Oclgrind",
     .type = CL_DEVICE_TYPE_CPU | CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_ACCELERATOR,
     .alias_of = -1,
     .usable = 1},
    {.index = 5,
     .platform = 5,
     .ordinal = 0,
     .type = CL_DEVICE_TYPE_GPU,
     .name = "NV GeForce",
     .platform_name = "rusticl",
     .uuid = "00112233445566778899aabbccddeeff",
     .alias_of = 0,
     .usable = 1},
    {.index = 6,
     .platform = 6,
     .ordinal = 0,
     .type = CL_DEVICE_TYPE_GPU,
     .name = "Old GPU",
     .platform_name = "Clover",
     .alias_of = -1,
     .usable = 0,
     .problem = "too old for clnorm"},
    {.index = 7,
     .platform = 7,
     .ordinal = 0,
     .platform_name = "Mali",
     .alias_of = -1,
     .usable = 0,
     .problem = "clGetDeviceIDs failed: CL_OUT_OF_HOST_MEMORY (-6)"},
};

static clnorm_error error;

static clnorm_status choose(const char *selector, size_t *chosen, size_t *n_chosen)
{
    error = (clnorm_error){.status = CLNORM_OK};
    *n_chosen = 999;
    return clnorm_devices_select(devices, COUNT(devices), selector, chosen, n_chosen, &error);
}

/* The indices, as text: "0 1 4". */
static void expect(const char *selector, const char *expected)
{
    size_t chosen[COUNT(devices)], n_chosen;
    char got[64] = "";
    const clnorm_status status = choose(selector, chosen, &n_chosen);
    if (status != CLNORM_OK)
        fail_msg("\"%s\": %s", selector ? selector : "NULL", error.text);
    for (size_t i = 0; i < n_chosen; i++)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%zu", i ? " " : "", chosen[i]);
    if (strcmp(got, expected) != 0)
        fail_msg("\"%s\" chose %s, expected %s", selector ? selector : "NULL", got, expected);
}

static void expect_failure(const char *selector, clnorm_status expected, const char *part)
{
    size_t chosen[COUNT(devices)], n_chosen;
    const clnorm_status status = choose(selector, chosen, &n_chosen);
    if (status != expected || error.status != expected || n_chosen != 0)
        fail_msg("\"%s\" gave %s with %zu chosen, expected %s", selector,
                 clnorm_status_name(status), n_chosen, clnorm_status_name(expected));
    if (!strstr(error.text, part))
        fail_msg("\"%s\": the text lacks \"%s\": %s", selector, part, error.text);
}

static int forget_environment(void **state)
{
    (void)state;
    return unsetenv("CLNORM_DEVICE");
}

static void every_form_of_the_grammar(void **state)
{
    static const struct {
        const char *selector, *chosen;
    } cases[] = {
        {"auto", "0"},
        {"all", "0 1 2 3 4"},
        {"gpu", "0 1 4"},
        {"acc", "2 4"},
        {"cpu", "3 4"},
        {"0", "0"},
        {"3", "3"},
        {"003", "3"},
        {"0:1", "1"},
        {"0:0", "2"},
        {"4:0", "4"},
        {"name=geforce", "0"},
        {"name=E", "0 3"},
        {"name=arc a770", "1"},
        {"platform=intel", "1 2"},
        {"platform=CUDA", "0"},
        {"uuid=0011", "0 5"},
        {"uuid=00112233-4455-6677-8899-AABBCCDDEEFF", "0 5"},
        /* case does not matter */
        {"AUTO", "0"},
        {"Gpu", "0 1 4"},
        {"NAME=GEFORCE", "0"},
        {"UUID=EEFF", "0 5"},
        /* the text of a field may look like another form */
        {"name=770", "1"},
        {"platform=(R) ", "1 2"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        expect(cases[i].selector, cases[i].chosen);
}

static void an_alias_is_taken_only_when_meant(void **state)
{
    (void)state;
    expect("5", "5");
    expect("5:0", "5");
    expect_failure("platform=rusticl", CLNORM_NO_DEVICE, "rusticl), the same as 0");
    expect_failure("name=nv geforce", CLNORM_NO_DEVICE, "the same as 0");
}

static void a_device_that_is_not_usable_is_never_taken(void **state)
{
    (void)state;
    expect_failure("6", CLNORM_NO_DEVICE, "device 6 (Old GPU) is not usable: too old for clnorm");
    expect_failure("6:0", CLNORM_NO_DEVICE, "too old for clnorm");
    expect_failure("7", CLNORM_NO_DEVICE, "CL_OUT_OF_HOST_MEMORY");
    expect_failure("name=old", CLNORM_NO_DEVICE, "not usable: too old for clnorm");
    size_t chosen[1], n_chosen;
    assert_int_equal(clnorm_devices_select(&devices[6], 2, "auto", chosen, &n_chosen, &error),
                     CLNORM_NO_DEVICE);
    assert_int_equal(n_chosen, 0);
}

static void what_matches_nothing_lists_what_there_is(void **state)
{
    static const char *const selectors[] = {"8",          "8:0",          "0:2",         "99:99",
                                            "name=x y z", "uuid=abcdef0", "platform=AMD"};
    (void)state;
    for (size_t i = 0; i < COUNT(selectors); i++) {
        expect_failure(selectors[i], CLNORM_NO_DEVICE, selectors[i]);
        expect_failure(selectors[i], CLNORM_NO_DEVICE, "\n  0  gpu  GeForce RTX (NVIDIA CUDA)\n");
        expect_failure(selectors[i], CLNORM_NO_DEVICE, "\n  2  acc  Board (Intel(R) FPGA SDK)\n");
        expect_failure(selectors[i], CLNORM_NO_DEVICE, "\n  3  cpu  pthread-EPYC (Portable");
    }
}

static void numbers_do_not_wrap(void **state)
{
    static const char *const selectors[] = {
        "4294967296", /* 2^32: not 0 */
        "4294967299",           "18446744073709551616", /* 2^64 */
        "18446744073709551619", "99999999999999999999999999999999999999",
        "4294967297:0",         "1:18446744073709551616",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(selectors); i++)
        expect_failure(selectors[i], CLNORM_NO_DEVICE, "there are:");
}

static void bad_values_never_fall_back(void **state)
{
    static const char *const selectors[] = {
        "foo",       "gpus",        "gp",       "gpu ",
        " gpu",      "accelerator", "-1",       "+1",
        "1 ",        "0x1",         "1.0",      "1:",
        ":1",        ":",           "1:2:3",    "1:-1",
        "a:b",       "1,2",         "name=",    "name",
        "platform=", "uuid=",       "uuid=xyz", "uuid=--",
        "=x",        "pci=1",       "all,gpu",  "uuid=00112233445566778899aabbccddeeff0",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(selectors); i++) {
        expect_failure(selectors[i], CLNORM_BAD_ARGS, selectors[i]);
        expect_failure(selectors[i], CLNORM_BAD_ARGS,
                       "auto, all, gpu, acc, cpu, N, P:D, name=TEXT");
    }
}

static void a_long_selector_is_cut_in_the_text(void **state)
{
    (void)state;
    static char text[100000];
    memset(text, 'x', sizeof(text) - 1);
    expect_failure(text, CLNORM_BAD_ARGS, "name=TEXT");
    memcpy(text, "name=", 5);
    expect_failure(text, CLNORM_NO_DEVICE, "GeForce RTX");
    memset(text, '9', sizeof(text) - 1);
    expect_failure(text, CLNORM_NO_DEVICE, "GeForce RTX");
}

static void the_environment_speaks_when_the_caller_does_not(void **state)
{
    (void)state;
    expect(NULL, "0");
    expect("", "0");
    setenv("CLNORM_DEVICE", "", 1);
    expect(NULL, "0");
    setenv("CLNORM_DEVICE", "acc", 1);
    expect(NULL, "2 4");
    expect("", "2 4");
    expect("cpu", "3 4");
    setenv("CLNORM_DEVICE", "best", 1);
    expect_failure(NULL, CLNORM_BAD_ARGS, "CLNORM_DEVICE \"best\"");
    expect("1", "1");
    setenv("CLNORM_DEVICE", "42", 1);
    expect_failure("", CLNORM_NO_DEVICE, "CLNORM_DEVICE \"42\"");
}

static void an_empty_list_has_nothing_to_choose(void **state)
{
    static const char *const selectors[] = {"auto", "all", "gpu", "0", "0:0", "name=a", NULL};
    (void)state;
    for (size_t i = 0; i < COUNT(selectors); i++) {
        size_t n_chosen = 7;
        assert_int_equal(clnorm_devices_select(NULL, 0, selectors[i], NULL, &n_chosen, &error),
                         CLNORM_NO_DEVICE);
        assert_int_equal(n_chosen, 0);
        assert_non_null(strstr(error.text, "there is no OpenCL device"));
    }
    size_t n_chosen;
    assert_int_equal(clnorm_devices_select(NULL, 0, "?", NULL, &n_chosen, NULL), CLNORM_BAD_ARGS);
}

int main(void)
{
#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, forget_environment, forget_environment)
    const struct CMUnitTest tests[] = {
        TEST(every_form_of_the_grammar),
        TEST(an_alias_is_taken_only_when_meant),
        TEST(a_device_that_is_not_usable_is_never_taken),
        TEST(what_matches_nothing_lists_what_there_is),
        TEST(numbers_do_not_wrap),
        TEST(bad_values_never_fall_back),
        TEST(a_long_selector_is_cut_in_the_text),
        TEST(the_environment_speaks_when_the_caller_does_not),
        TEST(an_empty_list_has_nothing_to_choose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

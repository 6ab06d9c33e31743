/* SPDX-License-Identifier: MIT */
/* A case is its text: what is printed brings back the same case, and a slip is no other case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench/plan.h"
#include "cli/bench/presets.h"

static struct bench_plan plan_of(struct bench_wishes wishes, const char *const *texts, size_t n)
{
    const struct cli_texts list = {(char **)texts, n};
    struct bench_plan plan = {.n = 0};
    clnorm_error error = {.status = CLNORM_OK};
    wishes.texts = &list;
    if (!bench_plan_make(&wishes, &plan, &error))
        fail_msg("%s", error.text);
    return plan;
}

static void expect_refused(struct bench_wishes wishes, const char *text, const char *why)
{
    const struct cli_texts list = {(char **)&text, text != NULL};
    struct bench_plan plan = {.n = 0};
    clnorm_error error = {.status = CLNORM_OK};
    wishes.texts = &list;
    if (bench_plan_make(&wishes, &plan, &error) || !strstr(error.text, why))
        fail_msg("%s: must be refused with '%s', but: %s", text ? text : "-", why, error.text);
    bench_plan_release(&plan);
}

static void expect_names(struct bench_plan plan, const char *const *names, size_t n)
{
    char name[BENCH_NAME];
    assert_int_equal(plan.n, n);
    for (size_t i = 0; i < n; i++) {
        bench_case_name(&plan.cases[i], name);
        assert_string_equal(name, names[i]);
    }
    bench_plan_release(&plan);
}
#define EXPECT(plan, ...)                                                                          \
    expect_names(plan, (const char *const[]){__VA_ARGS__},                                         \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void test_every_case_of_a_preset_is_its_text(void **state)
{
    static const char *const presets[] = {"smoke", "transformer", "vision", "launch", "long"};
    (void)state;
    for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
        struct bench_plan plan =
            plan_of((struct bench_wishes){.preset = presets[i], .cache = "cold,warm"}, NULL, 0);
        size_t n = 0;
        while (bench_preset(presets[i])[n])
            n++;
        assert_int_equal(plan.n, 2 * n); /* none twice */
        for (size_t k = 0; k < plan.n; k++) {
            char name[BENCH_NAME];
            const char *text = name;
            bench_case_name(&plan.cases[k], name);
            struct bench_plan again = plan_of((struct bench_wishes){0}, &text, 1);
            assert_int_equal(again.n, 1);
            assert_int_equal(again.cases[0].rows, plan.cases[k].rows);
            assert_int_equal(again.cases[0].warm, plan.cases[k].warm);
            assert_memory_equal(&again.cases[0].desc, &plan.cases[k].desc, sizeof(clnorm_desc));
            bench_plan_release(&again);
        }
        bench_plan_release(&plan);
    }
}

static void test_words_in_any_order(void **state)
{
    const char *const texts[] = {"4096x768 backward layer_norm warm f16", "rms_norm 1x2",
                                 "group_norm/nchw 2x640 groups=8 channels=64",
                                 "layer_norm f16 backward 4096x768 warm"};
    (void)state;
    EXPECT(plan_of((struct bench_wishes){0}, texts, 4), "layer_norm f16 backward 4096x768 warm",
           "rms_norm f32 forward 1x2 cold",
           "group_norm/nchw f32 forward 2x640 channels=64 groups=8 cold");
}

static void test_products_and_ranges(void **state)
{
    const struct bench_wishes wishes = {.op = "rms_norm,layer_norm",
                                        .dtype = "f16",
                                        .direction = "backward",
                                        .shape = "2x256-1024*2,1-5+4x3"};
    (void)state;
    EXPECT(plan_of(wishes, NULL, 0), "rms_norm f16 backward 2x256 cold",
           "rms_norm f16 backward 2x512 cold", "rms_norm f16 backward 2x1024 cold",
           "rms_norm f16 backward 1x3 cold", "rms_norm f16 backward 5x3 cold",
           "layer_norm f16 backward 2x256 cold", "layer_norm f16 backward 2x512 cold",
           "layer_norm f16 backward 2x1024 cold", "layer_norm f16 backward 1x3 cold",
           "layer_norm f16 backward 5x3 cold");
}

static void test_filters(void **state)
{
    const char *const words[] = {"bf16 2048x8192"};
    const struct bench_wishes launch = {
        .preset = "launch", .op = "rms_norm", .direction = "backward"};
    (void)state;
    EXPECT(plan_of((struct bench_wishes){.preset = "transformer"}, words, 1),
           "rms_norm bf16 forward 2048x8192 cold");
    EXPECT(plan_of(launch, NULL, 0), "rms_norm f32 backward 8x4096 cold");
}

static void test_what_is_refused(void **state)
{
    const struct bench_wishes none = {0};
    (void)state;
    expect_refused((struct bench_wishes){.preset = "large"}, NULL,
                   "--preset 'large': must be smoke");
    expect_refused((struct bench_wishes){.dtype = "f32,f8"}, NULL, "--dtype 'f8': must be of f32");
    expect_refused((struct bench_wishes){.op = "norm"}, NULL, "--op 'norm': must be of");
    expect_refused((struct bench_wishes){.direction = ""}, NULL, "--direction '': must be");
    expect_refused((struct bench_wishes){.cache = "hot"}, NULL,
                   "--cache 'hot': must be of cold,warm");
    expect_refused((struct bench_wishes){.shape = "4x"}, NULL, "--shape '4x': must be ROWSxCOLS");
    expect_refused((struct bench_wishes){.shape = "4x0"}, NULL, "4x0; allowed are");
    expect_refused((struct bench_wishes){.shape = "0x4"}, NULL, "0x4; allowed are");
    expect_refused((struct bench_wishes){.shape = "4x9-3+1"}, NULL, "--shape '4x9-3+1'");
    expect_refused((struct bench_wishes){.shape = "4x1-9*1"}, NULL, "--shape '4x1-9*1'");
    expect_refused((struct bench_wishes){.shape = "1x18446744073709551615"}, NULL, "2^40 elements");
    expect_refused((struct bench_wishes){.shape = "1-18446744073709551615*2x1-3+1"}, NULL,
                   "2^40 elements");
    expect_refused((struct bench_wishes){.shape = "1x1-99999+1"}, NULL, "more than 4096 cases");
    expect_refused((struct bench_wishes){.shape = "1x2", .preset = "smoke"}, NULL, "one of them");
    expect_refused((struct bench_wishes){.shape = "1x2",
                                         .op = "rms_norm+e4m3/static",
                                         .direction = "backward"},
                   NULL, "--shape '1x2': none of --op has cases backward");
    expect_refused((struct bench_wishes){.shape = "1x2", .op = "layer_norm+from_output"}, NULL,
                   "--shape '1x2': none of --op has cases forward");
    expect_refused((struct bench_wishes){.shape = "1x2"}, "bf16", "'bf16' with --shape: words");
    expect_refused(none, "layer_norm f33 forward 4x4", "layer_norm f33 forward 4x4");
    expect_refused(none, "layer_norm backward 4x4 rms", "4x4 rms");
    expect_refused(none, "rms_norm+e4m3/static backward 4x4", "has no cases backward");
    expect_refused(none, "group_norm/nchw 2x640 channels=63 groups=7", "channels");
}

static void test_empty_lists(void **state)
{
    (void)state;
    expect_refused((struct bench_wishes){.op = ",", .shape = "4x4"}, NULL, "--op ',': must be");
    expect_refused((struct bench_wishes){.dtype = ",,"}, NULL, "--dtype ',,': must be a list");
    expect_refused((struct bench_wishes){.shape = ","}, NULL, "--shape ',': must be a list");
    expect_refused((struct bench_wishes){.shape = ""}, NULL, "--shape '': must be a list");
    expect_refused((struct bench_wishes){0}, " ", "' ': must be a case");
}

/* Whichever of the two were taken, it would be another case than the one that is meant. */
static void test_two_words_of_a_kind(void **state)
{
    static const struct {
        const char *text, *second;
    } all[] = {
        {"layer_norm 4x4 rms_norm", "rms_norm"},
        {"layer_norm f32 f16 4x4", "f16"},
        {"layer_norm forward 4x4 backward", "backward"},
        {"layer_norm 16x64 16x128", "16x128"},
        {"layer_norm 4x4 warm cold", "cold"},
        {"layer_norm 4x4 f32 f32", "f32"},
        {"group_norm/nchw 2x640 groups=8 channels=64 groups=4", "groups=4"},
        {"bf16 f16", "f16"},
    };
    char why[80];
    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        snprintf(why, sizeof(why), "'%s' is the second word of its kind", all[i].second);
        expect_refused((struct bench_wishes){0}, all[i].text, why);
    }
}

/* What a case has in its own words is not taken from an option, so none may seem to be. */
static void test_no_option_beside_a_whole_case(void **state)
{
    static const struct {
        struct bench_wishes wishes;
        const char *why;
    } others[] = {
        {{.op = "rms_norm"}, "--op 'rms_norm': means nothing for 'layer_norm 4x4'"},
        {{.dtype = "f16"}, "--dtype 'f16': means nothing"},
        {{.direction = "backward"}, "--direction 'backward': means nothing"},
        {{.shape = "8x8"}, "--shape '8x8': means nothing"},
        {{.cache = "warm"}, "--cache 'warm': means nothing"},
        {{.preset = "vision"}, "--preset 'vision': means nothing"},
    };
    const char *const mixed[] = {"layer_norm 4x4", "bf16 2048x8192"};
    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        expect_refused(others[i].wishes, "layer_norm 4x4", others[i].why);
    EXPECT(plan_of((struct bench_wishes){.preset = "transformer"}, mixed, 2),
           "layer_norm f32 forward 4x4 cold", "rms_norm bf16 forward 2048x8192 cold");
}

static void test_the_preset_is_known(void **state)
{
    const char *const texts[] = {"layer_norm 4x4", "f16"};
    struct bench_plan plan = plan_of((struct bench_wishes){0}, texts, 1);
    (void)state;
    assert_null(plan.preset);
    bench_plan_release(&plan);
    plan = plan_of((struct bench_wishes){0}, texts, 2);
    assert_string_equal(plan.preset, "smoke");
    bench_plan_release(&plan);
    plan = plan_of((struct bench_wishes){.preset = "vision"}, texts + 1, 1);
    assert_string_equal(plan.preset, "vision");
    bench_plan_release(&plan);
    plan = plan_of((struct bench_wishes){.shape = "2x2"}, NULL, 0);
    assert_null(plan.preset);
    bench_plan_release(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_case_of_a_preset_is_its_text),
        cmocka_unit_test(test_words_in_any_order),
        cmocka_unit_test(test_products_and_ranges),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_empty_lists),
        cmocka_unit_test(test_two_words_of_a_kind),
        cmocka_unit_test(test_no_option_beside_a_whole_case),
        cmocka_unit_test(test_the_preset_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

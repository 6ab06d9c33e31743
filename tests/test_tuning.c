/* SPDX-License-Identifier: MIT */
/* Parameters as text, tables of them, and which record is taken: a slip must be told with what is
 * allowed, and a measurement must not be used for what it is not of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/hardware_name.h"
#include "ops/tuning.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_what_is_read_is_written(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "form=held vec=4 group=256 team=256 stream=33554432",
        "form=sliced vec=8 group=256 team=32 subgroups=off",
        "form=sequential vec=16 group=1 team=1 stream=never",
        "form=cooperative group=64",
        "vec=2",
        "stream=1",
        "stream=18446744073709551614",
        "form=auto",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        clnorm_tuning tuning;
        clnorm_error error = {.text = ""};
        char text[CLNORM_TUNING_TEXT];
        if (clnorm_tuning_parse(texts[i], &tuning, &error) != CLNORM_OK)
            fail_msg("'%s': %s", texts[i], error.text);
        clnorm_tuning_text(&tuning, text);
        assert_string_equal(text, texts[i]);
    }
    const clnorm_tuning longest = {CLNORM_FORM_COOPERATIVE, 16, 1024, 1024, CLNORM_SUBGROUPS_OFF,
                                   UINT64_MAX - 1};
    char text[CLNORM_TUNING_TEXT];
    clnorm_tuning_text(&longest, text);
    assert_true(strlen(text) + 1 < sizeof(text));
}

static void test_slips_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *text, *word, *other;
    } slips[] = {
        {"", "nothing is named", "form, vec, group, team"},
        {"  ", "nothing is named", "stream"},
        {"width=4", "'width'", "allowed are form, vec"},
        {"vec=4 vec=4", "vec is given twice", "once"},
        {"vec=3", "vec is '3'", "2, 4, 8 or 16"},
        {"vec=32", "vec is '32'", "2, 4, 8 or 16"},
        {"vec=-4", "vec is '-4'", "2, 4, 8 or 16"},
        {"vec=4294967298", "vec is '4294967298'", "2, 4, 8 or 16"},
        {"vec=", "'vec='", "name=value"},
        {"vec", "'vec'", "name=value"},
        {"vec=4,group=8", "vec is '4,group=8'", "2, 4, 8 or 16"},
        {"vec=\"4", "'vec=\"4'", "name=value"},
        {"form=fast", "form is 'fast'", "held or cooperative"},
        {"group=64", "group is 64, and no form= is named", "such as form=held"},
        {"team=64", "team is 64, and no form= is named", "such as form=held"},
        {"form=held group=96", "group is '96'", "power of two up to 1024"},
        {"form=held group=2048", "group is '2048'", "power of two up to 1024"},
        {"form=held group=1", "group is 1", "sequential only"},
        {"form=sequential group=64", "group is 64", "allowed is 1"},
        {"form=sliced group=64 team=128", "team is 128", "divisors of group, 64"},
        {"form=held group=64 team=32", "team is 32", "allowed is group, 64"},
        {"form=held team=32", "team is 32, and no group= is named", "a group that it divides"},
        {"subgroups=maybe", "subgroups is 'maybe'", "off, intel or khr"},
        {"stream=0", "stream is '0'", "or never"},
        {"stream=1M", "stream is '1M'", "or never"},
        {"stream=18446744073709551616", "stream is '18446744073709551616'", "or never"},
    };
    for (size_t i = 0; i < COUNT(slips); i++) {
        clnorm_tuning tuning;
        clnorm_error error = {.text = ""};
        const clnorm_status status = clnorm_tuning_parse(slips[i].text, &tuning, &error);
        if (status != CLNORM_BAD_ARGS || !strstr(error.text, slips[i].word) ||
            !strstr(error.text, slips[i].other))
            fail_msg("'%s' is %s: '%s'; expected '%s' and '%s'", slips[i].text,
                     clnorm_status_name(status), error.text, slips[i].word, slips[i].other);
    }
}

static void test_slips_in_a_descriptor(void **state)
{
    (void)state;
    clnorm_desc desc = CLNORM_DESC_INIT;
    clnorm_error error = {.text = ""};
    desc.cols = 8;
    desc.tuning = "form=held vec=5";
    assert_int_equal(clnorm_desc_check(&desc, &error), CLNORM_BAD_DESC);
    assert_non_null(strstr(error.text, "tuning: vec is '5'; allowed is 2, 4, 8 or 16"));
    desc.form = CLNORM_FORM_HELD;
    desc.tuning = "group=128";
    assert_int_equal(clnorm_desc_check(&desc, &error), CLNORM_BAD_DESC);
    assert_non_null(strstr(error.text, "tuning: group is 128, and no form= is named beside it"));
    desc.tuning = "form=held";
    desc.form = CLNORM_FORM_SLICED;
    assert_int_equal(clnorm_desc_check(&desc, &error), CLNORM_BAD_DESC);
    assert_non_null(strstr(error.text, "form is 2 (sliced) and tuning has form=held"));
    desc.form = CLNORM_FORM_HELD;
    assert_int_equal(clnorm_desc_check(&desc, &error), CLNORM_OK);
}

static void test_names_of_hardware(void **state)
{
    (void)state;
    static const struct {
        const char *name, *expected;
    } names[] = {
        {"pthread-haswell-AMD EPYC", "AMD EPYC"},
        {"cpu-haswell-AMD EPYC", "AMD EPYC"},
        {"basic-znver3-AMD Ryzen 9 5950X 16-Core Processor", "AMD Ryzen 9 5950X 16-Core Processor"},
        {"cpu-skylake-avx512-Intel(R) Xeon(R) CPU @ 2.00GHz", "Intel Xeon CPU @ 2.00GHz"},
        {"pthread-x86-64-v3-13th Gen Intel(R) Core(TM) i7-1365U", "13th Gen Intel Core i7-1365U"},
        {"pthread-Intel(R) Core(TM) i5-8250U CPU", "Intel Core i5-8250U CPU"},
        {"cpu-cortex-a72", "cortex-a72"},
        {"cpu", "cpu"},
        {"AMD EPYC", "AMD EPYC"},
        {"llvmpipe (LLVM 15.0.6, 256 bits)", "llvmpipe"},
        {"AMD Radeon RX 6700 XT (navi22, LLVM 15.0.7, DRM 3.49, 6.1.0-9-amd64)",
         "AMD Radeon RX 6700 XT"},
        {"Mesa Intel(R) UHD Graphics 620 (KBL GT2)", "Mesa Intel UHD Graphics 620 (KBL GT2)"},
        {"Intel(R) FPGA Emulation Platform for OpenCL(TM)",
         "Intel FPGA Emulation Platform for OpenCL"},
        {"  two   spaces\tand\na newline ", "two spaces and a newline"},
        {"NVIDIA H100 (", "NVIDIA H100 ("},
        {"", ""},
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        char text[256], again[256];
        clnorm_hardware_name(names[i].name, text, sizeof(text));
        assert_string_equal(text, names[i].expected);
        clnorm_hardware_name(text, again, sizeof(again));
        assert_string_equal(again, text);
    }
    char small[8];
    clnorm_hardware_name("NVIDIA H100", small, sizeof(small));
    assert_true(strlen(small) < sizeof(small) && !strncmp("NVIDIA H100", small, strlen(small)));
}

static void test_records(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "device=\"a \\\"quoted\\\" \\\\ name\" units=2 platform=\"Intel OpenCL\" "
        "driver=\"2026.22\" "
        "kind=layer_norm dtype=bf16 cols=512..895 form=sequential vec=8",
        "vendor=\"NVIDIA Corporation\" type=gpu stream=never",
        "kind=rms_norm form=auto",
    };
    clnorm_tuning_record record;
    clnorm_error error = {.text = ""};
    char text[CLNORM_TUNING_LINE];
    for (size_t i = 0; i < COUNT(lines); i++) {
        if (clnorm_tuning_record_parse(lines[i], &record, &error) != CLNORM_OK)
            fail_msg("'%s': %s", lines[i], error.text);
        clnorm_tuning_record_text(&record, text);
        assert_string_equal(text, lines[i]);
    }
    assert_int_equal(clnorm_tuning_record_parse(lines[0], &record, &error), CLNORM_OK);
    assert_string_equal(record.key.device, "a \"quoted\" \\ name");
    static const struct {
        const char *line, *word;
    } damaged[] = {
        {"device=\"a name", "'device=\"a name'"},
        {"device=\"a\"vec=4", "'device=\"a\"vec=4'"},
        {"type=gpu", "no parameter"},
        {"type=tpu vec=4", "cpu, gpu or acc"},
        {"units=0 vec=4", "units is '0'"},
        {"kind=norm vec=4", "kind is 'norm'"},
        {"dtype=i8 vec=4", "dtype is 'i8'"},
        {"cols=64 vec=4", "FIRST..LAST"},
        {"cols=64..32 vec=4", "FIRST..LAST"},
        {"direction=backward vec=4", "unknown field 'direction'"},
        {"vec=4 type=gpu type=cpu", "type is given twice"},
        {"vec=4\tteam=2", "'vec=4"},
        {"vec=4 form=held group=3", "group is '3'"},
        {"\xff\xfe", "must be fields"},
    };
    for (size_t i = 0; i < COUNT(damaged); i++)
        if (clnorm_tuning_record_parse(damaged[i].line, &record, &error) != CLNORM_BAD_ARGS ||
            !strstr(error.text, damaged[i].word))
            fail_msg("'%s': '%s'; expected '%s'", damaged[i].line, error.text, damaged[i].word);
}

static clnorm_tuning_table table_of(const char *const *lines)
{
    clnorm_tuning_table table = {.count = 0};
    clnorm_error error = {.text = ""};
    for (; *lines; lines++)
        if (clnorm_tuning_table_add(&table, *lines, &error) != CLNORM_OK)
            fail_msg("'%s': %s", *lines, error.text);
    return table;
}

static clnorm_tuning_key key_of(const char *device, clnorm_device_class type, uint64_t cols)
{
    clnorm_tuning_key key = {.vendor = "V",
                             .platform = "P",
                             .units = 4,
                             .type = type,
                             .kind = CLNORM_LAYER_NORM,
                             .dtype = CLNORM_F16,
                             .least_cols = cols,
                             .most_cols = cols};
    snprintf(key.device, sizeof(key.device), "%s", device);
    return key;
}

static void expect_vec(const clnorm_tuning_table *user, const char *const *builtin,
                       clnorm_tuning_key key, unsigned vec, uint64_t stream)
{
    const clnorm_tuning tuning = clnorm_tuning_choose(user, builtin, &key);
    if (tuning.vec != vec || tuning.stream != stream)
        fail_msg("device %s, cols %llu: vec %u stream %llu; expected %u and %llu", key.device,
                 (unsigned long long)key.least_cols, tuning.vec, (unsigned long long)tuning.stream,
                 vec, (unsigned long long)stream);
}

static void test_the_most_specific_record_is_taken(void **state)
{
    (void)state;
    static const char *const none[] = {NULL};
    static const char *const lines[] = {
        "# notes",
        "",
        "device=D units=4 kind=layer_norm dtype=f16 cols=1..99 form=sliced vec=2",
        "device=D units=8 vec=16",
        "device=D platform=Q vec=16",
        "device=D kind=rms_norm vec=16",
        "device=D dtype=f32 vec=16",
        "device=D stream=100",
        "type=gpu vendor=V vec=8",
        "type=gpu vec=16 stream=300",
        "type=gpu vendor=W vec=16",
        "type=cpu vec=4",
        "type=cpu vec=2",
        NULL,
    };
    clnorm_tuning_table table = table_of(lines);
    expect_vec(&table, none, key_of("D", CLNORM_GPU_DEVICE, 99), 2, 100);
    expect_vec(&table, none, key_of("D", CLNORM_GPU_DEVICE, 100), 8, 100);
    expect_vec(&table, none, key_of("E", CLNORM_GPU_DEVICE, 100), 8, 300);
    expect_vec(&table, none, key_of("E", CLNORM_CPU_DEVICE, 100), 2, 0);
    expect_vec(&table, none, key_of("E", CLNORM_ACC_DEVICE, 100), 0, 0);
    clnorm_tuning_table_release(&table);
}

static void test_the_users_table_goes_first(void **state)
{
    (void)state;
    static const char *const own[] = {"device=D form=held vec=8 group=64", "type=cpu stream=7",
                                      NULL};
    static const char *const users[] = {"type=gpu vec=2", NULL};
    static const char *const measured[] = {"device=D form=auto", NULL};
    clnorm_tuning_table nothing = {.count = 0};
    expect_vec(&nothing, own, key_of("D", CLNORM_CPU_DEVICE, 64), 8, 7);
    clnorm_tuning_table table = table_of(users);
    expect_vec(&table, own, key_of("D", CLNORM_CPU_DEVICE, 64), 8, 7);
    expect_vec(&table, own, key_of("D", CLNORM_GPU_DEVICE, 64), 2, 0);
    clnorm_tuning_table_release(&table);
    table = table_of(measured); /* the heuristic was best */
    const clnorm_tuning_key key = key_of("D", CLNORM_CPU_DEVICE, 64);
    const clnorm_tuning tuning = clnorm_tuning_choose(&table, own, &key);
    assert_int_equal(tuning.form, CLNORM_FORM_AUTO);
    assert_int_equal(tuning.group, 0);
    assert_int_equal(tuning.stream, 7);
    clnorm_tuning_table_release(&table);
}

static void test_the_built_in_table_is_right(void **state)
{
    (void)state;
    clnorm_tuning_table table = table_of(clnorm_tuning_builtin);
    for (size_t i = 0; i < table.count; i++)
        assert_string_equal(table.records[i].key.driver, "");
    clnorm_tuning_table_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_read_is_written),
        cmocka_unit_test(test_slips_are_told),
        cmocka_unit_test(test_slips_in_a_descriptor),
        cmocka_unit_test(test_names_of_hardware),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_the_most_specific_record_is_taken),
        cmocka_unit_test(test_the_users_table_goes_first),
        cmocka_unit_test(test_the_built_in_table_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Risk: drivers that answer oddly, or not at all, take the others with them. Device: none: this
 * program brings its own OpenCL. */
#include "fake_opencl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static clnorm_device *devices;
static size_t count;
static clnorm_error error;

static int setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof(world));
    devices = NULL;
    count = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    clnorm_devices_free(devices);
    return 0;
}

static void list(void)
{
    if (clnorm_devices_list(&devices, &count, &error) != CLNORM_OK)
        fail_msg("%s", error.text);
}

static void list_one(const struct fake_device *device)
{
    clnorm_devices_free(devices);
    world.platforms[0] = (struct fake_platform){"Fake", CL_SUCCESS, device, 1};
    world.count = 1;
    list();
    assert_int_equal(count, 1);
}

static void no_driver_is_an_empty_list(void **state)
{
    (void)state;
    world.code = -1001;
    list();
    assert_int_equal(count, 0);
    world.code = CL_SUCCESS; /* and 0 platforms */
    list();
    assert_int_equal(count, 0);
}

static void a_loader_that_fails_is_an_error(void **state)
{
    (void)state;
    clnorm_device *untouched = (clnorm_device *)&world;
    size_t untouched_count = 7;
    world.code = CL_OUT_OF_HOST_MEMORY;
    assert_int_equal(clnorm_devices_list(&untouched, &untouched_count, &error),
                     CLNORM_OUT_OF_MEMORY);
    assert_string_equal(error.text, "clGetPlatformIDs failed: CL_OUT_OF_HOST_MEMORY (-6)");
    assert_ptr_equal(untouched, &world);
    assert_int_equal(untouched_count, 7);
    assert_int_equal(clnorm_devices_list(&untouched, &untouched_count, NULL), CLNORM_OUT_OF_MEMORY);
}

static void one_bad_platform_leaves_the_others(void **state)
{
    (void)state;
    static const struct fake_device good[] = {{.name = "first"}, {.name = "second"}};
    world.platforms[0] = (struct fake_platform){"Empty", CL_DEVICE_NOT_FOUND, NULL, 0};
    world.platforms[1] = (struct fake_platform){"Forbidden", CL_OUT_OF_HOST_MEMORY, NULL, 0};
    world.platforms[2] = (struct fake_platform){"Good", CL_SUCCESS, good, 2};
    world.platforms[3] = (struct fake_platform){NULL, CL_SUCCESS, NULL, 0};
    world.count = 4;
    list();
    assert_int_equal(count, 3);
    assert_string_equal(devices[0].name, "first");
    assert_string_equal(devices[1].name, "second");
    assert_int_equal(devices[1].platform, 2);
    assert_int_equal(devices[1].ordinal, 1);
    assert_true(devices[0].usable && devices[1].usable);
    const clnorm_device *failed = &devices[2];
    assert_false(failed->usable);
    assert_null(failed->device_id);
    assert_int_equal(failed->platform, 1);
    assert_string_equal(failed->platform_name, "Forbidden");
    assert_string_equal(failed->problem, "clGetDeviceIDs failed: CL_OUT_OF_HOST_MEMORY (-6)");
}

static void one_bad_device_leaves_the_others(void **state)
{
    static const cl_device_info needed[] = {
        CL_DEVICE_PLATFORM,        CL_DEVICE_TYPE,           CL_DEVICE_MAX_COMPUTE_UNITS,
        CL_DEVICE_GLOBAL_MEM_SIZE, CL_DEVICE_LOCAL_MEM_TYPE, CL_DEVICE_MAX_WORK_GROUP_SIZE,
        CL_DEVICE_AVAILABLE,       CL_DEVICE_NAME,           CL_DEVICE_VERSION,
        CL_DEVICE_EXTENSIONS,      CL_DEVICE_PROFILE,        CL_DEVICE_SINGLE_FP_CONFIG,
    };
    (void)state;
    for (size_t i = 0; i < COUNT(needed); i++) {
        const struct fake_device two[] = {{.fails = needed[i]}, {.name = "good"}};
        clnorm_devices_free(devices);
        world.platforms[0] = (struct fake_platform){"Fake", CL_SUCCESS, two, 2};
        world.count = 1;
        list();
        assert_int_equal(count, 2);
        assert_string_equal(devices[0].name, "good");
        assert_false(devices[1].usable);
        assert_ptr_equal(devices[1].device_id, &two[0]);
        assert_string_equal(devices[1].platform_name, "Fake");
        assert_non_null(strstr(devices[1].problem, "clGetDeviceInfo CL_D"));
        assert_non_null(strstr(devices[1].problem, "failed: CL_INVALID_VALUE (-30)"));
    }
}

static void what_is_only_nice_to_know_may_fail(void **state)
{
    static const cl_device_info optional[] = {CL_DEVICE_HOST_UNIFIED_MEMORY,
                                              CL_DEVICE_GLOBAL_MEM_CACHE_SIZE};
    (void)state;
    for (size_t i = 0; i < COUNT(optional); i++) {
        const struct fake_device device = {.fails = optional[i]};
        list_one(&device);
        assert_true(devices[0].usable);
        assert_int_equal(devices[0].shares_host_memory, optional[i] != optional[0]);
        assert_int_equal(devices[0].cache_bytes != 0, optional[i] != optional[1]);
    }
}

static void only_what_clnorm_needs_makes_a_device_unusable(void **state)
{
    static const struct {
        struct fake_device device;
        const char *problem; /* NULL: usable */
    } cases[] = {
        {{.name = "plain"}, NULL},
        {{.version = "OpenCL 3.1 (Build 0)"}, NULL},
        {{.version = "OpenCL 10.0"}, NULL},
        {{.version = "OpenCL 1.1 Mesa"},
         "clnorm needs OpenCL 1.2, this device has OpenCL 1.1 Mesa"},
        {{.version = "OpenCL 1.0"}, "OpenCL 1.2"},
        {{.version = "something"}, "OpenCL 1.2"},
        {{.version = ""}, "OpenCL 1.2"},
        {{.is_unavailable = 1}, "not available"},
        {{.has_no_compiler = 1}, "no compiler"},
        {{.is_big_endian = 1}, "big-endian"},
        {{.single_config = CL_FP_ROUND_TO_ZERO}, "round to nearest"},
        {{.profile = "EMBEDDED_PROFILE"}, "64-bit integers"},
        {{.profile = "EMBEDDED_PROFILE", .extensions = "cles_khr_int64_x"}, "64-bit integers"},
        {{.profile = "EMBEDDED_PROFILE", .extensions = "cl_khr_icd cles_khr_int64"}, NULL},
        {{.type = CL_DEVICE_TYPE_ACCELERATOR}, NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        list_one(&cases[i].device);
        const char *problem = devices[0].problem;
        if (devices[0].usable != !cases[i].problem ||
            (cases[i].problem && !strstr(problem, cases[i].problem)) ||
            (!cases[i].problem && problem[0]))
            fail_msg("case %zu: usable %d, problem \"%s\"", i, devices[0].usable, problem);
    }
}

static void clover_is_refused(void **state)
{
    (void)state;
    static const struct fake_device device = {.name = "AMD"};
    world.platforms[0] = (struct fake_platform){"Clover", CL_SUCCESS, &device, 1};
    world.count = 1;
    list();
    assert_false(devices[0].usable);
    assert_non_null(strstr(devices[0].problem, "clover"));
}

static void extensions_are_whole_words(void **state)
{
    static const struct {
        const char *extensions;
        int has_fp16, has_fp64;
    } cases[] = {
        {"", 0, 0},
        {"cl_khr_fp64", 0, 1},
        {"cl_khr_fp16 cl_khr_fp64", 1, 1},
        {"  cl_khr_icd   cl_khr_fp64  ", 0, 1},
        {"cl_khr_icd\ncl_khr_fp16\n", 1, 0},
        {"cl_khr_fp64_more cl_khr_fp1 my_cl_khr_fp16", 0, 0},
        {"cl_khr_fp64_more cl_khr_fp64", 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        /* a full profile has doubles only by the word */
        const struct fake_device device = {.extensions = cases[i].extensions,
                                           .double_config = CL_FP_FMA};
        list_one(&device);
        assert_int_equal(devices[0].has_fp16, cases[i].has_fp16);
        assert_int_equal(devices[0].has_fp64, cases[i].has_fp64);
    }
    static const struct fake_device embedded = {
        .profile = "EMBEDDED_PROFILE", .extensions = "cles_khr_int64", .double_config = CL_FP_FMA};
    list_one(&embedded);
    assert_int_equal(devices[0].has_fp64, 1);
}

static void a_uuid_counts_only_if_listed_and_not_zero(void **state)
{
    static const char *const listed = "cl_khr_icd cl_khr_device_uuid";
    static const struct fake_device told = {.extensions = listed,
                                            .uuid = {0xab, 0x01, [15] = 0xff}};
    static const struct fake_device zero = {.extensions = listed};
    static const struct fake_device not_listed = {.extensions = "cl_khr_device_uuid_2",
                                                  .uuid = {1}};
    (void)state;
    list_one(&told);
    assert_string_equal(devices[0].uuid, "ab0100000000000000000000000000ff");
    list_one(&zero);
    assert_string_equal(devices[0].uuid, "");
    list_one(&not_listed);
    assert_string_equal(devices[0].uuid, "");
}

static void the_address_comes_from_any_of_three_extensions(void **state)
{
    static const struct {
        struct fake_device device;
        const char *pci;
    } cases[] = {
        {{.extensions = "cl_khr_pci_bus_info", .pci = {1, 0xc1, 2, 3}}, "0001:c1:02.3"},
        {{.extensions = "cl_khr_pci_bus_info", .pci = {0x10000, 1, 0, 0}}, "10000:01:00.0"},
        {{.extensions = "cl_khr_pci_bus_info"}, ""},
        {{.pci = {1, 0xc1, 2, 3}}, ""},
        {{.extensions = "cl_amd_device_attribute_query",
          .topology = {1, [21] = 0xc1, [22] = 2, [23] = 1}},
         "0000:c1:02.1"},
        {{.extensions = "cl_amd_device_attribute_query", .topology = {2, [21] = 0xc1}}, ""},
        {{.extensions = "cl_nv_device_attribute_query", .bus = 0x65, .slot = 0x19}, "0000:65:03.1"},
        {{.bus = 0x65}, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        list_one(&cases[i].device);
        assert_string_equal(devices[0].pci, cases[i].pci);
    }
}

static void names_are_one_line_of_ascii(void **state)
{
    static char endless[1000];
    static const struct {
        const char *given, *kept;
    } cases[] = {
        {"  Intel(R)  Xeon(R)   CPU \n", "Intel(R) Xeon(R) CPU"},
        {"a\tb\r\nc", "a b c"},
        {"\033[31mred", "?[31mred"},
        {"Adreno\xe2\x84\xa2", "Adreno???"},
        {"", ""},
        {" ", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct fake_device device = {.name = cases[i].given};
        list_one(&device);
        assert_string_equal(devices[0].name, cases[i].kept);
    }
    memset(endless, 'x', sizeof(endless) - 1);
    const struct fake_device device = {.name = endless, .version = endless};
    list_one(&device);
    assert_int_equal(strlen(devices[0].name), sizeof(devices[0].name) - 1);
    assert_false(devices[0].usable);
}

static void the_numbers_arrive(void **state)
{
    (void)state;
    static const struct fake_device device = {.units = 12, .type = CL_DEVICE_TYPE_CPU};
    list_one(&device);
    assert_int_equal(devices[0].struct_size, sizeof(clnorm_device));
    assert_int_equal(devices[0].compute_units, 12);
    assert_int_equal(devices[0].type, CL_DEVICE_TYPE_CPU);
    assert_int_equal(devices[0].global_bytes, (uint64_t)5 << 30);
    assert_int_equal(devices[0].max_alloc_bytes, (uint64_t)5 << 30);
    assert_int_equal(devices[0].max_work_group, 256);
    assert_int_equal(devices[0].local_is_global, 0);
    assert_int_equal(devices[0].shares_host_memory, 1);
    assert_int_equal(devices[0].alias_of, -1);
    assert_string_equal(devices[0].driver, "7");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(no_driver_is_an_empty_list),
        TEST(a_loader_that_fails_is_an_error),
        TEST(one_bad_platform_leaves_the_others),
        TEST(one_bad_device_leaves_the_others),
        TEST(what_is_only_nice_to_know_may_fail),
        TEST(only_what_clnorm_needs_makes_a_device_unusable),
        TEST(clover_is_refused),
        TEST(extensions_are_whole_words),
        TEST(a_uuid_counts_only_if_listed_and_not_zero),
        TEST(the_address_comes_from_any_of_three_extensions),
        TEST(names_are_one_line_of_ascii),
        TEST(the_numbers_arrive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

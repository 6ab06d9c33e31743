/* SPDX-License-Identifier: MIT */
/* Risk: one device used twice, or two devices taken for one. Device: none, arrays are made up. */
#include "runtime/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define HANDLE(n) ((void *)(uintptr_t)(n))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NVIDIA "NVIDIA CUDA"
#define POCL "Portable Computing Language"

/* Handle and platform handle are the same unless changed. */
static clnorm_device made(unsigned handle, const char *platform, const char *uuid, const char *pci)
{
    clnorm_device device = {
        .struct_size = sizeof(device),
        .platform_id = HANDLE(handle),
        .device_id = HANDLE(handle),
        .platform = handle,
        .type = CL_DEVICE_TYPE_GPU,
        .compute_units = 16,
        .alias_of = 12345,
        .usable = 1,
    };
    snprintf(device.name, sizeof(device.name), "the same name");
    snprintf(device.platform_name, sizeof(device.platform_name), "%s", platform);
    snprintf(device.uuid, sizeof(device.uuid), "%s", uuid);
    snprintf(device.pci, sizeof(device.pci), "%s", pci);
    return device;
}

static void nothing_is_merged_by_name(void **state)
{
    (void)state;
    clnorm_device devices[] = {made(1, POCL, "", ""), made(2, POCL, "", ""), made(3, POCL, "", "")};
    clnorm_devices_mark_aliases(devices, COUNT(devices));
    for (size_t i = 0; i < COUNT(devices); i++)
        assert_int_equal(devices[i].alias_of, -1);
    clnorm_devices_mark_aliases(NULL, 0);
}

static void the_same_handle_is_the_same_device(void **state)
{
    (void)state;
    clnorm_device devices[] = {made(1, POCL, "", ""), made(2, POCL, "", ""), made(1, POCL, "", "")};
    clnorm_devices_mark_aliases(devices, COUNT(devices));
    assert_int_equal(devices[0].alias_of, -1);
    assert_int_equal(devices[1].alias_of, -1);
    assert_int_equal(devices[2].alias_of, 0);
}

/* Platforms that failed have no handle. */
static void two_failures_are_not_one_device(void **state)
{
    (void)state;
    clnorm_device devices[] = {made(0, "A", "", ""), made(0, "B", "", "")};
    clnorm_devices_mark_aliases(devices, COUNT(devices));
    assert_int_equal(devices[0].alias_of, -1);
    assert_int_equal(devices[1].alias_of, -1);
}

static void uuid_needs_the_same_type(void **state)
{
    (void)state;
    clnorm_device devices[] = {made(1, NVIDIA, "00ff", ""), made(2, "B", "00ff", ""),
                               made(3, "C", "00ff", ""), made(4, "D", "00fe", "")};
    devices[1].type |= CL_DEVICE_TYPE_DEFAULT;
    devices[2].type = CL_DEVICE_TYPE_CPU;
    clnorm_devices_mark_aliases(devices, COUNT(devices));
    assert_int_equal(devices[0].alias_of, -1);
    assert_int_equal(devices[1].alias_of, 0);
    assert_int_equal(devices[2].alias_of, -1);
    assert_int_equal(devices[3].alias_of, -1);
}

static void pci_needs_the_same_type_and_units(void **state)
{
    (void)state;
    const char *const pci = "0000:01:00.0";
    clnorm_device devices[] = {made(1, NVIDIA, "", pci), made(2, "B", "", pci),
                               made(3, "C", "", pci), made(4, "D", "", pci),
                               made(5, "E", "", "0000:02:00.0")};
    devices[2].compute_units = 8;
    devices[3].type = CL_DEVICE_TYPE_ACCELERATOR;
    clnorm_devices_mark_aliases(devices, COUNT(devices));
    assert_int_equal(devices[0].alias_of, -1);
    assert_int_equal(devices[1].alias_of, 0);
    assert_int_equal(devices[2].alias_of, -1);
    assert_int_equal(devices[3].alias_of, -1);
    assert_int_equal(devices[4].alias_of, -1);
}

static void half_a_card_is_a_device(void **state)
{
    (void)state;
    const char *const pci = "0000:01:00.0";
    clnorm_device devices[] = {made(1, NVIDIA, "", pci), made(2, NVIDIA, "", pci)};
    devices[1].platform_id = devices[0].platform_id;
    clnorm_devices_mark_aliases(devices, COUNT(devices));
    assert_int_equal(devices[1].alias_of, -1);
}

/* Drivers make UUIDs of different kinds: that they differ proves nothing. */
static void other_uuids_leave_pci_to_decide(void **state)
{
    (void)state;
    clnorm_device devices[] = {made(1, "AMD", "01", "0000:01:00.0"),
                               made(2, "rusticl", "02", "0000:01:00.0")};
    clnorm_devices_mark_aliases(devices, COUNT(devices));
    assert_int_equal(devices[1].alias_of, 0);
}

static void the_vendors_own_runtime_stays(void **state)
{
    (void)state;
    clnorm_device devices[] = {made(1, POCL, "aa", ""), made(2, "rusticl", "aa", ""),
                               made(3, NVIDIA, "aa", "")};
    clnorm_devices_mark_aliases(devices, COUNT(devices));
    assert_int_equal(devices[0].alias_of, 2);
    assert_int_equal(devices[1].alias_of, 2);
    assert_int_equal(devices[2].alias_of, -1);
    devices[2].usable = 0; /* then it must not stand for those that work */
    clnorm_devices_mark_aliases(devices, COUNT(devices));
    assert_int_equal(devices[0].alias_of, 1);
    assert_int_equal(devices[1].alias_of, -1);
    assert_int_equal(devices[2].alias_of, 1);
}

/* 0 and 1 by UUID, 1 and 2 by address: 0 must not point at an alias. */
static void chains_end_at_an_original(void **state)
{
    (void)state;
    clnorm_device devices[] = {made(1, POCL, "aa", ""), made(2, "rusticl", "aa", "0000:01:00.0"),
                               made(3, NVIDIA, "", "0000:01:00.0")};
    clnorm_devices_mark_aliases(devices, COUNT(devices));
    assert_int_equal(devices[0].alias_of, 2);
    assert_int_equal(devices[1].alias_of, 2);
    assert_int_equal(devices[2].alias_of, -1);
}

static void sorting_moves_the_marks_along(void **state)
{
    (void)state;
    clnorm_device devices[] = {made(1, POCL, "aa", ""), made(2, "rusticl", "bb", ""),
                               made(3, NVIDIA, "aa", ""), made(4, "Intel", "bb", "")};
    devices[0].compute_units = 99; /* the best by units, but an alias */
    devices[3].compute_units = 32;
    clnorm_devices_mark_aliases(devices, COUNT(devices));
    clnorm_devices_sort(devices, COUNT(devices));
    static const struct {
        unsigned platform;
        int alias_of;
    } expected[] = {{4, -1}, {3, -1}, {1, 1}, {2, 0}};
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_int_equal(devices[i].index, i);
        assert_int_equal(devices[i].platform, expected[i].platform);
        assert_int_equal(devices[i].alias_of, expected[i].alias_of);
    }
}

static void sorting_does_not_depend_on_the_loaders_order(void **state)
{
    (void)state;
    clnorm_device sorted[] = {made(1, "B gpu", "", ""),     made(2, "A small gpu", "", ""),
                              made(3, "A acc", "", ""),     made(4, "A cpu", "", ""),
                              made(5, "B cpu", "", ""),     made(5, "B cpu", "", ""),
                              made(6, "simulator", "", ""), made(7, "broken gpu", "", "")};
    enum { N = COUNT(sorted) };
    sorted[1].compute_units = 2;
    sorted[2].type = CL_DEVICE_TYPE_ACCELERATOR;
    sorted[3].type = sorted[4].type = sorted[5].type = CL_DEVICE_TYPE_CPU;
    sorted[5].device_id = HANDLE(55);
    sorted[5].ordinal = 1;
    sorted[6].type |= CL_DEVICE_TYPE_CPU | CL_DEVICE_TYPE_ACCELERATOR;
    sorted[6].compute_units = 1000;
    sorted[7].usable = 0;
    sorted[7].compute_units = 1000;
    for (size_t shift = 0; shift < N; shift++) {
        clnorm_device devices[N];
        for (size_t i = 0; i < N; i++) {
            devices[i] = sorted[(i * 3 + shift) % N]; /* 3 and N have no common factor */
            devices[i].platform = (unsigned)i;
        }
        clnorm_devices_mark_aliases(devices, N);
        clnorm_devices_sort(devices, N);
        for (size_t i = 0; i < N; i++) {
            assert_ptr_equal(devices[i].device_id, sorted[i].device_id);
            assert_int_equal(devices[i].index, i);
            assert_int_equal(devices[i].alias_of, -1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_merged_by_name),
        cmocka_unit_test(the_same_handle_is_the_same_device),
        cmocka_unit_test(two_failures_are_not_one_device),
        cmocka_unit_test(uuid_needs_the_same_type),
        cmocka_unit_test(pci_needs_the_same_type_and_units),
        cmocka_unit_test(half_a_card_is_a_device),
        cmocka_unit_test(other_uuids_leave_pci_to_decide),
        cmocka_unit_test(the_vendors_own_runtime_stays),
        cmocka_unit_test(chains_end_at_an_original),
        cmocka_unit_test(sorting_moves_the_marks_along),
        cmocka_unit_test(sorting_does_not_depend_on_the_loaders_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

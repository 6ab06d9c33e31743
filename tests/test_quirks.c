/* SPDX-License-Identifier: MIT */
/* Risk: a device that is taken for one with a defect, or the other way round. Device: none, they
 * are made up. */
#include "runtime/quirks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

typedef struct {
    const char *platform, *name, *driver;
    cl_device_type type;
    clnorm_quirk_id id;
    bool has;
} example;

#define CPU CL_DEVICE_TYPE_CPU
#define GPU CL_DEVICE_TYPE_GPU
#define BOARD CL_DEVICE_TYPE_ACCELERATOR
#define FPGA "Intel(R) FPGA Emulation Platform for OpenCL(TM)"
#define POCL "Portable Computing Language"
#define QUALCOMM "QUALCOMM Snapdragon(TM)"
#define ADRENO(version) "OpenCL 2.0 QUALCOMM build: commit #3dad7f8ed7 Compiler " version

static const example examples[] = {
    {POCL, "pthread-cpu", "3.1", CPU, CLNORM_QUIRK_CLANG, true},
    {POCL, "NVIDIA H100", "3.1", GPU, CLNORM_QUIRK_CLANG, false},
    {"rusticl", "llvmpipe (LLVM 15)", "22.3", CPU, CLNORM_QUIRK_CLANG, false},
    {"rusticl", "llvmpipe (LLVM 15)", "22.3", CPU, CLNORM_QUIRK_SHORT_LOOPS, true},
    {"rusticl", "AMD Radeon", "22.3", GPU, CLNORM_QUIRK_SHORT_LOOPS, false},
    {"Oclgrind", "Oclgrind Simulator", "21.10", CPU | GPU, CLNORM_QUIRK_NO_BINARIES, true},
    {"Apple", "Apple M1", "1.0", CPU, CLNORM_QUIRK_LONE_ITEMS, true},
    {"Apple", "Apple M1", "1.0", GPU, CLNORM_QUIRK_LONE_ITEMS, false},
    {QUALCOMM, "QUALCOMM Adreno(TM)", ADRENO("E031.37.12"), GPU, CLNORM_QUIRK_NO_SUBGROUPS, true},
    {QUALCOMM, "QUALCOMM Adreno(TM)", ADRENO("E031.38.10"), GPU, CLNORM_QUIRK_NO_SUBGROUPS, true},
    {QUALCOMM, "QUALCOMM Adreno(TM)", ADRENO("E031.38.11"), GPU, CLNORM_QUIRK_NO_SUBGROUPS, false},
    {QUALCOMM, "QUALCOMM Adreno(TM)", ADRENO("E031.45.02"), GPU, CLNORM_QUIRK_NO_SUBGROUPS, false},
    {QUALCOMM, "QUALCOMM Adreno(TM)", "no version", GPU, CLNORM_QUIRK_NO_SUBGROUPS, false},
    {FPGA, "Intel(R) FPGA Emulation Device", "2025.21", BOARD, CLNORM_QUIRK_HOST, true},
    {"Intel(R) FPGA SDK for OpenCL(TM)", "a board", "22.4", BOARD, CLNORM_QUIRK_HOST, false},
};

static clnorm_device device_of(const example *e)
{
    clnorm_device device = {.struct_size = sizeof(device), .type = e->type};
    snprintf(device.platform_name, sizeof(device.platform_name), "%s", e->platform);
    snprintf(device.name, sizeof(device.name), "%s", e->name);
    snprintf(device.driver, sizeof(device.driver), "%s", e->driver);
    return device;
}

static void devices_have_the_quirks_of_their_drivers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        const clnorm_device device = device_of(&examples[i]);
        const char *reason = clnorm_quirk_reason(&device, examples[i].id);
        if ((reason != NULL) != examples[i].has)
            fail_msg("%s, %s, driver %s: quirk %d is %s", examples[i].platform, examples[i].name,
                     examples[i].driver, (int)examples[i].id, reason ? reason : "not there");
    }
}

static void every_quirk_is_told_once(void **state)
{
    (void)state;
    const example *oclgrind = &examples[5];
    const clnorm_device device = device_of(oclgrind), unknown = {.name = "unknown"};
    assert_non_null(clnorm_device_quirk(&device, 0));
    assert_non_null(clnorm_device_quirk(&device, 1));
    assert_true(strcmp(clnorm_device_quirk(&device, 0), clnorm_device_quirk(&device, 1)) != 0);
    assert_null(clnorm_device_quirk(&device, 2));
    assert_null(clnorm_device_quirk(&unknown, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_have_the_quirks_of_their_drivers),
        cmocka_unit_test(every_quirk_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

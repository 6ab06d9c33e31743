/* SPDX-License-Identifier: MIT */
/* Risk: a list that is wrong about the machine, or an odd OpenCL installation that ends the
 * process. Device: whatever the environment offers. The odd installations are folders made up here,
 * with a driver of the environment as the one that works; each is read by a child process,
 * because a loader reads them once. */
#define _DEFAULT_SOURCE
#include "clnorm/clnorm.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { SKIPPED = 77, TEXT = 4096 };

static char self[TEXT]; /* this program */
static char driver[TEXT]; /* a library that works, as an .icd file names it */
static char folder[] = "/tmp/clnorm-devices-XXXXXX";

/* ---- the real list ---- */

/* Prints what a child process sees. */
static int print_list(void)
{
    clnorm_device *devices = NULL;
    size_t count = 0;
    clnorm_error error;
    if (clnorm_devices_list(&devices, &count, &error) != CLNORM_OK) {
        printf("error %s\n", error.text);
        return 0;
    }
    printf("%zu devices\n", count);
    for (size_t i = 0; i < count; i++)
        printf("%u usable %d alias %d\n", devices[i].index, devices[i].usable, devices[i].alias_of);
    clnorm_devices_free(devices);
    return 0;
}

static void check_device(const clnorm_device *devices, size_t i)
{
    const clnorm_device *device = &devices[i];
    print_message("%zu %u:%u %s (%s)%s%s\n", i, device->platform, device->ordinal, device->name,
                  device->platform_name, device->usable ? "" : " not usable: ", device->problem);
    assert_int_equal(device->struct_size, sizeof(*device));
    assert_int_equal(device->index, i);
    assert_int_equal(device->usable, !device->problem[0]);
    assert_true(device->alias_of >= -1);
    if (device->alias_of >= 0) {
        assert_true((size_t)device->alias_of < i || !devices[device->alias_of].usable);
        assert_int_equal(devices[device->alias_of].alias_of, -1);
    }
    if (!device->usable)
        return;
    assert_non_null(device->device_id);
    assert_non_null(device->platform_id);
    assert_true(device->type &
                (CL_DEVICE_TYPE_CPU | CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_ACCELERATOR));
    assert_true(strlen(device->name) && strlen(device->version) && strlen(device->platform_name));
    assert_true(device->compute_units >= 1 && device->max_work_group >= 1);
    /* the least that OpenCL 1.2 allows: 1 KiB of local memory, 1 MiB of one buffer */
    assert_true(device->local_bytes >= 1024 && device->max_alloc_bytes >= 1 << 20);
    assert_true(device->global_bytes >= 1 << 20);
}

static void the_list_is_consistent(void **state)
{
    (void)state;
    clnorm_device *devices = NULL;
    size_t count = 0, chosen, n_chosen;
    clnorm_error error;
    assert_int_equal(clnorm_devices_list(&devices, &count, &error), CLNORM_OK);
    for (size_t i = 0; i < count; i++) {
        check_device(devices, i);
        assert_true(i == 0 || devices[i - 1].usable >= devices[i].usable);
        for (size_t k = 0; k < i; k++)
            assert_false(devices[k].platform == devices[i].platform &&
                         devices[k].ordinal == devices[i].ordinal);
    }
    assert_int_equal(clnorm_devices_select(devices, count, "0", &chosen, &n_chosen, &error),
                     CLNORM_OK);
    assert_int_equal(chosen, 0);
    clnorm_devices_free(devices);
}

static void the_list_is_the_same_twice(void **state)
{
    (void)state;
    clnorm_device *lists[2] = {NULL, NULL};
    size_t counts[2] = {0, 0};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(clnorm_devices_list(&lists[i], &counts[i], NULL), CLNORM_OK);
    assert_int_equal(counts[0], counts[1]);
    for (size_t i = 0; i < counts[0]; i++) {
        assert_ptr_equal(lists[0][i].device_id, lists[1][i].device_id);
        assert_string_equal(lists[0][i].name, lists[1][i].name);
        assert_int_equal(lists[0][i].alias_of, lists[1][i].alias_of);
    }
    clnorm_devices_free(lists[0]);
    clnorm_devices_free(lists[1]);
    clnorm_devices_free(NULL);
}

/* What the list calls usable can be used. */
static void usable_devices_make_contexts(void **state)
{
    (void)state;
    clnorm_device *devices = NULL;
    size_t count = 0;
    assert_int_equal(clnorm_devices_list(&devices, &count, NULL), CLNORM_OK);
    for (size_t i = 0; i < count; i++) {
        cl_int code = -1;
        if (!devices[i].usable)
            continue;
        cl_context context = clCreateContext(NULL, 1, &devices[i].device_id, NULL, NULL, &code);
        if (!context || code != CL_SUCCESS)
            fail_msg("%s: clCreateContext gave %d", devices[i].name, (int)code);
        clReleaseContext(context);
    }
    clnorm_devices_free(devices);
}

/* ---- odd installations ---- */

/* Runs this program with `environment` before it; the text it prints, cut to the buffer. Returns
 * how it ended, as wait() says. */
static int run_child(const char *environment, char *printed)
{
    char command[4 * TEXT];
    snprintf(command, sizeof(command), "%s timeout 60 '%s' --list", environment, self);
    printed[0] = '\0';
    FILE *child = popen(command, "r");
    if (!child)
        return -1;
    printed[fread(printed, 1, TEXT - 1, child)] = '\0';
    return pclose(child);
}

static void list_in_child(const char *environment, char *printed)
{
    const int end = run_child(environment, printed);
    if (!WIFEXITED(end) || WEXITSTATUS(end) != 0)
        fail_msg("%s: ended with %d after \"%s\"", environment, end, printed);
}

static void write_icd(const char *name, const char *text)
{
    char path[TEXT];
    snprintf(path, sizeof(path), "%s/%s.icd", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(strrchr(folder, '-'), sizeof("-XXXXXX"), "-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char path[2 * TEXT];
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    closedir(entries);
    return rmdir(folder);
}

static void expect_list(const char *environment, const char *expected)
{
    char printed[TEXT], full[2 * TEXT];
    snprintf(full, sizeof(full), "OCL_ICD_VENDORS='%s' %s", folder, environment);
    list_in_child(full, printed);
    assert_string_equal(printed, expected);
}

static void without_drivers_the_list_is_empty(void **state)
{
    (void)state;
    char printed[TEXT];
    list_in_child("OCL_ICD_VENDORS=/nonexistent/folder", printed);
    assert_string_equal(printed, "0 devices\n");
    expect_list("", "0 devices\n");
}

static void broken_drivers_give_an_empty_list(void **state)
{
    (void)state;
    write_icd("empty", "");
    expect_list("", "0 devices\n");
    write_icd("garbage", "\001\002 not a library \377\n");
    expect_list("", "0 devices\n");
    write_icd("missing", "/nonexistent/libnothing.so.1\n");
    expect_list("", "0 devices\n");
    write_icd("no-opencl", "libm.so.6\n");
    expect_list("", "0 devices\n");
}

/* Lines of "usable 1 alias -1" in what was printed. */
static size_t count_text(const char *printed, const char *text)
{
    size_t n = 0;
    for (; (printed = strstr(printed, text)); printed += strlen(text))
        n++;
    return n;
}

static void broken_drivers_leave_the_good_one(void **state)
{
    (void)state;
    char good[TEXT], with_broken[TEXT], environment[2 * TEXT];
    snprintf(environment, sizeof(environment), "OCL_ICD_VENDORS='%s'", folder);
    write_icd("good", driver);
    list_in_child(environment, good);
    assert_true(count_text(good, "usable 1") >= 1);
    write_icd("a-missing", "/nonexistent/libnothing.so.1\n");
    write_icd("b-empty", "");
    write_icd("z-no-opencl", "libm.so.6\n");
    list_in_child(environment, with_broken);
    assert_string_equal(with_broken, good);
}

/* ocl-icd gives two platforms with the same handles; the Khronos loader drops the second. */
static void a_driver_registered_twice_is_an_alias(void **state)
{
    (void)state;
    char once[TEXT], twice[TEXT], environment[2 * TEXT];
    snprintf(environment, sizeof(environment), "OCL_ICD_VENDORS='%s'", folder);
    write_icd("one", driver);
    list_in_child(environment, once);
    write_icd("two", driver);
    list_in_child(environment, twice);
    assert_int_equal(count_text(twice, "usable 1 alias -1"), count_text(once, "usable 1 alias -1"));
    if (strcmp(once, twice) != 0) {
        const size_t n = count_text(once, "usable 1");
        assert_int_equal(count_text(twice, "usable 1"), 2 * n);
        assert_int_equal(count_text(twice, "alias -1"), n);
    }
}

static void a_platform_without_devices_adds_nothing(void **state)
{
    (void)state;
    if (!strstr(driver, "pocl")) {
        print_message("skipped: only PoCL can be told to have no device\n");
        return;
    }
    write_icd("pocl", driver);
    expect_list("POCL_DEVICES=unknown", "0 devices\n");
    expect_list("POCL_DEVICES=", "0 devices\n");
}

/* ---- the program ---- */

/* Does `path` name a library that, alone, has a device? Then it is the driver. */
static int take_driver(const char *path)
{
    char printed[TEXT], environment[2 * TEXT];
    FILE *file = fopen(path, "r");
    if (!file || !fgets(driver, sizeof(driver), file))
        driver[0] = '\0';
    if (file)
        fclose(file);
    write_icd("try", driver);
    snprintf(environment, sizeof(environment), "OCL_ICD_VENDORS='%s'", folder);
    return driver[0] && run_child(environment, printed) == 0 && strstr(printed, "usable 1");
}

/* Among the .icd files of the folder that the environment names. */
static int find_driver(void)
{
    const char *vendors = getenv("OCL_ICD_VENDORS");
    const char *from = vendors && vendors[0] ? vendors : "/etc/OpenCL/vendors";
    struct dirent **entries = NULL;
    const int n = scandir(from, &entries, NULL, alphasort);
    int found = 0;
    if (make_folder(NULL) != 0)
        return 0;
    for (int i = 0; i < n; i++) {
        char path[TEXT];
        const char *end = strrchr(entries[i]->d_name, '.');
        snprintf(path, sizeof(path), "%s/%s", from, entries[i]->d_name);
        found = found || (end && strcmp(end, ".icd") == 0 && take_driver(path));
        free(entries[i]);
    }
    free(entries);
    return remove_folder(NULL) == 0 && found;
}

static int has_device(void)
{
    clnorm_device *devices = NULL;
    size_t count = 0;
    const clnorm_status status = clnorm_devices_list(&devices, &count, NULL);
    const int usable = status == CLNORM_OK && count > 0 && devices[0].usable;
    clnorm_devices_free(devices);
    return usable;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return print_list();
    if (!realpath(argv[0], self) || !find_driver() || !has_device()) {
        puts("skipped: no OpenCL device here, or no .icd file that names its driver");
        return SKIPPED;
    }
#define SCENARIO(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_is_consistent),
        cmocka_unit_test(the_list_is_the_same_twice),
        cmocka_unit_test(usable_devices_make_contexts),
        SCENARIO(without_drivers_the_list_is_empty),
        SCENARIO(broken_drivers_give_an_empty_list),
        SCENARIO(broken_drivers_leave_the_good_one),
        SCENARIO(a_driver_registered_twice_is_an_alias),
        SCENARIO(a_platform_without_devices_adds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Output files appear whole or not at all, and never in place of something that they must not
 * replace. */
#define _DEFAULT_SOURCE
#include "cli/files/input_file.h"
#include "cli/files/output_file.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct shape shape_2x3 = {.rank = 2, .dims = {2, 3}};
static const float values[] = {1, 2, 3, 4, 5, 6};

/* The tests run inside of an empty directory, so that paths are short and relative. */
static char directory[64];

static int enter_scratch(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/clnorm-test-output-XXXXXX");
    return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int leave_scratch(void **state)
{
    (void)state;
    static const char *const names[] = {"y.npy", "link.npy", "dangling", "dirlink", "loop"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(names[i]);
    rmdir("dir");
    return chdir("/") == 0 && rmdir(directory) == 0 ? 0 : -1;
}

static size_t count_entries(void)
{
    DIR *entries = opendir(".");
    size_t n = 0;
    assert_non_null(entries);
    while (readdir(entries))
        n++;
    closedir(entries);
    return n - 2; /* . and .. */
}

static void must_create(struct output_file *output, const char *path)
{
    clnorm_error error = {0};
    if (!output_file_create(output, path, NPY_F32, &shape_2x3, &error))
        fail_msg("%s", error.text);
    memcpy(output->data, values, sizeof(values));
}

static void must_publish(struct output_file *output)
{
    clnorm_error error = {0};
    if (!output_file_sync(output, &error) || !output_file_publish(output, &error))
        fail_msg("%s", error.text);
    output_file_close(output);
}

static void must_refuse(const char *path, enum npy_type type, const struct shape *shape,
                        const char *said)
{
    struct output_file output;
    clnorm_error error = {0};
    const size_t before = count_entries();
    if (output_file_create(&output, path, type, shape, &error))
        fail_msg("%s was created; must be refused with '%s'", path, said);
    if (!strstr(error.text, said) || strncmp(error.text, path, strlen(path)) != 0)
        fail_msg("'%s' must have '%s' in it", error.text, said);
    output_file_close(&output); /* allowed after a failure */
    assert_int_equal(count_entries(), before);
}

static void must_hold_values(const char *path)
{
    struct input_file input;
    clnorm_error error = {0};
    if (!input_file_open(&input, path, false, &error))
        fail_msg("%s", error.text);
    assert_int_equal(input.shape.rank, 2);
    assert_int_equal(input.bytes, sizeof(values));
    assert_memory_equal(input.data, values, sizeof(values));
    input_file_close(&input);
}

static void write_text(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("old", file);
    fclose(file);
}

static void must_hold_text(const char *path)
{
    char text[8] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof(text), file), 3);
    fclose(file);
    assert_string_equal(text, "old");
}

static void test_nothing_is_there_before_it_is_whole(void **state)
{
    (void)state;
    struct output_file output;
    must_create(&output, "y.npy");
    assert_int_not_equal(access("y.npy", F_OK), 0);
    must_publish(&output);
    must_hold_values("y.npy");
    assert_int_equal(count_entries(), 1);
    unlink("y.npy");
}

static void test_an_old_file_survives_until_then(void **state)
{
    (void)state;
    struct output_file output;
    write_text("y.npy");
    must_create(&output, "y.npy");
    must_hold_text("y.npy");
    output_file_close(&output); /* gives up */
    must_hold_text("y.npy");
    assert_int_equal(count_entries(), 1);
    must_create(&output, "./y.npy");
    must_publish(&output);
    must_hold_values("y.npy");
    unlink("y.npy");
}

static void test_dropped_pages_are_not_lost(void **state)
{
    (void)state;
    enum { N = 1 << 18 }; /* many pages, whatever their size */
    const struct shape shape = {.rank = 1, .dims = {N}};
    struct output_file output;
    struct input_file input;
    clnorm_error error = {0};
    assert_true(output_file_create(&output, "y.npy", NPY_F32, &shape, &error));
    for (size_t i = 0; i < N; i++) {
        ((float *)output.data)[i] = (float)i;
        if (i % 1000 == 0)
            output_file_drop(&output, i * sizeof(float));
    }
    output_file_drop(&output, N * sizeof(float));
    must_publish(&output);
    assert_true(input_file_open(&input, "y.npy", false, &error));
    for (size_t i = 0; i < N; i++) {
        if (((const float *)input.data)[i] != (float)i)
            fail_msg("element %zu: %g", i, ((const float *)input.data)[i]);
        if (i % 1000 == 0)
            input_file_drop(&input, i * sizeof(float));
    }
    input_file_close(&input);
    unlink("y.npy");
}

static void test_empty_array_is_a_whole_file(void **state)
{
    (void)state;
    const struct shape shape = {.rank = 2, .dims = {0, 3}};
    struct output_file output;
    struct input_file input;
    clnorm_error error = {0};
    assert_true(output_file_create(&output, "y.npy", NPY_F16, &shape, &error));
    must_publish(&output);
    assert_true(input_file_open(&input, "y.npy", false, &error));
    assert_int_equal(input.bytes, 0);
    assert_int_equal(input.shape.rank, 2);
    assert_int_equal(input.dtype, CLNORM_F16);
    input_file_close(&input);
    unlink("y.npy");
}

static void test_bad_paths_are_refused(void **state)
{
    (void)state;
    assert_int_equal(mkdir("dir", 0777), 0);
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    assert_int_equal(symlink("loop", "loop"), 0);
    static const struct {
        const char *path, *said;
    } bad[] = {
        {"dir", "is a directory"},         {"dir/", "is a directory"},
        {"new/", "Is a directory"},        {"missing/y.npy", "No such file or directory"},
        {"", "No such file or directory"}, {"dangling", "No such file or directory"},
        {"loop", "symbolic links"},        {"/dev/full", "not a regular file"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        must_refuse(bad[i].path, NPY_F32, &shape_2x3, bad[i].said);
    rmdir("dir");
    unlink("dangling");
    unlink("loop");
}

static void test_unwritable_places_are_refused(void **state)
{
    (void)state;
    write_text("y.npy");
    assert_int_equal(chmod("y.npy", 0444), 0);
    if (geteuid() != 0) /* root may write anything */
        must_refuse("y.npy", NPY_F32, &shape_2x3, "Permission denied");
    unlink("y.npy");
    must_refuse("/proc/self/y.npy", NPY_F32, &shape_2x3, "cannot be written");
}

static void test_what_does_not_fit_is_refused(void **state)
{
    (void)state;
    const struct shape huge = {.rank = 1, .dims = {(uint64_t)1 << 60}};
    const struct shape beyond = {.rank = 2, .dims = {(uint64_t)1 << 40, (uint64_t)1 << 40}};
    must_refuse("y.npy", NPY_F32, &huge, "no room for");
    must_refuse("y.npy", NPY_F32, &beyond, "more than");
}

static void test_a_link_keeps_its_place(void **state)
{
    (void)state;
    struct output_file output;
    struct stat info;
    write_text("y.npy");
    assert_int_equal(symlink("y.npy", "link.npy"), 0);
    must_create(&output, "link.npy");
    must_publish(&output);
    assert_int_equal(lstat("link.npy", &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    must_hold_values("y.npy");
    unlink("link.npy");
    unlink("y.npy");
}

static void test_the_same_file_is_known_by_any_name(void **state)
{
    (void)state;
    struct output_file a, b;
    clnorm_error error;
    assert_int_equal(mkdir("dir", 0777), 0);
    assert_int_equal(symlink(".", "dirlink"), 0);
    static const char *const names[] = {"y.npy", "./y.npy", "dir/../y.npy", "dirlink/y.npy"};
    for (int exists = 0; exists <= 1; exists++) {
        if (exists)
            write_text("y.npy");
        must_create(&a, "y.npy");
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            must_create(&b, names[i]);
            if (!output_file_same(&a, &b))
                fail_msg("%s and y.npy are one file", names[i]);
            if (output_file_spares(&b, "y.npy", &error) == exists)
                fail_msg("%s %s y.npy", names[i], exists ? "replaces" : "replaces no");
            output_file_close(&b);
        }
        must_create(&b, "dir/y.npy");
        assert_false(output_file_same(&a, &b));
        assert_true(output_file_spares(&b, "y.npy", &error));
        output_file_close(&b);
        output_file_close(&a);
    }
    unlink("y.npy");
    unlink("dirlink");
    rmdir("dir");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_there_before_it_is_whole),
        cmocka_unit_test(test_an_old_file_survives_until_then),
        cmocka_unit_test(test_dropped_pages_are_not_lost),
        cmocka_unit_test(test_empty_array_is_a_whole_file),
        cmocka_unit_test(test_bad_paths_are_refused),
        cmocka_unit_test(test_unwritable_places_are_refused),
        cmocka_unit_test(test_what_does_not_fit_is_refused),
        cmocka_unit_test(test_a_link_keeps_its_place),
        cmocka_unit_test(test_the_same_file_is_known_by_any_name),
    };
    return cmocka_run_group_tests(tests, enter_scratch, leave_scratch);
}

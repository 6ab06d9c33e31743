/* SPDX-License-Identifier: MIT */
/* idx files, plain and gzip: the numbers, and files that are cut, damaged or lie about their size.
 */
#define _DEFAULT_SOURCE
#include "cli/files/input_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

struct scratch {
    char directory[64], path[80];
};

static int make_scratch(void **state)
{
    static struct scratch scratch;
    strcpy(scratch.directory, "/tmp/clnorm-test-idx-XXXXXX");
    if (!mkdtemp(scratch.directory))
        return -1;
    snprintf(scratch.path, sizeof(scratch.path), "%s/file", scratch.directory);
    *state = &scratch;
    return 0;
}

static int remove_scratch(void **state)
{
    struct scratch *scratch = *state;
    unlink(scratch->path);
    return rmdir(scratch->directory);
}

static void write_plain(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static void write_gzip(const char *path, const void *bytes, size_t n)
{
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)n), n);
    assert_int_equal(gzclose(file), Z_OK);
}

static void (*const writers[])(const char *, const void *, size_t) = {write_plain, write_gzip};
enum { N_WRITERS = sizeof(writers) / sizeof(writers[0]) };

static void must_open(struct input_file *input, const char *path)
{
    clnorm_error error = {0};
    if (!input_file_open(input, path, false, &error))
        fail_msg("%s", error.text);
}

static void must_refuse(const char *path, const char *said)
{
    struct input_file input;
    clnorm_error error = {0};
    if (input_file_open(&input, path, false, &error))
        fail_msg("was read; must be refused with '%s'", said);
    if (!strstr(error.text, said) || strncmp(error.text, path, strlen(path)) != 0)
        fail_msg("'%s' must have '%s' in it", error.text, said);
}

static const unsigned char small_u8[] = {0, 0, 8, 3, 0, 0, 0, 2, 0,   0,   0,
                                         1, 0, 0, 0, 3, 0, 1, 2, 127, 128, 255};
static const float small_values[] = {0, 1, 2, 127, 128, 255};

static void test_bytes_become_floats(void **state)
{
    const struct scratch *scratch = *state;
    for (size_t i = 0; i < N_WRITERS; i++) {
        struct input_file input;
        writers[i](scratch->path, small_u8, sizeof(small_u8));
        must_open(&input, scratch->path);
        assert_int_equal(input.dtype, CLNORM_F32);
        assert_int_equal(input.shape.rank, 3);
        assert_int_equal(input.shape.dims[0], 2);
        assert_int_equal(input.shape.dims[1], 1);
        assert_int_equal(input.shape.dims[2], 3);
        assert_int_equal(input.bytes, sizeof(small_values));
        assert_memory_equal(input.data, small_values, sizeof(small_values));
        input_file_close(&input);
    }
}

static void test_floats_have_their_first_byte_first(void **state)
{
    const struct scratch *scratch = *state;
    static const unsigned char f32[] = {0, 0, 0x0d, 1, 0, 0, 0, 2, 0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0};
    static const unsigned char f64[] = {0, 0, 0x0e, 1, 0, 0, 0, 1, 0x3f, 0xf8, 0, 0, 0, 0, 0, 1};
    struct input_file input;
    write_plain(scratch->path, f32, sizeof(f32));
    must_open(&input, scratch->path);
    assert_int_equal(input.dtype, CLNORM_F32);
    assert_true(((const float *)input.data)[0] == 1.0f && ((const float *)input.data)[1] == -2.0f);
    input_file_close(&input);
    write_plain(scratch->path, f64, sizeof(f64));
    must_open(&input, scratch->path);
    assert_int_equal(input.dtype, CLNORM_F64);
    assert_true(((const double *)input.data)[0] == 1.5 + 0x1p-52);
    input_file_close(&input);
}

/* More than one buffer of the reader, and no multiple of it. */
static void test_large_file_is_read_whole(void **state)
{
    const struct scratch *scratch = *state;
    enum { N = 200001, HEADER = 8 };
    unsigned char *file = malloc(HEADER + N);
    assert_non_null(file);
    const unsigned char header[HEADER] = {0, 0, 8, 1, 0, N >> 16, (N >> 8) & 0xff, N & 0xff};
    memcpy(file, header, HEADER);
    for (size_t i = 0; i < N; i++)
        file[HEADER + i] = (unsigned char)(i * 7 + i / 256);
    for (size_t w = 0; w < N_WRITERS; w++) {
        struct input_file input;
        writers[w](scratch->path, file, HEADER + N);
        must_open(&input, scratch->path);
        for (size_t i = 0; i < N; i++)
            if (((const float *)input.data)[i] != file[HEADER + i])
                fail_msg("element %zu: %g, must be %d", i, ((const float *)input.data)[i],
                         file[HEADER + i]);
        input_file_close(&input);
    }
    free(file);
}

static void test_zero_size_is_an_empty_array(void **state)
{
    const struct scratch *scratch = *state;
    static const unsigned char file[] = {0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 3};
    struct input_file input;
    write_plain(scratch->path, file, sizeof(file));
    must_open(&input, scratch->path);
    assert_int_equal(input.bytes, 0);
    assert_non_null(input.data);
    input_file_close(&input);
}

static void test_every_cut_is_refused(void **state)
{
    const struct scratch *scratch = *state;
    for (size_t w = 0; w < N_WRITERS; w++)
        for (size_t cut = 4; cut < sizeof(small_u8); cut++) {
            writers[w](scratch->path, small_u8, cut);
            must_refuse(scratch->path, "cut off");
        }
}

static size_t read_back(const char *path, unsigned char *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t n = fread(bytes, 1, room, file);
    fclose(file);
    return n;
}

static void test_every_cut_of_the_gzip_data_is_refused(void **state)
{
    const struct scratch *scratch = *state;
    unsigned char bytes[256];
    write_gzip(scratch->path, small_u8, sizeof(small_u8));
    const size_t n = read_back(scratch->path, bytes, sizeof(bytes));
    for (size_t cut = 0; cut < n; cut++) {
        write_plain(scratch->path, bytes, cut);
        must_refuse(scratch->path, "");
    }
}

static void test_a_wrong_check_sum_is_refused(void **state)
{
    const struct scratch *scratch = *state;
    unsigned char bytes[256];
    write_gzip(scratch->path, small_u8, sizeof(small_u8));
    const size_t n = read_back(scratch->path, bytes, sizeof(bytes));
    bytes[n - 8] ^= 1; /* gzip ends in 4 bytes of check sum and 4 of length */
    write_plain(scratch->path, bytes, n);
    must_refuse(scratch->path, "");
}

static void test_bad_files_are_refused_by_name(void **state)
{
    const struct scratch *scratch = *state;
    static const struct {
        unsigned char bytes[16];
        size_t n;
        const char *said;
    } bad[] = {
        {{0, 0, 9, 1, 0, 0, 0, 1, 5}, 9, "idx type 0x09; must be 0x08"},
        {{0, 0, 8, 65, 0, 0, 0, 1}, 8, "65 dimensions; must be at most 64"},
        {{0, 0, 8, 1, 0, 0, 0, 1, 5, 6}, 10, "too much data"},
        {{0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, 16, "cut off"},
        {{1, 2, 3, 4}, 4, "neither a .npy nor an idx file"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        write_plain(scratch->path, bad[i].bytes, bad[i].n);
        must_refuse(scratch->path, bad[i].said);
    }
    write_gzip(scratch->path, "text", 4);
    must_refuse(scratch->path, "no idx file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_become_floats),
        cmocka_unit_test(test_floats_have_their_first_byte_first),
        cmocka_unit_test(test_large_file_is_read_whole),
        cmocka_unit_test(test_zero_size_is_an_empty_array),
        cmocka_unit_test(test_every_cut_is_refused),
        cmocka_unit_test(test_every_cut_of_the_gzip_data_is_refused),
        cmocka_unit_test(test_a_wrong_check_sum_is_refused),
        cmocka_unit_test(test_bad_files_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}

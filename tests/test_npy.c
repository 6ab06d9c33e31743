/* SPDX-License-Identifier: MIT */
/* The .npy header: a file from anywhere must be read right or refused, and never read past its end.
 */
#define _DEFAULT_SOURCE
#include "cli/files/npy.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A file in memory of exactly its size, so that a sanitizer sees a byte too far. */
static bool parse(const void *file, size_t bytes, struct npy_array *array, clnorm_error *error)
{
    char *copy = malloc(bytes ? bytes : 1);
    assert_non_null(copy);
    memcpy(copy, file, bytes);
    const bool is_read = npy_parse("test.npy", copy, bytes, array, error);
    free(copy);
    return is_read;
}

/* A version 1.0 file with this header text and so many bytes of data. */
static size_t make_file(char *file, const char *text, size_t data_bytes)
{
    const size_t length = strlen(text);
    memcpy(file, "\x93NUMPY\x01\x00", 8);
    file[8] = (char)(length & 0xff);
    file[9] = (char)(length >> 8);
    memcpy(file + 10, text, length);
    memset(file + 10 + length, 0x55, data_bytes);
    return 10 + length + data_bytes;
}

enum { FILE_MAX = 4096 };

static void test_written_headers_are_read_back(void **state)
{
    (void)state;
    for (unsigned type = NPY_F32; type <= NPY_U8; type++)
        for (unsigned rank = 0; rank <= MAX_RANK; rank++) {
            char file[FILE_MAX] = {0};
            struct shape shape = {.rank = rank};
            struct npy_array array;
            clnorm_error error = {0};
            for (unsigned i = 0; i < rank; i++)
                shape.dims[i] = i < 3 ? i + 2 : 1;
            if (rank == 5)
                shape.dims[4] = 0;
            const size_t header = npy_header(file, (enum npy_type)type, &shape);
            assert_int_equal(header % 64, 0);
            const size_t data = npy_type_bytes((enum npy_type)type) * shape_count(&shape, 0, rank);
            if (!parse(file, header + data, &array, &error))
                fail_msg("type %u rank %u: %s", type, rank, error.text);
            assert_int_equal(array.type, type);
            assert_int_equal(array.offset, header);
            assert_int_equal(array.bytes, data);
            assert_int_equal(array.shape.rank, rank);
            assert_memory_equal(array.shape.dims, shape.dims, sizeof(shape.dims));
        }
}

static void test_longest_header_fits(void **state)
{
    (void)state;
    char header[NPY_HEADER_MAX];
    struct shape shape = {.rank = MAX_RANK};
    for (unsigned i = 0; i < MAX_RANK; i++)
        shape.dims[i] = UINT64_MAX;
    assert_true(npy_header(header, NPY_F32, &shape) <= sizeof(header));
}

static void test_other_spellings_are_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }          \n",
        "{'shape':(2,3),'descr':'<f4','fortran_order':False}",
        "{\"shape\": (2, 3,), \"fortran_order\": False, \"descr\": \"<f4\"}\n",
        "\t{ 'descr' : '<f4' , 'fortran_order' : False , 'shape' : ( 2 , 3 ) } ",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char file[FILE_MAX];
        struct npy_array array;
        clnorm_error error = {0};
        const size_t bytes = make_file(file, texts[i], 24);
        if (!parse(file, bytes, &array, &error))
            fail_msg("%s: %s", texts[i], error.text);
        assert_int_equal(array.shape.rank, 2);
        assert_int_equal(array.shape.dims[0], 2);
        assert_int_equal(array.shape.dims[1], 3);
        assert_int_equal(array.bytes, 24);
    }
}

static void test_versions_2_and_3_have_a_longer_length(void **state)
{
    (void)state;
    static const char text[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n";
    for (char version = 1; version <= 4; version++) {
        char file[FILE_MAX] = "\x93NUMPY";
        struct npy_array array;
        clnorm_error error = {0};
        const size_t begin = version == 1 ? 10 : 12;
        file[6] = version;
        file[8] = sizeof(text) - 1;
        memcpy(file + begin, text, sizeof(text) - 1);
        const bool is_read = parse(file, begin + sizeof(text) - 1 + 8, &array, &error);
        assert_int_equal(is_read, version <= 3);
        if (is_read)
            assert_int_equal(array.offset, begin + sizeof(text) - 1);
        else
            assert_non_null(strstr(error.text, "version 4; must be 1, 2 or 3"));
    }
}

static void test_bad_headers_are_refused_by_name(void **state)
{
    (void)state;
#define REST "'fortran_order': False, 'shape': (2,)}"
    static const struct {
        const char *text, *said;
    } bad[] = {
        {"{'descr': '>f4', " REST, "'>f4' is big-endian"},
        {"{'descr': '|O', " REST, "'|O' is object"},
        {"{'descr': '<i4', " REST, "'<i4' is unsupported"},
        {"{'descr': '<c8', " REST, "'<c8' is unsupported"},
        {"{'descr': [('a', '<f4')], " REST, "structured"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2,)}", "fortran_order is True"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", "True or False"},
        {"{'descr': '<f4', 'fortran_order': False}", "'shape' is missing"},
        {"{'descr': '<f4', 'shape': (2,)}", "'fortran_order' is missing"},
        {"{" REST, "'descr' is missing"},
        {"{'descr': '<f4', 'descr': '<f4', " REST, "'descr' is there twice"},
        {"{'color': '<f4', " REST, "'color' is unknown"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2)}", "','"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (,)}", "a dimension"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", "a dimension"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}", "','"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 2}", "'('"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551616,)}",
         "above 2^64 - 1"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
         "more than"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775807)}",
         "more than"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "takes 12 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "too much data"},
        {"{'descr': '<f4', " REST " x", "the end of the header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", "'}'"},
        {"{'descr': '<f4", "a string"},
        {"{'descr'", "':'"},
        {"", "'{'"},
    };
#undef REST
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char file[FILE_MAX];
        struct npy_array array;
        clnorm_error error = {0};
        const size_t bytes = make_file(file, bad[i].text, 8);
        if (parse(file, bytes, &array, &error))
            fail_msg("was read: %s", bad[i].text);
        if (!strstr(error.text, bad[i].said) || strncmp(error.text, "test.npy: ", 10) != 0)
            fail_msg("%s: '%s' must have '%s' in it", bad[i].text, error.text, bad[i].said);
        assert_int_equal(error.status, CLNORM_BAD_ARGS);
    }
}

static void test_rank_above_the_limit_is_refused(void **state)
{
    (void)state;
    char file[FILE_MAX], text[FILE_MAX] = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
    struct npy_array array;
    clnorm_error error = {0};
    for (unsigned i = 0; i <= MAX_RANK; i++)
        strcat(text, "1, ");
    strcat(text, ")}");
    assert_false(parse(file, make_file(file, text, 4), &array, &error));
    assert_non_null(strstr(error.text, "more than 64 dimensions"));
}

static void test_every_cut_is_refused(void **state)
{
    (void)state;
    char file[FILE_MAX] = {0};
    const struct shape shape = {.rank = 2, .dims = {2, 3}};
    const size_t bytes = npy_header(file, NPY_F32, &shape) + 24;
    for (size_t cut = 0; cut < bytes; cut++) {
        struct npy_array array;
        clnorm_error error = {0};
        if (parse(file, cut, &array, &error))
            fail_msg("%zu of %zu bytes were read as a whole file", cut, bytes);
        assert_true(error.text[0]);
    }
}

static void test_damaged_headers_do_no_harm(void **state)
{
    (void)state;
    enum { ROUNDS = 20000 };
    const uint64_t seed = 1;
    clnorm_random random = clnorm_random_seed(seed, 0);
    for (int round = 0; round < ROUNDS; round++) {
        char file[FILE_MAX] = {0};
        struct npy_array array;
        clnorm_error error = {0};
        const struct shape shape = {.rank = 2, .dims = {2, 3}};
        const size_t header = npy_header(file, NPY_F32, &shape), bytes = header + 24;
        for (int k = 0; k <= round % 3; k++)
            file[clnorm_random_below(&random, header)] = (char)clnorm_random_bits(&random);
        if (!parse(file, bytes, &array, &error))
            continue;
        if (array.offset + array.bytes != bytes)
            fail_msg("seed %d round %d: data ends at %d of %d", (int)seed, round,
                     (int)(array.offset + array.bytes), (int)bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_headers_are_read_back),
        cmocka_unit_test(test_longest_header_fits),
        cmocka_unit_test(test_other_spellings_are_read),
        cmocka_unit_test(test_versions_2_and_3_have_a_longer_length),
        cmocka_unit_test(test_bad_headers_are_refused_by_name),
        cmocka_unit_test(test_rank_above_the_limit_is_refused),
        cmocka_unit_test(test_every_cut_is_refused),
        cmocka_unit_test(test_damaged_headers_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

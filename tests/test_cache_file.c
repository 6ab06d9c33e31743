/* SPDX-License-Identifier: MIT */
/* A file of the cache that is not, byte for byte, what was written is never believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cache_file.h"

#include <stdlib.h>
#include <string.h>

enum { PAYLOAD = 301 };

static const char label[] = "a platform\na device";
static const clnorm_cache_key key = {{1, 2, 3, 250}};

static unsigned char *make(size_t *bytes)
{
    unsigned char payload[PAYLOAD];
    for (int i = 0; i < PAYLOAD; i++)
        payload[i] = (unsigned char)(i * 7);
    const clnorm_cache_content content = {label, payload, strlen(label), sizeof(payload)};
    unsigned char *file = clnorm_cache_pack(&key, &content, bytes);
    assert_non_null(file);
    return file;
}

static void test_what_was_written_is_read(void **state)
{
    (void)state;
    size_t bytes = 0;
    unsigned char *file = make(&bytes);
    clnorm_cache_content content;
    assert_null(clnorm_cache_unpack(file, bytes, &key, &content));
    assert_null(clnorm_cache_unpack(file, bytes, NULL, &content));
    assert_int_equal(content.label_bytes, strlen(label));
    assert_memory_equal(content.label, label, strlen(label));
    assert_int_equal(content.payload_bytes, PAYLOAD);
    for (int i = 0; i < PAYLOAD; i++)
        assert_int_equal(content.payload[i], (unsigned char)(i * 7));
    free(file);
}

/* In a block of exactly that size, so that a sanitizer sees a read past its end. */
static void test_every_length(void **state)
{
    (void)state;
    size_t bytes = 0;
    unsigned char *file = make(&bytes);
    for (size_t n = 0; n <= bytes + 40; n++) {
        unsigned char *cut = calloc(1, n ? n : 1);
        clnorm_cache_content content;
        memcpy(cut, file, n < bytes ? n : bytes);
        const char *problem = clnorm_cache_unpack(cut, n, &key, &content);
        if ((problem == NULL) != (n == bytes))
            fail_msg("%zu of %zu bytes: %s", n, bytes, problem ? problem : "accepted");
        free(cut);
    }
    free(file);
}

static void test_every_bit(void **state)
{
    (void)state;
    size_t bytes = 0;
    unsigned char *file = make(&bytes);
    clnorm_cache_content content;
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
        file[bit / 8] ^= (unsigned char)(1u << bit % 8);
        if (!clnorm_cache_unpack(file, bytes, &key, &content))
            fail_msg("byte %zu of %zu, bit %zu flipped: accepted", bit / 8, bytes, bit % 8);
        file[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    assert_null(clnorm_cache_unpack(file, bytes, &key, &content));
    free(file);
}

static void test_another_key(void **state)
{
    (void)state;
    size_t bytes = 0;
    unsigned char *file = make(&bytes);
    clnorm_cache_content content;
    for (size_t i = 0; i < sizeof(key.bytes); i++) {
        clnorm_cache_key other = key;
        other.bytes[i] ^= 0x10;
        assert_non_null(clnorm_cache_unpack(file, bytes, &other, &content));
    }
    free(file);
}

static void test_long_labels_are_cut(void **state)
{
    (void)state;
    static const char text[2 * CLNORM_CACHE_LABEL];
    const clnorm_cache_content long_one = {text, key.bytes, sizeof(text), 3};
    clnorm_cache_content content;
    size_t bytes = 0;
    unsigned char *file = clnorm_cache_pack(&key, &long_one, &bytes);
    assert_non_null(file);
    assert_null(clnorm_cache_unpack(file, bytes, &key, &content));
    assert_int_equal(content.label_bytes, CLNORM_CACHE_LABEL);
    assert_int_equal(content.payload_bytes, 3);
    assert_memory_equal(content.payload, key.bytes, 3);
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_written_is_read),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_another_key),
        cmocka_unit_test(test_long_labels_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

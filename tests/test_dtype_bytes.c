/* SPDX-License-Identifier: MIT */
/* Host conversions of the types of quantised results, against the definitions of the formats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/dtype.h"

/* OCP 8-bit floating point: the value that 8 bits stand for. e4m3 has no infinity, and one NaN. */
static double defined_byte(clnorm_dtype dtype, unsigned bits)
{
    const int fraction_bits = dtype == CLNORM_E4M3 ? 3 : 2, bias = dtype == CLNORM_E4M3 ? 7 : 15;
    const int exponent = bits >> fraction_bits & (0x7f >> fraction_bits);
    const int fraction = bits & ((1 << fraction_bits) - 1);
    const double sign = bits & 0x80 ? -1 : 1;
    if (dtype == CLNORM_I8)
        return (int8_t)bits;
    if (dtype == CLNORM_E4M3 && (bits & 0x7f) == 0x7f)
        return NAN;
    if (dtype == CLNORM_E5M2 && exponent == 31)
        return fraction ? NAN : sign * INFINITY;
    if (exponent == 0)
        return sign * ldexp(fraction, 1 - bias - fraction_bits);
    return sign * ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
}

static unsigned stored_byte(clnorm_dtype dtype, double value)
{
    uint8_t array[3] = {0xad, 0xad, 0xad};
    clnorm_store(dtype, array, 1, value);
    assert_true(array[0] == 0xad && array[2] == 0xad);
    return array[1];
}

static void test_every_byte(void **state)
{
    (void)state;
    for (int d = CLNORM_I8; d <= CLNORM_E5M2; d++)
        for (unsigned bits = 0; bits < 256; bits++) {
            const clnorm_dtype dtype = (clnorm_dtype)d;
            const uint8_t byte = (uint8_t)bits;
            const double expected = defined_byte(dtype, bits), got = clnorm_load(dtype, &byte, 0);
            if (isnan(expected) || isinf(expected)) {
                assert_true(isnan(expected) ? isnan(got) : got == expected);
                continue;
            }
            if (got != expected || signbit(got) != signbit(expected))
                fail_msg("%s: %02x is loaded as %a, expected %a", clnorm_dtype_name(dtype), bits,
                         got, expected);
            if (stored_byte(dtype, expected) != bits)
                fail_msg("%s: %a is stored as %02x, expected %02x", clnorm_dtype_name(dtype),
                         expected, stored_byte(dtype, expected), bits);
        }
}

static void expect_byte(clnorm_dtype dtype, double value, double expected)
{
    const uint8_t byte = (uint8_t)stored_byte(dtype, value);
    const double got = clnorm_load(dtype, &byte, 0), rounded = clnorm_dtype_round(dtype, value);
    if (got != expected || rounded != expected)
        fail_msg("%s: %a is stored as %a, rounded to %a, expected %a", clnorm_dtype_name(dtype),
                 value, got, rounded, expected);
}

/* Neighbours among the finite numbers, which are in the order of their bits: the middle goes to
 * the even one. */
static void test_middles_of_bytes(void **state)
{
    (void)state;
    static const unsigned largest[] = {
        [CLNORM_I8] = 127, [CLNORM_E4M3] = 0x7e, [CLNORM_E5M2] = 0x7b};
    for (int d = CLNORM_I8; d <= CLNORM_E5M2; d++)
        for (unsigned bits = 0; bits < largest[d]; bits++) {
            const clnorm_dtype dtype = (clnorm_dtype)d;
            const double below = defined_byte(dtype, bits), above = defined_byte(dtype, bits + 1);
            const double middle = (below + above) / 2, even = bits & 1 ? above : below;
            for (int sign = -1; sign <= 1; sign += 2) {
                expect_byte(dtype, sign * middle, sign * even);
                expect_byte(dtype, sign * nextafter(middle, 0), sign * below);
                expect_byte(dtype, sign * nextafter(middle, INFINITY), sign * above);
            }
        }
}

static void test_bytes_saturate(void **state)
{
    (void)state;
    static const double most[] = {[CLNORM_I8] = 127, [CLNORM_E4M3] = 448, [CLNORM_E5M2] = 57344};
    for (int d = CLNORM_I8; d <= CLNORM_E5M2; d++) {
        const clnorm_dtype dtype = (clnorm_dtype)d;
        const double least = dtype == CLNORM_I8 ? -128 : -most[d];
        const double values[] = {most[d] + 0.4, most[d] * 1.2, 1e30, INFINITY};
        assert_true(clnorm_dtype_max(dtype) == most[d]);
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
            expect_byte(dtype, values[i], most[d]);
            expect_byte(dtype, -values[i] - 1, least);
        }
        const uint8_t nan = (uint8_t)stored_byte(dtype, NAN);
        assert_true(dtype == CLNORM_I8 ? nan == 0 : isnan(clnorm_load(dtype, &nan, 0)));
    }
}

static void test_i32(void **state)
{
    (void)state;
    static const double values[] = {0, 1, -1, 127, -128, 8388608, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        int32_t array[3] = {7, 7, 7};
        clnorm_store(CLNORM_I32, array, 1, values[i]);
        assert_true(array[0] == 7 && array[1] == values[i] && array[2] == 7);
        assert_true(clnorm_load(CLNORM_I32, array, 1) == values[i]);
    }
    assert_int_equal(clnorm_dtype_bytes(CLNORM_I32), 4);
    assert_int_equal(clnorm_dtype_bytes(CLNORM_I8), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_middles_of_bytes),
        cmocka_unit_test(test_bytes_saturate),
        cmocka_unit_test(test_i32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Host conversions, against the definitions of the formats: a wrong one would hide wrong devices.
 * The expected rounding is found by search among all numbers of the type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/dtype.h"
#include "base/random.h"

#define RANDOM_VALUES 1000000

typedef struct {
    clnorm_dtype dtype;
    int exponent_bits, fraction_bits;
} format;

static const format sixteen[] = {{CLNORM_F16, 5, 10}, {CLNORM_BF16, 8, 7}};

/* IEEE 754, 3.4: the value that 16 bits stand for. */
static double defined_value(const format *f, unsigned bits)
{
    const int most = (1 << f->exponent_bits) - 1, bias = most / 2;
    const int exponent = bits >> f->fraction_bits & most;
    const int fraction = bits & ((1 << f->fraction_bits) - 1);
    const double sign = bits & 0x8000 ? -1 : 1;
    if (exponent == most)
        return fraction ? NAN : sign * INFINITY;
    if (exponent == 0)
        return sign * ldexp(fraction, 1 - bias - f->fraction_bits);
    return sign * ldexp(fraction + (1 << f->fraction_bits), exponent - bias - f->fraction_bits);
}

static unsigned stored_bits(clnorm_dtype dtype, double value)
{
    uint16_t array[3] = {0xdead, 0xdead, 0xdead};
    clnorm_store(dtype, array, 1, value);
    assert_int_equal(array[0], 0xdead);
    assert_int_equal(array[2], 0xdead);
    return array[1];
}

static void expect_bits(clnorm_dtype dtype, double value, unsigned expected)
{
    const unsigned got = stored_bits(dtype, value);
    if (got != expected)
        fail_msg("%s: %a is stored as %04x, expected %04x", clnorm_dtype_name(dtype), value, got,
                 expected);
}

/* Positive numbers of a 16-bit format are in the order of their bits, up to infinity. A number
 * half-way to infinity's place in that order, 2^(largest exponent + 1), is rounded to infinity. */
static unsigned nearest_bits(const format *f, double value)
{
    const unsigned infinity = ((1u << f->exponent_bits) - 1) << f->fraction_bits;
    const unsigned sign = signbit(value) ? 0x8000 : 0;
    const double size = fabs(value);
    unsigned low = 0, high = infinity;
    while (high - low > 1) {
        const unsigned middle = (low + high) / 2;
        if (defined_value(f, middle) <= size)
            low = middle;
        else
            high = middle;
    }
    const double below = defined_value(f, low);
    const double above =
        high == infinity ? ldexp(1, 1 << (f->exponent_bits - 1)) : defined_value(f, high);
    const double middle = (below + above) / 2; /* exact: a double has digits enough */
    const unsigned bits = size < middle ? low : size > middle ? high : low & 1 ? high : low;
    return sign | bits;
}

static void test_every_16_bit_pattern(void **state)
{
    (void)state;
    uint16_t *all = malloc(65536 * sizeof(*all));
    double *values = malloc(65536 * sizeof(*values));
    assert_true(all && values);
    for (unsigned i = 0; i < 65536; i++)
        all[i] = (uint16_t)i;
    for (size_t f = 0; f < 2; f++) {
        const clnorm_dtype dtype = sixteen[f].dtype;
        clnorm_load_n(dtype, all, 0, values, 65536);
        for (unsigned bits = 0; bits < 65536; bits++) {
            const double expected = defined_value(&sixteen[f], bits), one = values[bits];
            if (isnan(expected)) {
                assert_true(isnan(one));
                assert_true(isnan(defined_value(&sixteen[f], stored_bits(dtype, one))));
                continue;
            }
            if (one != expected || signbit(one) != signbit(expected))
                fail_msg("%s: %04x is loaded as %a, expected %a", clnorm_dtype_name(dtype), bits,
                         one, expected);
            assert_true(clnorm_load(dtype, all, bits) == expected);
            expect_bits(dtype, expected, bits);
        }
    }
    free(values);
    free(all);
}

/* A step through float would turn a double just beside the middle into the middle. */
static void test_middles_and_their_neighbours(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const format *f = &sixteen[i];
        const unsigned infinity = ((1u << f->exponent_bits) - 1) << f->fraction_bits;
        for (unsigned bits = 0; bits < infinity; bits++) {
            const double below = defined_value(f, bits);
            const double above = bits + 1 == infinity ? ldexp(1, 1 << (f->exponent_bits - 1))
                                                      : defined_value(f, bits + 1);
            const double middle = (below + above) / 2;
            expect_bits(f->dtype, middle, bits & 1 ? bits + 1 : bits);
            expect_bits(f->dtype, nextafter(middle, 0), bits);
            expect_bits(f->dtype, nextafter(middle, INFINITY), bits + 1);
            expect_bits(f->dtype, -nextafter(middle, INFINITY), 0x8000 | (bits + 1));
        }
    }
}

/* Exponents over the whole range of the type and a little beyond. */
static double random_value(clnorm_random *random, clnorm_dtype dtype)
{
    const int least = clnorm_dtype_min_exponent(dtype);
    const double span = -2.0 * least + 40;
    const int exponent = least - 30 + (int)(span * clnorm_random_uniform(random));
    const double value = ldexp(1 + clnorm_random_uniform(random), exponent);
    return clnorm_random_bits(random) & 1 ? value : -value;
}

static void test_random_doubles_to_16_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        clnorm_random random = clnorm_random_seed(11, i);
        for (int k = 0; k < RANDOM_VALUES; k++) {
            const double value = random_value(&random, sixteen[i].dtype);
            expect_bits(sixteen[i].dtype, value, nearest_bits(&sixteen[i], value));
        }
    }
}

/* The nearest float is not farther than its neighbours; of two equally near ones it is even. */
static void expect_float(double value)
{
    float got;
    uint32_t bits;
    clnorm_store(CLNORM_F32, &got, 0, value);
    const double beside[] = {nextafterf(got, -INFINITY), nextafterf(got, INFINITY)};
    _Static_assert(sizeof(bits) == sizeof(got), "f32 has 32 bits");
    bits = (union {
               float f;
               uint32_t u;
           }){.f = got}
               .u;
    for (int i = 0; i < 2; i++) {
        const double own = fabs(value - (double)got), other = fabs(value - beside[i]);
        if (other < own || (other == own && bits & 1))
            fail_msg("f32: %a is stored as %a, nearer is %a", value, (double)got, beside[i]);
    }
    assert_true(clnorm_dtype_round(CLNORM_F32, value) == (double)got);
}

static void test_random_doubles_to_f32(void **state)
{
    (void)state;
    clnorm_random random = clnorm_random_seed(12, 0);
    for (int k = 0; k < RANDOM_VALUES; k++) {
        const double value =
            ldexp(1 + clnorm_random_uniform(&random), (int)clnorm_random_below(&random, 275) - 150);
        const double cut = clnorm_dtype_round(CLNORM_F32, value);
        const double half = clnorm_dtype_ulp(CLNORM_F32, value) / 2;
        if (value > FLT_MAX / 2)
            continue;
        expect_float(value);
        expect_float(-value);
        expect_float(cut + half); /* exact: the middle of two floats */
        expect_float(nextafter(cut + half, 0));
    }
}

static void test_overflow_and_special_values(void **state)
{
    (void)state;
    const double largest[] = {[CLNORM_F32] = FLT_MAX,
                              [CLNORM_F16] = 65504,
                              [CLNORM_BF16] = 0x1.fep127,
                              [CLNORM_F64] = DBL_MAX};
    for (int d = CLNORM_F32; d <= CLNORM_F64; d++) {
        const clnorm_dtype dtype = (clnorm_dtype)d;
        double place; /* large and aligned enough for every type */
        assert_true(clnorm_dtype_max(dtype) == largest[d]);
        const double values[] = {INFINITY, -INFINITY, 0.0, -0.0, largest[d], -largest[d]};
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
            clnorm_store(dtype, &place, 0, values[i]);
            const double back = clnorm_load(dtype, &place, 0);
            assert_true(back == values[i] && signbit(back) == signbit(values[i]));
            assert_true(clnorm_dtype_round(dtype, values[i]) == values[i]);
        }
        clnorm_store(dtype, &place, 0, NAN);
        assert_true(isnan(clnorm_load(dtype, &place, 0)));
        assert_true(isnan(clnorm_dtype_round(dtype, NAN)));
        if (dtype == CLNORM_F64)
            continue;
        const double limit = largest[d] * (1 + clnorm_dtype_unit(dtype) / 2);
        const double half = largest[d] + clnorm_dtype_ulp(dtype, largest[d]) / 2;
        assert_true(limit < half);
        assert_true(clnorm_dtype_round(dtype, limit) == largest[d]);
        assert_true(clnorm_dtype_round(dtype, half) == INFINITY);
        assert_true(clnorm_dtype_round(dtype, -1e300) == -INFINITY);
        clnorm_store(dtype, &place, 0, half);
        assert_true(isinf(clnorm_load(dtype, &place, 0)));
    }
}

/* A signalling NaN with its only digits in what is cut off must not become infinity. */
static void test_nan_stays_nan(void **state)
{
    (void)state;
    const uint64_t patterns[] = {0x7ff0000000000001u, 0xfff0000000000001u, 0x7ff8000000000000u};
    for (size_t i = 0; i < 3; i++)
        for (int d = CLNORM_F32; d <= CLNORM_BF16; d++) {
            double place;
            const union {
                uint64_t u;
                double d;
            } nan = {patterns[i]};
            clnorm_store((clnorm_dtype)d, &place, 0, nan.d);
            assert_true(isnan(clnorm_load((clnorm_dtype)d, &place, 0)));
        }
}

static void test_names_and_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t bytes;
        double unit, tiny, ulp_of_3;
    } types[] = {{"f32", 4, 0x1p-24, 0x1p-150, 0x1p-22},
                 {"f16", 2, 0x1p-11, 0x1p-25, 0x1p-9},
                 {"bf16", 2, 0x1p-8, 0x1p-134, 0x1p-6},
                 {"f64", 8, 0x1p-53, 0x1p-1074, 0x1p-51}};
    clnorm_dtype dtype;
    for (int d = 0; d < 4; d++) {
        const clnorm_dtype own = (clnorm_dtype)d;
        assert_string_equal(clnorm_dtype_name(own), types[d].name);
        assert_true(clnorm_dtype_parse(types[d].name, &dtype) && dtype == own);
        assert_int_equal(clnorm_dtype_bytes(own), types[d].bytes);
        assert_true(clnorm_dtype_unit(own) == types[d].unit);
        assert_true(clnorm_dtype_tiny(own) == types[d].tiny);
        assert_true(clnorm_dtype_ulp(own, -3) == types[d].ulp_of_3);
        assert_true(clnorm_dtype_ulp(own, 0) == ldexp(types[d].tiny, d == CLNORM_F64 ? 0 : 1));
    }
    assert_false(clnorm_dtype_parse("f8", &dtype));
    assert_int_equal(clnorm_dtype_bytes(CLNORM_DTYPE_DEFAULT), 0);
    assert_string_equal(clnorm_dtype_name((clnorm_dtype)-1), "?");
}

/* The same numbers on every machine: the first ones of SplitMix64 are published. */
static void test_random_numbers(void **state)
{
    (void)state;
    clnorm_random published = {.state = 1234567};
    assert_true(clnorm_random_bits(&published) == 6457827717110365317u);
    assert_true(clnorm_random_bits(&published) == 3203168211198807973u);
    clnorm_random random = clnorm_random_seed(13, 0), again = random;
    double sum = 0, squares = 0;
    for (int i = 0; i < RANDOM_VALUES; i++) {
        const double value = clnorm_random_normal(&random);
        assert_true(value == clnorm_random_normal(&again));
        sum += value;
        squares += value * value;
    }
    /* five standard deviations of a mean and of a mean square of that many numbers */
    assert_true(fabs(sum / RANDOM_VALUES) < 5 / sqrt(RANDOM_VALUES));
    assert_true(fabs(squares / RANDOM_VALUES - 1) < 5 * sqrt(2.0 / RANDOM_VALUES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_16_bit_pattern),
        cmocka_unit_test(test_middles_and_their_neighbours),
        cmocka_unit_test(test_random_doubles_to_16_bits),
        cmocka_unit_test(test_random_doubles_to_f32),
        cmocka_unit_test(test_overflow_and_special_values),
        cmocka_unit_test(test_nan_stays_nan),
        cmocka_unit_test(test_names_and_sizes),
        cmocka_unit_test(test_random_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "base/dtype.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static float bits_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static uint64_t double_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static double bits_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* 1008 is the difference of the exponent biases of double and binary16. Subnormals go through an
 * integer: an application may have told the processor to flush subnormal floats. */
static double half_double(uint16_t half)
{
    const unsigned exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 0)
        return (half & 0x8000 ? -0x1p-24 : 0x1p-24) * fraction;
    const uint64_t wide = exponent == 31 ? 2047 : exponent + 1008;
    return bits_double((uint64_t)(half & 0x8000) << 48 | wide << 52 | (uint64_t)fraction << 42);
}

/* `value` is one that binary16 has, or NaN. */
static uint16_t double_half(double value)
{
    const uint16_t sign = signbit(value) ? 0x8000 : 0;
    const double size = fabs(value);
    if (isnan(value))
        return sign | 0x7e00;
    if (isinf(value))
        return sign | 0x7c00;
    if (size < 0x1p-14)
        return sign | (uint16_t)(size * 0x1p24);
    return (uint16_t)(sign | ((double_bits(size) >> 42) - ((uint64_t)1008 << 10)));
}

static void load_f32(const void *array, uint64_t first, double *out, size_t n)
{
    const float *from = (const float *)array + first;
    for (size_t i = 0; i < n; i++)
        out[i] = from[i];
}

static void load_f16(const void *array, uint64_t first, double *out, size_t n)
{
    const uint16_t *from = (const uint16_t *)array + first;
    for (size_t i = 0; i < n; i++)
        out[i] = half_double(from[i]);
}

static void load_bf16(const void *array, uint64_t first, double *out, size_t n)
{
    const uint16_t *from = (const uint16_t *)array + first;
    for (size_t i = 0; i < n; i++)
        out[i] = bits_float((uint32_t)from[i] << 16);
}

static void load_f64(const void *array, uint64_t first, double *out, size_t n)
{
    memcpy(out, (const double *)array + first, n * sizeof(double));
}

static void store_f32(void *array, uint64_t index, double value)
{
    ((float *)array)[index] = (float)value;
}

static void store_f16(void *array, uint64_t index, double value)
{
    ((uint16_t *)array)[index] = double_half(clnorm_dtype_round(CLNORM_F16, value));
}

/* The value is rounded to 8 digits first, so that the step through float loses nothing; that step
 * makes a NaN quiet, so it is still one when its lower half is cut. */
static void store_bf16(void *array, uint64_t index, double value)
{
    const uint32_t bits = float_bits((float)clnorm_dtype_round(CLNORM_BF16, value));
    ((uint16_t *)array)[index] = (uint16_t)(bits >> 16);
}

static void store_f64(void *array, uint64_t index, double value)
{
    ((double *)array)[index] = value;
}

static void load_i8(const void *array, uint64_t first, double *out, size_t n)
{
    const int8_t *from = (const int8_t *)array + first;
    for (size_t i = 0; i < n; i++)
        out[i] = from[i];
}

static void load_i32(const void *array, uint64_t first, double *out, size_t n)
{
    const int32_t *from = (const int32_t *)array + first;
    for (size_t i = 0; i < n; i++)
        out[i] = from[i];
}

/* e5m2 is the upper half of a half. */
static void load_e5m2(const void *array, uint64_t first, double *out, size_t n)
{
    const uint8_t *from = (const uint8_t *)array + first;
    for (size_t i = 0; i < n; i++)
        out[i] = half_double((uint16_t)(from[i] << 8));
}

/* Infinities of the type stand for one NaN each. */
static void load_e4m3(const void *array, uint64_t first, double *out, size_t n)
{
    const uint8_t *from = (const uint8_t *)array + first;
    for (size_t i = 0; i < n; i++) {
        const unsigned exponent = from[i] >> 3 & 15, fraction = from[i] & 7;
        const double size =
            exponent ? ldexp(8 + fraction, (int)exponent - 10) : ldexp(fraction, -9);
        out[i] = (from[i] & 0x7f) == 0x7f ? NAN : from[i] & 0x80 ? -size : size;
    }
}

static void store_i8(void *array, uint64_t index, double value)
{
    ((int8_t *)array)[index] = (int8_t)(isnan(value) ? 0 : clnorm_dtype_round(CLNORM_I8, value));
}

static void store_i32(void *array, uint64_t index, double value)
{
    ((int32_t *)array)[index] = (int32_t)value;
}

static void store_e5m2(void *array, uint64_t index, double value)
{
    const uint16_t half = double_half(clnorm_dtype_round(CLNORM_E5M2, value));
    ((uint8_t *)array)[index] = (uint8_t)(half >> 8);
}

static void store_e4m3(void *array, uint64_t index, double value)
{
    const double size = fabs(clnorm_dtype_round(CLNORM_E4M3, value));
    const int exponent = size >= 0x1p-6 ? ilogb(size) : -7;
    const unsigned bits =
        exponent < -6 ? (unsigned)ldexp(size, 9)
                      : (unsigned)(exponent + 7) << 3 | ((unsigned)ldexp(size, 3 - exponent) & 7);
    ((uint8_t *)array)[index] =
        (uint8_t)((isnan(value) ? 0x7f : bits) | (signbit(value) ? 0x80 : 0));
}

typedef struct {
    const char *name;
    size_t bytes;
    int fraction_bits, min_exponent; /* of a normal number; the largest exponent is 1 - min */
    void (*load)(const void *array, uint64_t first, double *out, size_t n);
    void (*store)(void *array, uint64_t index, double value);
} dtype_info;

static const dtype_info dtypes[] = {
    [CLNORM_F32] = {"f32", 4, 23, -126, load_f32, store_f32},
    [CLNORM_F16] = {"f16", 2, 10, -14, load_f16, store_f16},
    [CLNORM_BF16] = {"bf16", 2, 7, -126, load_bf16, store_bf16},
    [CLNORM_F64] = {"f64", 8, 52, -1022, load_f64, store_f64},
    [CLNORM_I8] = {"i8", 1, 0, 0, load_i8, store_i8},
    [CLNORM_E4M3] = {"e4m3", 1, 3, -6, load_e4m3, store_e4m3},
    [CLNORM_E5M2] = {"e5m2", 1, 2, -14, load_e5m2, store_e5m2},
    [CLNORM_I32] = {"i32", 4, 0, 0, load_i32, store_i32},
};

static const size_t dtype_count = sizeof(dtypes) / sizeof(dtypes[0]);

size_t clnorm_dtype_bytes(clnorm_dtype dtype)
{
    return (size_t)dtype < dtype_count ? dtypes[dtype].bytes : 0;
}

const char *clnorm_dtype_name(clnorm_dtype dtype)
{
    return (size_t)dtype < dtype_count ? dtypes[dtype].name : "?";
}

int clnorm_dtype_parse(const char *name, clnorm_dtype *dtype)
{
    for (size_t i = 0; i < dtype_count; i++)
        if (strcmp(name, dtypes[i].name) == 0) {
            *dtype = (clnorm_dtype)i;
            return 1;
        }
    return 0;
}

double clnorm_load(clnorm_dtype dtype, const void *array, uint64_t index)
{
    double value;
    dtypes[dtype].load(array, index, &value, 1);
    return value;
}

void clnorm_load_n(clnorm_dtype dtype, const void *array, uint64_t first, double *out, size_t n)
{
    dtypes[dtype].load(array, first, out, n);
}

void clnorm_store(clnorm_dtype dtype, void *array, uint64_t index, double value)
{
    dtypes[dtype].store(array, index, value);
}

double clnorm_dtype_unit(clnorm_dtype dtype) { return ldexp(1, -dtypes[dtype].fraction_bits - 1); }

double clnorm_dtype_tiny(clnorm_dtype dtype)
{
    const double half = ldexp(1, dtypes[dtype].min_exponent - dtypes[dtype].fraction_bits - 1);
    return half > 0 ? half : 0x1p-1074; /* a double cannot hold half of its own smallest number */
}

double clnorm_dtype_max(clnorm_dtype dtype)
{
    if (dtype == CLNORM_I8 || dtype == CLNORM_I32)
        return dtype == CLNORM_I8 ? 127 : INT32_MAX;
    if (dtype == CLNORM_E4M3) /* its largest number but one stands for NaN */
        return 448;
    return ldexp(2 - 2 * clnorm_dtype_unit(dtype), 1 - dtypes[dtype].min_exponent);
}

int clnorm_dtype_min_exponent(clnorm_dtype dtype) { return dtypes[dtype].min_exponent; }

double clnorm_dtype_ulp(clnorm_dtype dtype, double value)
{
    const int least = dtypes[dtype].min_exponent;
    const int most = dtype == CLNORM_E4M3 ? 8 : 1 - least; /* of e4m3 that would be infinity's */
    if (dtype == CLNORM_I8 || dtype == CLNORM_I32)
        return 1;
    const int own = ilogb(value); /* INT_MIN for 0, INT_MAX for infinity */
    const int exponent = own < least ? least : own > most ? most : own;
    return ldexp(1, exponent - dtypes[dtype].fraction_bits);
}

double clnorm_dtype_round(clnorm_dtype dtype, double value)
{
    const bool saturates = dtype >= CLNORM_I8 && dtype <= CLNORM_E5M2;
    if (isnan(value) || (isinf(value) && !saturates))
        return value;
    const double most = clnorm_dtype_max(dtype), least = dtype == CLNORM_I8 ? -128 : -most;
    if (saturates)
        value = fmin(fmax(value, least), most);
    const double quantum = clnorm_dtype_ulp(dtype, value);
    const double rounded = rint(value / quantum) * quantum;
    return !saturates && fabs(rounded) > clnorm_dtype_max(dtype) ? copysign(INFINITY, value)
                                                                 : rounded;
}

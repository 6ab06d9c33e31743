/* SPDX-License-Identifier: MIT */
/* Storage types on the host: conversions that round as the devices must (to nearest even). */
#ifndef CLNORM_BASE_DTYPE_H
#define CLNORM_BASE_DTYPE_H

#include "clnorm/clnorm.h"

#include <stdbool.h>

/* false if `name` is no dtype's: see clnorm_dtype_name. */
int clnorm_dtype_parse(const char *name, clnorm_dtype *dtype);

/* i8, e4m3 or e5m2: what only y can be. */
static inline bool clnorm_dtype_is_quantised(clnorm_dtype dtype)
{
    return dtype >= CLNORM_I8 && dtype <= CLNORM_E5M2;
}

/* Element `index` of an array; n elements from `first`. */
double clnorm_load(clnorm_dtype dtype, const void *array, uint64_t index);
void clnorm_load_n(clnorm_dtype dtype, const void *array, uint64_t first, double *out, size_t n);
void clnorm_store(clnorm_dtype dtype, void *array, uint64_t index, double value);

/* Unit roundoff u: half the distance from 1 to the next number. */
double clnorm_dtype_unit(clnorm_dtype dtype);
/* Half of the smallest subnormal: what rounding can cost near zero. */
double clnorm_dtype_tiny(clnorm_dtype dtype);
/* Largest finite number, and the exponent of the smallest normal one. */
double clnorm_dtype_max(clnorm_dtype dtype);
int clnorm_dtype_min_exponent(clnorm_dtype dtype);
/* Distance between neighbours of the type at |value|. */
double clnorm_dtype_ulp(clnorm_dtype dtype, double value);
/* `value` rounded to the type; i8, e4m3 and e5m2 saturate. */
double clnorm_dtype_round(clnorm_dtype dtype, double value);

#endif

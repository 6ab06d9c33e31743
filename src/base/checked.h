/* SPDX-License-Identifier: MIT */
/* Arithmetic of sizes. What can fail gives false on overflow, and *result is untouched then. */
#ifndef CLNORM_BASE_CHECKED_H
#define CLNORM_BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

static inline uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }
static inline uint64_t max_u64(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* a / b rounded up. */
static inline uint64_t ceil_div(uint64_t a, uint64_t b) { return a / b + (a % b != 0); }

static inline bool checked_mul(uint64_t a, uint64_t b, uint64_t *result)
{
    if (b != 0 && a > UINT64_MAX / b)
        return false;
    *result = a * b;
    return true;
}

static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *result)
{
    if (a > UINT64_MAX - b)
        return false;
    *result = a + b;
    return true;
}

#endif

/* SPDX-License-Identifier: MIT */
/* For results of the reference that are known beforehand. After cmocka.h. */
#ifndef CLNORM_TESTS_WORKED_H
#define CLNORM_TESTS_WORKED_H

#include <math.h>

#include "base/dtype.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline clnorm_desc desc_of(clnorm_kind kind, clnorm_dtype dtype, uint64_t cols, double eps)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    desc.kind = kind;
    desc.cols = cols;
    desc.eps = eps;
    desc.x_dtype = desc.y_dtype = desc.param_dtype = dtype;
    return desc;
}

static inline void expect_close(const char *what, uint64_t col, double got, long double expected,
                                double tolerance)
{
    if (!(fabsl(got - expected) <= tolerance))
        fail_msg("%s[%lu] is %.17g, expected %.17Lg within %g", what, (unsigned long)col, got,
                 expected, tolerance);
}

#endif

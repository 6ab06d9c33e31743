/* SPDX-License-Identifier: MIT */
/* Mixtures of dtypes, so that each pair of choices for x, y, residual, weight, dy, dx and dweight
 * meets in some call. */
#ifndef CLNORM_CHECK_MIXTURES_H
#define CLNORM_CHECK_MIXTURES_H

#include "clnorm/clnorm.h"

enum { CLNORM_MIXED_FIELDS = 7, CLNORM_MIXED_TYPES = CLNORM_E5M2 + 1 };

/* Which pairs were in a call: begin with zeros. */
typedef struct clnorm_mixtures {
    unsigned char seen[CLNORM_MIXED_FIELDS][CLNORM_MIXED_TYPES][CLNORM_MIXED_FIELDS]
                      [CLNORM_MIXED_TYPES];
    unsigned turn; /* of clnorm_mixtures_next: equally good mixtures take turns */
} clnorm_mixtures;

/* Counts the pairs of a good descriptor's dtypes; returns how many are new. */
unsigned clnorm_mixtures_add(clnorm_mixtures *mixtures, const clnorm_desc *desc,
                             clnorm_direction direction);

/* Sets the dtypes of a good descriptor to the mixture of f32, f16 and bf16 that has the most new
 * pairs, and adds it; a quantised y stays. Returns how many are new. */
unsigned clnorm_mixtures_next(clnorm_mixtures *mixtures, clnorm_desc *desc,
                              clnorm_direction direction);

#endif

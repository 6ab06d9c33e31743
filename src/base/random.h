/* SPDX-License-Identifier: MIT */
/* Random numbers that are the same on every machine for the same seed. Not for secrets. */
#ifndef CLNORM_BASE_RANDOM_H
#define CLNORM_BASE_RANDOM_H

#include <stdint.h>

typedef struct clnorm_random {
    uint64_t state;
    double spare; /* the second normal number of a pair */
    int has_spare;
} clnorm_random;

/* Streams of one seed are independent: a row's numbers need not depend on the rows before it. */
clnorm_random clnorm_random_seed(uint64_t seed, uint64_t stream);

uint64_t clnorm_random_bits(clnorm_random *random);
/* In 0 .. count - 1; count is not 0. */
uint64_t clnorm_random_below(clnorm_random *random, uint64_t count);
/* In [0, 1). */
double clnorm_random_uniform(clnorm_random *random);
/* Mean 0, standard deviation 1. */
double clnorm_random_normal(clnorm_random *random);

#endif

/* SPDX-License-Identifier: MIT */
#include "base/random.h"

#include <math.h>

/* SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

clnorm_random clnorm_random_seed(uint64_t seed, uint64_t stream)
{
    const clnorm_random random = {.state = mix(mix(seed + 1) + stream)};
    return random;
}

uint64_t clnorm_random_bits(clnorm_random *random)
{
    random->state += 0x9e3779b97f4a7c15u;
    return mix(random->state);
}

/* The remainder favours small results by less than count / 2^64. */
uint64_t clnorm_random_below(clnorm_random *random, uint64_t count)
{
    return clnorm_random_bits(random) % count;
}

double clnorm_random_uniform(clnorm_random *random)
{
    return (double)(clnorm_random_bits(random) >> 11) * 0x1p-53;
}

/* Marsaglia's polar method: two numbers for one logarithm. */
double clnorm_random_normal(clnorm_random *random)
{
    if (random->has_spare) {
        random->has_spare = 0;
        return random->spare;
    }
    double a, b, square;
    do {
        a = 2 * clnorm_random_uniform(random) - 1;
        b = 2 * clnorm_random_uniform(random) - 1;
        square = a * a + b * b;
    } while (square >= 1 || square == 0);
    const double factor = sqrt(-2 * log(square) / square);
    random->spare = b * factor;
    random->has_spare = 1;
    return a * factor;
}

/* SPDX-License-Identifier: MIT */
#include "common/random.h"

#include <math.h>

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t ex_bits(uint64_t seed, uint64_t stream, uint64_t place)
{
    return mix(mix(mix(seed + 1) + stream) + (place + 1) * 0x9e3779b97f4a7c15u);
}

double ex_uniform(uint64_t seed, uint64_t stream, uint64_t place)
{
    return (double)(ex_bits(seed, stream, place) >> 11) * 0x1p-53;
}

void ex_fill_uniform(float *to, size_t n, double limit, uint64_t seed, uint64_t stream)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)(limit * (2 * ex_uniform(seed, stream, i) - 1));
}

void ex_fill_glorot(float *to, size_t inputs, size_t outputs, uint64_t seed, uint64_t stream)
{
    ex_fill_uniform(to, inputs * outputs, sqrt(6.0 / (double)(inputs + outputs)), seed, stream);
}

void ex_shuffle(uint32_t *order, size_t n, uint64_t seed, uint64_t stream)
{
    for (size_t i = 0; i < n; i++) {
        /* the remainder favours small numbers by less than n / 2^64 */
        const size_t j = (size_t)(ex_bits(seed, stream, i) % (i + 1));
        order[i] = order[j];
        order[j] = (uint32_t)i;
    }
}

/* SPDX-License-Identifier: MIT */
/* Random numbers that are functions of (seed, stream, place): nothing has to be kept in a
 * checkpoint. The same on every machine. */
#ifndef EXAMPLES_COMMON_RANDOM_H
#define EXAMPLES_COMMON_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* SplitMix64 (Steele, Lea, Flood, 2014), its `place`-th number; streams are independent. */
uint64_t ex_bits(uint64_t seed, uint64_t stream, uint64_t place);
/* In [0, 1), of 53 bits. */
double ex_uniform(uint64_t seed, uint64_t stream, uint64_t place);
/* n numbers, uniform in (-limit, limit). */
void ex_fill_uniform(float *to, size_t n, double limit, uint64_t seed, uint64_t stream);
/* The same with the limit sqrt(6 / (inputs + outputs)) of Glorot, Bengio, 2010, eq. 16. */
void ex_fill_glorot(float *to, size_t inputs, size_t outputs, uint64_t seed, uint64_t stream);
/* 0 .. n - 1 in a random order: Fisher, Yates. */
void ex_shuffle(uint32_t *order, size_t n, uint64_t seed, uint64_t stream);

#endif

/* SPDX-License-Identifier: MIT */
/* Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011.
 */
#ifndef CLNORM_BASE_PHILOX_H
#define CLNORM_BASE_PHILOX_H

#include <stdint.h>

/* The four words that belong to a counter. */
void clnorm_philox(const uint32_t counter[4], uint64_t key, uint32_t words[4]);

/* Whether dropout with this probability keeps an element: its word is at least p * 2^32. The word
 * is number col % 4 of the counter (col / 4, row's low half, row's high half, 0). */
int clnorm_dropout_keeps(double probability, uint64_t seed, uint64_t row, uint64_t col);

#endif

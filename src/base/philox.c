/* SPDX-License-Identifier: MIT */
#include "base/philox.h"

void clnorm_philox(const uint32_t counter[4], uint64_t key, uint32_t words[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53 * c0, p1 = (uint64_t)0xCD9E8D57 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    words[0] = c0, words[1] = c1, words[2] = c2, words[3] = c3;
}

int clnorm_dropout_keeps(double probability, uint64_t seed, uint64_t row, uint64_t col)
{
    const uint32_t counter[4] = {(uint32_t)(col / 4), (uint32_t)row, (uint32_t)(row >> 32), 0};
    uint32_t words[4];
    clnorm_philox(counter, seed, words);
    return words[col % 4] >= (uint64_t)(probability * 0x1p32);
}

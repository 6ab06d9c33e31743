/* SPDX-License-Identifier: MIT */
/* The mask of dropout must be the same on every machine and in both directions: the generator
 * against the known answers of its authors, and the mask against its definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/philox.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* kat_vectors of Random123: zeros, ones, digits of pi. */
static void test_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4];
        uint64_t key;
        uint32_t words[4];
    } known[] = {
        {{0, 0, 0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         0xffffffffffffffff,
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         0x299f31d0a4093822,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < COUNT(known); i++) {
        uint32_t words[4];
        clnorm_philox(known[i].counter, known[i].key, words);
        for (int k = 0; k < 4; k++)
            if (words[k] != known[i].words[k])
                fail_msg("answer %d, word %d is %08x, expected %08x", (int)i, k, words[k],
                         known[i].words[k]);
    }
}

static void test_mask_is_the_defined_word(void **state)
{
    (void)state;
    static const uint64_t rows[] = {0, 1, 0xffffffff, 0x100000000, 0x123456789a};
    static const uint64_t cols[] = {0, 1, 2, 3, 4, 7, 1000001, 0x7fffffff};
    const double p = 0.3;
    for (size_t i = 0; i < COUNT(rows) * COUNT(cols); i++) {
        const uint64_t row = rows[i / COUNT(cols)], col = cols[i % COUNT(cols)];
        const uint32_t counter[] = {(uint32_t)(col / 4), (uint32_t)row, (uint32_t)(row >> 32), 0};
        uint32_t words[4];
        clnorm_philox(counter, 99, words);
        assert_int_equal(clnorm_dropout_keeps(p, 99, row, col),
                         words[col % 4] >= (uint32_t)floor(p * 4294967296.0));
    }
}

static void test_share_that_is_kept(void **state)
{
    (void)state;
    static const double chances[] = {0, 0.1, 0.5, 0.9, 1};
    enum { N = 100000 };
    for (size_t i = 0; i < COUNT(chances); i++) {
        const double p = chances[i];
        int kept = 0;
        for (uint64_t k = 0; k < N; k++)
            kept += clnorm_dropout_keeps(p, 5, k / 317, k % 317);
        /* five standard deviations; none at the ends */
        const double off = fabs((double)kept / N - (1 - p));
        if (off > 5 * sqrt(p * (1 - p) / N))
            fail_msg("p %g, seed 5: %d of %d are kept", p, kept, N);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_mask_is_the_defined_word),
        cmocka_unit_test(test_share_that_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

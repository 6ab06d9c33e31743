/* SPDX-License-Identifier: MIT */
/* A call whose set another call wrote to last leaves a right result even if it did nothing: a copy
 * must have been there in between, for any number of sets and of calls in a sample. And neither of
 * the two may find more of its set in a cache than the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>

#include "check/bench_parts.h"

enum { MOST_SETS = 64, SAMPLES = 300 };

typedef struct {
    bool called[MOST_SETS]; /* last, not copied */
    long at[MOST_SETS]; /* when it was used; -1: never */
    long now, least_copied, least_called; /* moves since the set was used before */
} history;

static void use(history *h, uint64_t set, bool is_call)
{
    long *least = is_call ? &h->least_called : &h->least_copied;
    if (h->at[set] >= 0 && h->now - h->at[set] < *least)
        *least = h->now - h->at[set];
    h->called[set] = is_call;
    h->at[set] = h->now++;
}

static history walk(uint64_t sets, uint64_t calls)
{
    history h = {.least_copied = 1 << 20, .least_called = 1 << 20};
    for (int set = 0; set < MOST_SETS; set++)
        h.at[set] = -1;
    for (uint64_t copied = 0; copied < SAMPLES * calls; copied += calls) {
        for (uint64_t i = 0; i < calls; i++)
            use(&h, (copied + i) % sets, false);
        for (uint64_t i = 0; i < calls; i++) {
            const uint64_t set = clnorm_bench_called_set(sets, copied + i);
            if (h.at[set] >= 0 && h.called[set])
                fail_msg("%d sets, %d calls a sample: set %d is called twice without a copy",
                         (int)sets, (int)calls, (int)set);
            use(&h, set, true);
        }
    }
    return h;
}

static void test_a_copy_comes_between_two_calls(void **state)
{
    (void)state;
    for (uint64_t sets = 2; sets <= MOST_SETS; sets++)
        for (uint64_t calls = 1; calls <= clnorm_bench_behind(sets); calls++)
            walk(sets, calls);
}

static void test_both_are_as_cold(void **state)
{
    (void)state;
    for (uint64_t sets = 3; sets <= MOST_SETS; sets++) {
        const history h = walk(sets, 1);
        const long off = h.least_copied - h.least_called;
        if ((sets % 2 ? off : off * off - 4) != 0 || h.least_called < (long)sets - 1)
            fail_msg("%d sets: %ld moves before a copy, %ld before a call", (int)sets,
                     h.least_copied, h.least_called);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_copy_comes_between_two_calls),
        cmocka_unit_test(test_both_are_as_cold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

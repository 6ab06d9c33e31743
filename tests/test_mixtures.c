/* SPDX-License-Identifier: MIT */
/* A pair of types that no case has would never be tried: all pairs of two dtypes of the descriptor,
 * in both directions, are among the cases of `clnorm check`, whole or in parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/desc.h"
#include "base/tensor.h"
#include "check/cases.h"

/* A tensor for each dtype that can be chosen. */
static const clnorm_tensor_id chosen[] = {TENSOR_x,  TENSOR_y,  TENSOR_residual, TENSOR_weight,
                                          TENSOR_dy, TENSOR_dx, TENSOR_dweight};
enum { CHOICES = sizeof(chosen) / sizeof(chosen[0]), TYPES = CLNORM_BF16 + 1 };

typedef struct {
    bool met[2][CHOICES][TYPES][CHOICES][TYPES];
} pairs;

static void note(pairs *p, const clnorm_check_case *c)
{
    clnorm_desc desc;
    clnorm_dtype dtype[CHOICES];
    bool used[CHOICES];
    assert_int_equal(clnorm_desc_resolve(&c->desc, &desc, NULL), CLNORM_OK);
    for (int i = 0; i < CHOICES; i++) {
        const clnorm_tensor_use use = clnorm_tensor_use_of(&desc, c->direction, chosen[i], 1);
        dtype[i] = use.dtype;
        used[i] = use.role != CLNORM_UNUSED && use.dtype <= CLNORM_BF16;
    }
    for (int i = 0; i < CHOICES; i++)
        for (int j = 0; j < CHOICES; j++)
            if (used[i] && used[j])
                p->met[c->direction][i][dtype[i]][j][dtype[j]] = true;
}

static void collect(pairs *p, uint64_t part, uint64_t parts)
{
    clnorm_check_filter filter = CLNORM_CHECK_FILTER_INIT;
    clnorm_check_case *cases = NULL;
    size_t count = 0, left_out = 0;
    filter.part = part;
    filter.parts = parts;
    assert_int_equal(clnorm_check_cases(&filter, &cases, &count, &left_out, NULL), CLNORM_OK);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++)
        note(p, &cases[i]);
    free(cases);
}

/* Two tensors that are ever given together must meet in all types. */
static void expect_all(const pairs *p)
{
    for (int d = 0; d < 2; d++)
        for (int i = 0; i < CHOICES; i++)
            for (int j = 0; j < i; j++)
                for (int k = 0; k < TYPES * TYPES; k++)
                    if (p->met[d][i][0][j][0] && !p->met[d][i][k / TYPES][j][k % TYPES])
                        fail_msg("%s: no case with %s in dtype %d and %s in dtype %d",
                                 d ? "backward" : "forward", clnorm_tensor_name(chosen[i]),
                                 k / TYPES, clnorm_tensor_name(chosen[j]), k % TYPES);
}

static void test_every_pair_of_dtypes(void **state)
{
    (void)state;
    static pairs p;
    collect(&p, 0, 1);
    expect_all(&p);
    assert_true(p.met[CLNORM_FORWARD][1][CLNORM_BF16][0][CLNORM_F16]);
    assert_true(p.met[CLNORM_BACKWARD][6][CLNORM_BF16][5][CLNORM_F16]);
}

static void test_parts_make_a_whole(void **state)
{
    (void)state;
    static pairs p;
    for (uint64_t part = 0; part < 7; part++)
        collect(&p, part, 7);
    expect_all(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pair_of_dtypes),
        cmocka_unit_test(test_parts_make_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The reference of recurrent nets against what PyTorch computed, in either direction:
 * test_recurrent_peers tests/peers/data/recurrent.txt */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "recurrent_file.h"

/* Both calculate in double or more: some units of it, times what a few steps make of them. */
#define TOLERANCE 1e-12

static double largest_error;

static void expect_tensor(const net_case *c, int id)
{
    double largest = 1;
    for (uint64_t i = 0; i < net_count(&c->n, id); i++)
        largest = fmax(largest, fabs(c->expected[id][i]));
    for (uint64_t i = 0; i < net_count(&c->n, id); i++) {
        const double error = fabs(c->n.out[id][i] - c->expected[id][i]) / largest;
        if (!(error <= TOLERANCE))
            fail_msg("%s: %s[%lu] is %.17g, of PyTorch %.17g", c->name,
                     clnorm_recurrent_tensor_name((clnorm_recurrent_id)id), (unsigned long)i,
                     c->n.out[id][i], c->expected[id][i]);
        largest_error = fmax(largest_error, error);
    }
}

static void test_case(void **state)
{
    const net_case *c = *state;
    net_run(&c->n, CLNORM_BACKWARD);
    for (int id = 0; id < RECURRENT_COUNT; id++)
        if (c->expected[id])
            expect_tensor(c, id);
}

static net_cases all;

/* A file that is cut short must not pass as success. */
static void test_every_cell_has_a_peer(void **state)
{
    unsigned found[CLNORM_GRU + 1][2] = {{0}};
    (void)state;
    for (size_t i = 0; i < all.count; i++)
        found[all.cases[i].n.desc.cell][all.cases[i].n.desc.norm]++;
    for (int cell = 0; cell <= CLNORM_GRU; cell++)
        if (!found[cell][0] || !found[cell][1])
            fail_msg("%s has %u cases without and %u with norm",
                     clnorm_recurrent_cell_name((clnorm_cell)cell), found[cell][0], found[cell][1]);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[COUNT(all.cases) + 1] = {cmocka_unit_test(test_every_cell_has_a_peer)};
    for (int i = 1; i < argc; i++)
        read_net_cases(&all, argv[i]);
    for (size_t i = 0; i < all.count; i++)
        tests[i + 1] = (struct CMUnitTest){
            .name = all.cases[i].name, .test_func = test_case, .initial_state = &all.cases[i]};
    const int failed = _cmocka_run_group_tests("recurrent peers", tests, all.count + 1, NULL, NULL);
    printf("largest error: %.3g of the largest of its tensor\n", largest_error);
    net_cases_free(&all);
    return failed;
}

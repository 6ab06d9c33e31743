/* SPDX-License-Identifier: MIT */
/* Recurrent nets on a device against the reference: every cell, forward and through time; what lies
 * beyond a length, or in memory before the call, must not be seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "recurrent_device.h"

#include "check/recurrent.h"
#include "ops/gemm/clblast.h"
#include "ops/recurrent/self_test.h"

static double worst_share;

static void expect_right_net(const device_net *d, clnorm_direction direction, const char *name)
{
    clnorm_recurrent_verdict v;
    const float *got[RECURRENT_COUNT] = {NULL};
    const clnorm_recurrent_host_args inputs = net_args(&d->n, direction);
    for (int id = 0; id < RECURRENT_COUNT; id++)
        if (is_result(&d->n, direction, id) || id == RECURRENT_y)
            got[id] = d->got[id];
    MUST(clnorm_recurrent_verify(&d->n.desc, direction, d->n.steps, d->n.batch, &inputs, got, &v,
                                 error));
    if (v.wrong)
        fail_msg("%s, %lu steps, batch %lu, %lu to %lu, %s: %lu of %lu wrong; %s[%lu, %lu, %lu] "
                 "is %.9g, expected %.9g +- %.3g",
                 name, (unsigned long)d->n.steps, (unsigned long)d->n.batch,
                 (unsigned long)d->n.desc.features, (unsigned long)d->n.desc.hidden,
                 direction == CLNORM_FORWARD ? "forward" : "backward", (unsigned long)v.wrong,
                 (unsigned long)v.compared, v.worst_tensor, (unsigned long)v.worst_step,
                 (unsigned long)v.worst_row, (unsigned long)v.worst_col, v.worst_got,
                 v.worst_expected, v.worst_bound);
    assert_true(v.compared > 0);
    worst_share = fmax(worst_share, v.max_bound_share);
}

/* ---- every cell ---------------------------------------------------------------------------- */

static const struct {
    uint64_t features, hidden, steps, batch;
    unsigned with;
} shapes[] = {
    {1, 1, 1, 1, 0},
    {3, 5, 4, 1, WITH_ALL},
    {19, 33, 8, 18, WITH_ALL},
    {40, 7, 3, 4, WITH_PARAMETERS | WITH_LENGTHS},
    {16, 64, 2, 3, WITH_STATES},
};

/* Programs take long to build, most of all PoCL's: each is tried on one implementation of
 * ci/devices, and all of them on a device that is none of these. */
static bool is_tried(size_t kind, clnorm_form form)
{
    static const char *const turns[] = {"pocl-pthread", "intel-fpga", "intel-cpu", "intel-cpu",
                                        "intel-fpga",   "intel-cpu",  "intel-cpu"};
    const char *const turn = turns[(2 * kind + (form == CLNORM_FORM_COOPERATIVE)) % COUNT(turns)];
    return is_on(turn) || !getenv("CLNORM_TEST_DEVICE");
}

/* The contexts of tests take kernels as they are; what their self-test says of sound ones is asked
 * here. */
static void expect_trust(const device_net *d, const char *name)
{
    MUST(clnorm_context_set_self_test(d->f->context, CLNORM_SELF_TEST_ALWAYS, error));
    if (!clnorm_recurrent_passes(d->op))
        fail_msg("%s fails its self-test", name);
    MUST(clnorm_context_set_self_test(d->f->context, CLNORM_SELF_TEST_OFF, error));
}

static void check_kind(const fixture *f, size_t kind, clnorm_form form)
{
    for (size_t i = 0; i < COUNT(shapes); i++) {
        const net n = net_make(&net_kinds[kind].desc, shapes[i].features, shapes[i].hidden,
                               shapes[i].steps, shapes[i].batch, NULL, 11 + i);
        device_net d = device_net_open(f, &n, shapes[i].with, form);
        if (is_on("intel-cpu")) /* which can do all of it */
            assert_int_equal(d.op->geometry.group_size > 1, form == CLNORM_FORM_COOPERATIVE);
        if (i == 0)
            expect_trust(&d, net_kinds[kind].name);
        run(&d, CLNORM_FORWARD, f->queue);
        expect_right_net(&d, CLNORM_FORWARD, net_kinds[kind].name);
        run(&d, CLNORM_BACKWARD, f->queue);
        expect_right_net(&d, CLNORM_BACKWARD, net_kinds[kind].name);
        device_net_close(&d);
    }
}

static void check_kinds(const fixture *f, clnorm_form form)
{
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++)
        if (is_tried(kind, form))
            check_kind(f, kind, form);
    printf("largest share of a bound: %.3f\n", worst_share);
}

static void test_cells_by_work_items_alone(void **state)
{
    check_kinds(*state, CLNORM_FORM_SEQUENTIAL);
}

static void test_cells_by_groups(void **state) { check_kinds(*state, CLNORM_FORM_COOPERATIVE); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells_by_work_items_alone),
        cmocka_unit_test(test_cells_by_groups),
    };
    if (clnorm_clblast_check(NULL) != CLNORM_OK) {
        printf("recurrent: built without CLBlast\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

/* SPDX-License-Identifier: MIT */
/* A device against what PyTorch computed of recurrent nets in double, whole sequences and their
 * gradients: each element within the bound that the reference derives for all steps together.
 * test_recurrent_peers_device tests/peers/data/recurrent.txt CASE... runs those whose names begin
 * so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "recurrent_device.h"

#include "ops/gemm/clblast.h"
#include "recurrent_file.h"

#include "reference/recurrent.h"

/* What PyTorch's own double may be off: test_recurrent_peers.c. */
#define OF_PEER 1e-12

static net_cases all;
static fixture *device;
static struct {
    double share, error, bound; /* the largest; error and bound of the largest of their tensor */
} worst;

/* ---- bounds -------------------------------------------------------------------------------- */

/* Of every output: nothing is said of what a device had for y, so that errors go on from step to
 * step. */
static clnorm_recurrent_host_args bounds_of(const net *n)
{
    clnorm_recurrent_evaluation e = {.desc = n->desc,
                                     .direction = CLNORM_BACKWARD,
                                     .steps = n->steps,
                                     .batch = n->batch,
                                     .args = net_args(n, CLNORM_BACKWARD),
                                     .bounds = CLNORM_RECURRENT_HOST_ARGS_INIT};
    for (int id = 0; id < RECURRENT_COUNT; id++)
        if (n->out[id])
            clnorm_recurrent_host_array_set(&e.bounds, (clnorm_recurrent_id)id,
                                            calloc(net_count(n, id), sizeof(double)));
    MUST(clnorm_recurrent_evaluate(&e, error));
    return e.bounds;
}

static double largest_of(const double *values, uint64_t count)
{
    double largest = 0;
    for (uint64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(values[i]));
    return largest;
}

/* ---- comparison ---------------------------------------------------------------------------- */

static void expect_tensor(const net_case *c, const device_net *d, int id, const double *bounds)
{
    const uint64_t count = net_count(&c->n, id);
    const double *const expected = c->expected[id];
    const double size = largest_of(expected, count), of_peer = OF_PEER * fmax(size, 1);
    for (uint64_t i = 0; i < count; i++) {
        const double error = fabs(d->got[id][i] - expected[i]), bound = bounds[i] + of_peer;
        if (!(error <= bound))
            fail_msg("%s: %s[%lu] is %.9g, of PyTorch %.9g +- %.3g", c->name,
                     clnorm_recurrent_tensor_name((clnorm_recurrent_id)id), (unsigned long)i,
                     d->got[id][i], expected[i], bound);
        worst.share = fmax(worst.share, error / bound);
        if (size > 0) {
            worst.error = fmax(worst.error, error / size);
            worst.bound = fmax(worst.bound, bound / size);
        }
    }
}

static void test_case(void **state)
{
    net_case *c = *state;
    const clnorm_recurrent_host_args bounds = bounds_of(&c->n);
    device_net d = device_net_open(device, &c->n, WITH_STATES | WITH_PARAMETERS, CLNORM_FORM_AUTO);
    run(&d, CLNORM_FORWARD, device->queue);
    run(&d, CLNORM_BACKWARD, device->queue);
    for (int id = 0; id < RECURRENT_COUNT; id++)
        if (c->expected[id])
            expect_tensor(c, &d, id, clnorm_recurrent_host_array(&bounds, (clnorm_recurrent_id)id));
    device_net_close(&d); /* with the inputs of the case */
    c->n = (net){.steps = 0};
    for (int id = 0; id < RECURRENT_COUNT; id++)
        free(clnorm_recurrent_host_array(&bounds, (clnorm_recurrent_id)id));
}

/* A test's state is its case, so that the group has none. */
static int open_device(void **state)
{
    void *opened = NULL;
    (void)state;
    fixture_open(&opened);
    device = opened;
    return 0;
}

static int close_device(void **state)
{
    void *opened = device;
    (void)state;
    return fixture_close(&opened);
}

static bool is_asked_for(const char *name, char **prefixes, int count)
{
    bool any = false;
    for (int i = 0; i < count; i++)
        any = any || strncmp(name, prefixes[i], strlen(prefixes[i])) == 0;
    return any;
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[COUNT(all.cases)];
    size_t count = 0;
    if (clnorm_clblast_check(NULL) != CLNORM_OK) {
        printf("recurrent: built without CLBlast\n");
        return 77;
    }
    if (argc < 3)
        return 1;
    read_net_cases(&all, argv[1]);
    for (size_t i = 0; i < all.count; i++)
        if (is_asked_for(all.cases[i].name, argv + 2, argc - 2))
            tests[count++] = (struct CMUnitTest){
                .name = all.cases[i].name, .test_func = test_case, .initial_state = &all.cases[i]};
    const int failed =
        _cmocka_run_group_tests("recurrent peers", tests, count, open_device, close_device);
    printf("largest error: %.3g of the largest of its tensor, %.3f of its bound; largest bound: "
           "%.3g of the largest of its tensor\n",
           worst.error, worst.share, worst.bound);
    net_cases_free(&all);
    return failed || count == 0;
}

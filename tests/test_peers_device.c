/* SPDX-License-Identifier: MIT */
/* What a device computes is what PyTorch and ONNX compute: in double, or in float where the device
 * has no double, and in the storage types of cases that are about them.
 * test_peers_device FILE...: those of tests/peers/data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "device.h"
#include "peers_call.h"

#include "base/dtype.h"

#include <math.h>

static fixture *device;
static peer_cases peers;
static double largest_share;

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
    return device ? fixture_close(&opened) : 0;
}

/* The outputs are right by the reference too, whose bounds are sharper than a peer's tolerance. */
static void expect_verified(const peer_call *call, unsigned depth)
{
    clnorm_verdict v = CLNORM_VERDICT_INIT;
    MUST(clnorm_verify(call->desc, call->direction, depth, call->peer->rows, 0, &call->args,
                       &call->before, &v, error));
    if (v.wrong || v.compared == 0)
        fail_msg("%s, %s, %lux%lu %s: %llu of %llu wrong, %s[%llu, %llu] is %.9g, expected %.9g "
                 "+- %.3g",
                 call->peer->name, call->direction == CLNORM_FORWARD ? "forward" : "backward",
                 (unsigned long)call->peer->rows, (unsigned long)call->desc->cols,
                 clnorm_dtype_name(call->desc->x_dtype), (unsigned long long)v.wrong,
                 (unsigned long long)v.compared, v.worst_tensor, (unsigned long long)v.worst_row,
                 (unsigned long long)v.worst_col, v.worst_got, v.worst_expected, v.worst_bound);
}

static void expect_call(const peer_case *peer, const clnorm_op *op, const clnorm_desc *desc,
                        clnorm_direction direction)
{
    peer_call call = peer_call_open(peer, direction, desc, false);
    if (direction == CLNORM_FORWARD)
        MUST(clnorm_forward_host(op, peer->rows, &call.args, NULL, NULL, error));
    else
        MUST(clnorm_backward_host(op, peer->rows, &call.args, NULL, NULL, error));
    const double unit = clnorm_dtype_unit(clnorm_stats_dtype(desc));
    largest_share = fmax(largest_share, peer_call_expect(&call, unit));
    expect_verified(&call, clnorm_op_depth(op));
    peer_call_close(&call);
}

static void expect_device(const peer_case *peer, const clnorm_desc *desc)
{
    clnorm_op *op = NULL;
    MUST(clnorm_op_create(device->context, desc, &op, error));
    for (int direction = CLNORM_FORWARD; direction <= CLNORM_BACKWARD; direction++)
        if (peer_has(peer, (clnorm_direction)direction))
            expect_call(peer, op, desc, (clnorm_direction)direction);
    clnorm_op_destroy(op);
}

static void test_case(void **state)
{
    const peer_case *peer = *state;
    clnorm_desc desc = peer->desc;
    if (desc.x_dtype == CLNORM_F64 && !clnorm_context_device(device->context)->has_fp64)
        desc.x_dtype = desc.y_dtype = desc.param_dtype = CLNORM_F32;
    expect_device(peer, &desc);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        peers_read(&peers, argv[i]);
    struct CMUnitTest *tests = calloc(peers.count + 1, sizeof(*tests));
    if (!tests || peers.count == 0) {
        fprintf(stderr, "test_peers_device: no case\n");
        return 1;
    }
    for (size_t i = 0; i < peers.count; i++)
        tests[i] = (struct CMUnitTest){
            .name = peers.cases[i].name, .test_func = test_case, .initial_state = &peers.cases[i]};
    const int failed =
        _cmocka_run_group_tests("peers", tests, peers.count, open_device, close_device);
    printf("largest share of a tolerance: %.3f\n", largest_share);
    free(tests);
    peers_free(&peers);
    return failed;
}

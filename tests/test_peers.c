/* SPDX-License-Identifier: MIT */
/* The reference could be wrong in the same way as the devices that it judges. So it is compared
 * with what PyTorch, ONNX's reference evaluator and ONNX Runtime compute. test_peers FILE...: those
 * of tests/peers/data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "peers_call.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static peer_cases peers;
static double largest_share;
static const char *worst = "none";

static void expect_reference(const peer_case *peer, clnorm_direction direction)
{
    peer_call call = peer_call_open(peer, direction, &peer->desc, true);
    clnorm_error error = {.text = ""};
    if (clnorm_reference(&peer->desc, direction, peer->rows, &call.args, &error) != CLNORM_OK)
        fail_msg("%s, %s: %s", peer->name, direction == CLNORM_FORWARD ? "forward" : "backward",
                 error.text);
    /* results are doubles */
    const double share = peer_call_expect(&call, DBL_EPSILON / 2);
    if (share > largest_share) {
        largest_share = share;
        worst = peer->name;
    }
    peer_call_close(&call);
}

static void test_case(void **state)
{
    const peer_case *peer = *state;
    for (int direction = CLNORM_FORWARD; direction <= CLNORM_BACKWARD; direction++)
        if (peer_has(peer, (clnorm_direction)direction))
            expect_reference(peer, (clnorm_direction)direction);
}

/* A file that is missing in the build must not pass as success. */
static void test_every_operator_has_a_peer(void **state)
{
    unsigned found[2][CLNORM_MVN + 1] = {{0}};
    (void)state;
    for (size_t i = 0; i < peers.count; i++)
        for (int direction = CLNORM_FORWARD; direction <= CLNORM_BACKWARD; direction++)
            found[direction][peers.cases[i].desc.kind] +=
                peer_has(&peers.cases[i], (clnorm_direction)direction);
    for (int kind = CLNORM_LAYER_NORM; kind <= CLNORM_MVN; kind++)
        if (!found[CLNORM_FORWARD][kind] || !found[CLNORM_BACKWARD][kind])
            fail_msg("operator %d has %u cases forward and %u backward", kind,
                     found[CLNORM_FORWARD][kind], found[CLNORM_BACKWARD][kind]);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        peers_read(&peers, argv[i]);
    struct CMUnitTest *tests = calloc(peers.count + 1, sizeof(*tests));
    if (!tests)
        return 1;
    tests[0] = (struct CMUnitTest)cmocka_unit_test(test_every_operator_has_a_peer);
    for (size_t i = 0; i < peers.count; i++)
        tests[i + 1] = (struct CMUnitTest){
            .name = peers.cases[i].name, .test_func = test_case, .initial_state = &peers.cases[i]};
    const int failed = _cmocka_run_group_tests("peers", tests, peers.count + 1, NULL, NULL);
    printf("largest share of a tolerance: %.3f, %s\n", largest_share, worst);
    free(tests);
    peers_free(&peers);
    return failed;
}

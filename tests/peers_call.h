/* SPDX-License-Identifier: MIT */
/* Calls with the inputs of a peer, and comparisons with its results. Included after cmocka.h. */
#ifndef CLNORM_TESTS_PEERS_CALL_H
#define CLNORM_TESTS_PEERS_CALL_H

#include "peers_file.h"

/* Whether the peer gave results of this direction. */
bool peer_has(const peer_case *peer, clnorm_direction direction);

/* A call with the inputs of a case, and room for the outputs that its peer gave. */
typedef struct peer_call {
    const peer_case *peer;
    clnorm_direction direction;
    const clnorm_desc *desc; /* as it was given */
    clnorm_desc resolved;
    bool doubles; /* outputs are doubles, as clnorm_reference writes them */
    clnorm_host_args args;
    clnorm_host_args before; /* the inputs again, for clnorm_verify */
} peer_call;

/* desc: that of the case, or with other dtypes; inputs are converted. It must outlive the call. */
peer_call peer_call_open(const peer_case *peer, clnorm_direction direction, const clnorm_desc *desc,
                         bool doubles);
void peer_call_close(peer_call *call);

/* Fails the test if an output is not what the peer gave. unit: roundoff of what was called.
 * Gives the largest error as a share of its tolerance. */
double peer_call_expect(const peer_call *call, double unit);

#endif

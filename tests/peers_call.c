/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "peers_call.h"

#include "base/desc.h"
#include "base/dtype.h"

#include <math.h>
#include <stdlib.h>

/* ---- calls --------------------------------------------------------------------------------- */

static bool in_call(const peer_tensor *t, clnorm_direction direction)
{
    return t->part == PEER_BOTH ||
           t->part == (direction == CLNORM_FORWARD ? PEER_FORWARD : PEER_BACKWARD);
}

bool peer_has(const peer_case *peer, clnorm_direction direction)
{
    for (size_t i = 0; i < peer->count; i++)
        if (peer->tensors[i].output && in_call(&peer->tensors[i], direction))
            return true;
    return false;
}

static void *filled(clnorm_dtype dtype, const peer_tensor *t)
{
    double *array = calloc(t->count, sizeof(double));
    assert_non_null(array);
    for (uint64_t i = 0; i < t->count; i++)
        clnorm_store(dtype, array, i, t->output ? 77 : t->values[i]);
    return array;
}

/* What the reference writes, and what it updates in place. */
static clnorm_dtype dtype_in(const peer_call *call, clnorm_tensor_use use)
{
    const bool written = use.role == CLNORM_OUTPUT || use.role == CLNORM_IN_OUT;
    return call->doubles && written ? CLNORM_F64 : use.dtype;
}

static void add_tensor(peer_call *call, const peer_tensor *t)
{
    const clnorm_tensor_use use =
        clnorm_tensor_use_of(&call->resolved, call->direction, t->id, call->peer->rows);
    const bool twice = clnorm_host_array(&call->args, t->id).data != NULL; /* in and out */
    if (t->count != use.rows * use.cols)
        fail_msg("%s: %s has %lu elements instead of %lu", call->peer->name,
                 clnorm_tensor_name(t->id), (unsigned long)t->count,
                 (unsigned long)(use.rows * use.cols));
    if (twice)
        return;
    clnorm_host_array_set(&call->args, t->id, filled(dtype_in(call, use), t), 0);
    if (!t->output)
        clnorm_host_array_set(&call->before, t->id, filled(dtype_in(call, use), t), 0);
}

peer_call peer_call_open(const peer_case *peer, clnorm_direction direction, const clnorm_desc *desc,
                         bool doubles)
{
    peer_call call = {.peer = peer,
                      .direction = direction,
                      .desc = desc,
                      .doubles = doubles,
                      .args = CLNORM_HOST_ARGS_INIT,
                      .before = CLNORM_HOST_ARGS_INIT};
    clnorm_error error = {.text = ""};
    if (clnorm_desc_resolve(desc, &call.resolved, &error) != CLNORM_OK)
        fail_msg("%s: %s", peer->name, error.text);
    for (size_t i = 0; i < peer->count; i++)
        if (in_call(&peer->tensors[i], direction))
            add_tensor(&call, &peer->tensors[i]);
    return call;
}

void peer_call_close(peer_call *call)
{
    for (int id = 0; id < TENSOR_COUNT; id++) {
        free(clnorm_host_array(&call->args, (clnorm_tensor_id)id).data);
        free(clnorm_host_array(&call->before, (clnorm_tensor_id)id).data);
    }
}

/* ---- verdicts ------------------------------------------------------------------------------ */

static double largest_of(const peer_case *peer)
{
    double largest = 1;
    for (size_t i = 0; i < peer->count; i++)
        for (uint64_t e = 0; e < peer->tensors[i].count; e++)
            largest = fmax(largest, fabs(peer->tensors[i].values[e]));
    return largest;
}

/* A result is a sum of at most rows * cols products of two numbers of the case, or follows from one
 * by a few steps. Rounding such a sum costs no more than its length times the roundoff, relative
 * to the products. The peer rounds, and so does what is compared with it.
 *
 * 16-bit and quantised results are wanted exactly: their cases are far enough from the borders
 * between two results (tests/peers/rounding_cases.py). */
static double tolerance_of(const peer_call *call, clnorm_dtype dtype, double unit)
{
    const double largest = largest_of(call->peer);
    if (dtype != CLNORM_F32 && dtype != CLNORM_F64)
        return 0;
    return (unit + call->peer->unit) * (double)(call->peer->rows * call->resolved.cols) * largest *
           largest;
}

static double expect_tensor(const peer_call *call, const peer_tensor *t, double unit)
{
    const clnorm_tensor_use use =
        clnorm_tensor_use_of(&call->resolved, call->direction, t->id, call->peer->rows);
    const void *const array = clnorm_host_array(&call->args, t->id).data;
    const double tolerance = tolerance_of(call, use.dtype, unit);
    double share = 0;
    for (uint64_t i = 0; i < t->count; i++) {
        const double found = clnorm_load(dtype_in(call, use), array, i);
        const double got = tolerance > 0 ? found : clnorm_dtype_round(use.dtype, found);
        const double error = fabs(got - t->values[i]);
        if (!(error <= tolerance))
            fail_msg("%s, %s, %lux%lu %s: %s[%lu] is %.17g, the peer's %.17g +- %.3g",
                     call->peer->name, call->direction == CLNORM_FORWARD ? "forward" : "backward",
                     (unsigned long)call->peer->rows, (unsigned long)call->resolved.cols,
                     clnorm_dtype_name(call->resolved.x_dtype), clnorm_tensor_name(t->id),
                     (unsigned long)i, got, t->values[i], tolerance);
        share = tolerance > 0 ? fmax(share, error / tolerance) : share;
    }
    return share;
}

double peer_call_expect(const peer_call *call, double unit)
{
    double share = 0;
    for (size_t i = 0; i < call->peer->count; i++) {
        const peer_tensor *t = &call->peer->tensors[i];
        if (t->output && in_call(t, call->direction))
            share = fmax(share, expect_tensor(call, t, unit));
    }
    return share;
}

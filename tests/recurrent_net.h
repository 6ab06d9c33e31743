/* SPDX-License-Identifier: MIT */
/* A recurrent net with all of its tensors: random inputs, and room for what the reference makes of
 * them. Included after cmocka.h. */
#ifndef CLNORM_TESTS_RECURRENT_NET_H
#define CLNORM_TESTS_RECURRENT_NET_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/recurrent.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct {
    clnorm_recurrent_desc desc;
    uint64_t steps, batch;
    const uint32_t *lengths;
    float *in[RECURRENT_COUNT]; /* inputs of both directions */
    double *out[RECURRENT_COUNT]; /* y, h_n, c_n and gradients */
} net;

/* Every cell with every switch that it has. */
static const struct {
    const char *name;
    clnorm_recurrent_desc desc;
} net_kinds[] = {
#define KIND(name, ...)                                                                            \
    {                                                                                              \
        name, { .struct_size = sizeof(clnorm_recurrent_desc), __VA_ARGS__ }                        \
    }
    KIND("rnn tanh", .cell = CLNORM_RNN, .norm = 1, .eps = 0.01),
    KIND("rnn relu", .cell = CLNORM_RNN, .norm = 1, .eps = 0.01, .nonlinearity = CLNORM_RELU),
    KIND("plain rnn tanh", .cell = CLNORM_RNN),
    KIND("plain rnn relu", .cell = CLNORM_RNN, .nonlinearity = CLNORM_RELU),
    KIND("lstm", .cell = CLNORM_LSTM, .norm = 1, .eps = 0.01),
    KIND("lstm, norm_gates", .cell = CLNORM_LSTM, .norm = 1, .norm_gates = 1, .eps = 0.01),
    KIND("plain lstm", .cell = CLNORM_LSTM),
    KIND("gru", .cell = CLNORM_GRU, .norm = 1, .eps = 0.01),
    KIND("gru, norm_gates", .cell = CLNORM_GRU, .norm = 1, .norm_gates = 1, .eps = 0.01),
    KIND("plain gru", .cell = CLNORM_GRU),
#undef KIND
};

static inline clnorm_recurrent_use net_use(const net *n, int id)
{
    const bool result = id <= RECURRENT_c_n;
    return clnorm_recurrent_use_of(&n->desc, result ? CLNORM_FORWARD : CLNORM_BACKWARD,
                                   (clnorm_recurrent_id)id, n->steps, n->batch);
}

static inline uint64_t net_count(const net *n, int id)
{
    const clnorm_recurrent_use use = net_use(n, id);
    return use.rows * use.cols;
}

/* Odd multiples of 1/128 below 2, and of matrices below 1/2: small changes of them are exact. */
static inline void net_fill(const net *n, int id, uint64_t seed)
{
    clnorm_random random = clnorm_random_seed(seed, (uint64_t)id);
    const bool matrix = id == RECURRENT_w_x || id == RECURRENT_w_h;
    for (uint64_t i = 0; i < net_count(n, id); i++) {
        const double odd = 2 * (double)clnorm_random_below(&random, 256) - 255;
        n->in[id][i] = (float)(odd / (matrix ? 512 : 128));
    }
}

static inline net net_make(const clnorm_recurrent_desc *desc, uint64_t features, uint64_t hidden,
                           uint64_t steps, uint64_t batch, const uint32_t *lengths, uint64_t seed)
{
    net n = {.desc = *desc, .steps = steps, .batch = batch, .lengths = lengths};
    n.desc.features = features;
    n.desc.hidden = hidden;
    for (int id = 0; id < RECURRENT_COUNT; id++) {
        const clnorm_recurrent_use use = net_use(&n, id);
        if (use.role == CLNORM_INPUT) {
            n.in[id] = calloc(use.rows * use.cols, sizeof(float));
            assert_non_null(n.in[id]);
            net_fill(&n, id, seed);
        } else if (use.role == CLNORM_OUTPUT) {
            n.out[id] = calloc(use.rows * use.cols, sizeof(double));
            assert_non_null(n.out[id]);
        }
    }
    return n;
}

static inline void net_free(net *n)
{
    for (int id = 0; id < RECURRENT_COUNT; id++) {
        free(n->in[id]);
        free(n->out[id]);
    }
}

/* What the direction takes of it. */
static inline clnorm_recurrent_host_args net_args(const net *n, clnorm_direction direction)
{
    clnorm_recurrent_host_args args = CLNORM_RECURRENT_HOST_ARGS_INIT;
    args.lengths = n->lengths;
    for (int id = 0; id < RECURRENT_COUNT; id++) {
        const void *array = n->in[id] ? (const void *)n->in[id] : n->out[id];
        if (direction == CLNORM_BACKWARD || id < RECURRENT_dy)
            clnorm_recurrent_host_array_set(&args, (clnorm_recurrent_id)id, array);
    }
    return args;
}

static inline void net_run(const net *n, clnorm_direction direction)
{
    const clnorm_recurrent_host_args args = net_args(n, direction);
    clnorm_error error = {.text = ""};
    if (clnorm_recurrent_reference(&n->desc, direction, n->steps, n->batch, &args, &error) !=
        CLNORM_OK)
        fail_msg("%s", error.text);
}

#endif

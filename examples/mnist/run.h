/* SPDX-License-Identifier: MIT */
/* A training: its settings, its state, which a checkpoint holds, and its results. */
#ifndef EXAMPLES_MNIST_RUN_H
#define EXAMPLES_MNIST_RUN_H

#include "mnist/net.h"

struct settings {
    const char *data, *device, *json, *checkpoint;
    struct shape shape;
    struct ex_adam adam;
    uint64_t seed, steps, evaluate_every;
    size_t batch;
    bool resumes;
};

/* One evaluation, after `step` steps. nll: the mean; of training: of the steps since the one
 * before. */
struct point {
    uint64_t step, test_errors, train_errors;
    double test_nll, train_nll, seconds;
};

struct run {
    const struct settings *settings;
    struct ex_device *device;
    struct data *data;
    struct net *net;
    uint64_t step; /* done so far */
    struct point *points;
    size_t n_points;
    double seconds; /* that it took so far, its earlier processes too */
    double began; /* the clock's time if it had been one process */
    /* nll and wrong: of each row of training since the last evaluation, and of the test */
    cl_mem nll, wrong, test_nll, test_wrong;
    cl_mem order; /* of the images in this epoch */
    uint64_t epoch; /* that order is of */
};

/* Trains until all steps are done, writes results and checkpoint; the exit code: 130 where a signal
 * came before the end. */
int run(const struct settings *settings);

/* ---- state.c ---- */

void state_save(const struct run *run);
/* Does nothing where nothing is to be resumed; a checkpoint of other settings ends the program. */
void state_load(struct run *run);
void results_write(const struct run *run);

/* ---- check.c ---- */

/* Compares a shuffled batch, the net's forward passes and gradients, and steps of Adam with the
 * host's; prints what it finds on stdout if `tells`. false: wrong. test_rows must be batch. The net
 * has other parameters then. */
bool check_net(struct net *net, const struct data *data, const struct ex_adam *adam, bool tells);
int check(const struct settings *settings);

/* ---- profile.c ---- */

int profile(const struct settings *settings);

#endif

/* SPDX-License-Identifier: MIT */
/* What the checks share. */
#ifndef EXAMPLES_MNIST_CHECK_H
#define EXAMPLES_MNIST_CHECK_H

#include "mnist/reference.h"
#include "mnist/run.h"

struct verdict {
    bool is_right, tells;
};
/* Prints if the verdict tells, or where off is more than allowed, or NaN. */
void judge(struct verdict *verdict, const char *what, double off, double allowed);
/* The first n elements of f32, to be freed. */
float *download(struct net *net, cl_mem buffer, size_t n);

/* ---- check_parts.c ---- */

/* A batch in the order of a shuffle; it stays in the net. */
void check_gather(struct net *net, const struct images *images, struct verdict *verdict);
/* Three steps from m = v = 0, of gradients that are not alike; changes the net's gradient, m and v.
 * gradient: what the net's is now. */
void check_adam(struct net *net, const struct ex_adam *adam, const float *gradient,
                struct verdict *verdict);

#endif

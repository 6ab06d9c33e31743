/* SPDX-License-Identifier: MIT */
/* The net on the host, in double: plain loops, and clnorm_reference for the norms. */
#ifndef EXAMPLES_MNIST_REFERENCE_H
#define EXAMPLES_MNIST_REFERENCE_H

#include "mnist/net.h"

struct reference {
    struct shape shape;
    const struct layout *layout; /* borrowed */
    size_t batch;
    double *parameters, *gradient; /* [count] of the layout */
    double *x; /* [batch, inputs] */
    uint32_t *labels; /* [batch] */
    double *h[NORMS], *y[NORMS]; /* [batch, hidden]; y after ReLU */
    double *logits; /* [batch, CLASSES]; then their gradient */
    /* [batch, hidden]; what ReLU lets through; NULL: what is above 0 */
    const float *mask[NORMS];
    double least_masked; /* the largest |y| that a mask treated otherwise */
    /* [NORMS, 2, hidden]; mean and variance that batch norm has kept; NULL: those of the batch */
    const float *running;
    double loss; /* mean nll */
    uint64_t errors;
};

void reference_open(struct reference *reference, const struct net *net);
void reference_close(struct reference *reference);
/* From parameters, x and labels: y, loss and errors, and logits, which then are their gradient. */
void reference_forward(struct reference *reference);
/* After it: the gradient. */
void reference_backward(struct reference *reference);

#endif

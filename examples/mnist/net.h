/* SPDX-License-Identifier: MIT */
/* The net: inputs - hidden - hidden - classes.
 *
 *   h1 = x W1,  y1 = relu(norm(h1)),  h2 = y1 W2,  y2 = relu(norm(h2)),  z = y2 W3 + bias
 *
 * Norms are LayerNorm or BatchNorm with a weight and a bias, so that the layers before them need
 * none. W are [in, out]. With BatchNorm h, y and dy are stored as their transposes, so that the
 * batch of a unit lies side by side. */
#ifndef EXAMPLES_MNIST_NET_H
#define EXAMPLES_MNIST_NET_H

#include "common/train.h"
#include "mnist/data.h"

enum { LAYERS = 3, NORMS = 2 };
/* What the time of a step is split into. */
enum { GEMM, NORM, REST, LABELS };

struct shape {
    size_t inputs, hidden;
    bool is_batch_norm;
};

/* Offsets of the arrays of parameters in their buffer, in elements. */
struct layout {
    size_t in[LAYERS], out[LAYERS];
    size_t weight[LAYERS]; /* W1, W2, W3 */
    size_t scale[NORMS], shift[NORMS]; /* the norms' weight and bias */
    size_t bias; /* of the logits */
    size_t count; /* of all, with padding */
    size_t used; /* without */
};

struct net {
    struct ex_device *device;
    struct ex_train train;
    struct shape shape;
    struct layout layout;
    size_t batch, test_rows; /* of a training step, of a step of the test */
    size_t rows; /* that activations have room for */
    clnorm_op *norm, *inference; /* of these rows; they differ for BatchNorm */
    cl_program program;
    cl_kernel gather;
    cl_mem parameters, gradient, m, v; /* [count] */
    /* W in parameters, and their gradients: parts of these buffers, from element 0 on, which
     * CLBlast's fast kernels need */
    cl_mem weight[LAYERS], d_weight[LAYERS];
    cl_mem running; /* BatchNorm: mean and variance of both norms, [NORMS, 2, hidden] */
    /* of a step: x [rows, inputs], labels [rows]; h, y, dy [rows, hidden]; logits [rows, CLASSES]
     * and in their place their gradient; mean and rstd of both norms, [NORMS, 2, sets] */
    cl_mem x, labels, h[NORMS], y[NORMS], dy[NORMS], logits, statistics;
    size_t sets; /* rows that statistics has room for */
};

/* Parameters are drawn from `seed`: W by Glorot and Bengio, scale 1, shift and bias 0. batch,
 * test_rows: rows of a step. */
void net_open(struct net *net, struct ex_device *device, const struct shape *shape, size_t batch,
              size_t test_rows, uint64_t seed);
void net_close(struct net *net);

/* All below enqueue and return. */

/* x and labels from images[order[first ..]], or images[first ..] if order is NULL. */
void net_gather(struct net *net, const struct images *images, cl_mem order, size_t first,
                size_t rows);
/* Logits without their bias. rows: batch, with BatchNorm by the statistics of the batch; or
 * test_rows, by those that are kept. */
void net_forward(struct net *net, size_t rows, bool trains);
/* nll and wrong of each row, from element rows_at on; for a training step the gradient of the mean
 * nll, too. */
void net_loss(struct net *net, size_t rows, bool trains, cl_mem nll, cl_mem wrong, size_t rows_at);
/* After net_forward and net_loss with `trains`: all gradients, of `batch` rows. */
void net_backward(struct net *net);
/* The `step`-th update, from 1 on. */
void net_update(struct net *net, const struct ex_adam *adam, uint64_t step);

#endif

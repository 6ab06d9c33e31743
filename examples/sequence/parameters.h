/* SPDX-License-Identifier: MIT */
/* The net: a recurrent cell whose last h is read out by a linear layer. Its parameters lie in one
 * array, so that a step of Adam is one launch. */
#ifndef EXAMPLES_SEQUENCE_PARAMETERS_H
#define EXAMPLES_SEQUENCE_PARAMETERS_H

#include <clnorm/clnorm.h>

enum seq_init { SEQ_IDENTITY, SEQ_ORTHOGONAL };

struct seq_shape {
    clnorm_recurrent_desc cell;
    uint64_t length, batch, outputs;
};

enum seq_parameter {
    SEQ_W_X, /* of clnorm_recurrent_args */
    SEQ_W_H,
    SEQ_WEIGHT_X,
    SEQ_BIAS_X,
    SEQ_WEIGHT_H,
    SEQ_BIAS_H,
    SEQ_WEIGHT,
    SEQ_BIAS,
    SEQ_WEIGHT_C,
    SEQ_BIAS_C,
    SEQ_OUT_WEIGHT, /* [outputs, hidden] */
    SEQ_OUT_BIAS, /* [outputs] */
    SEQ_PARAMETERS
};

struct seq_place {
    uint64_t offset, rows, cols; /* elements; rows 0: the cell has no such parameter */
};

/* Where each is; what comes back is the length of the array, a multiple of EX_PAD. */
uint64_t seq_places(const struct seq_shape *shape, struct seq_place places[SEQ_PARAMETERS]);

/* Into an array of zeros: w_x and the weights of the read-out uniform with the variance
 * 1 / (3 inputs), as of torch.nn.Linear, and w_x times `scale`; w_h the identity (Le, Jaitly,
 * Hinton, arXiv:1504.00941), or orthogonal, for each gate; weights of norms 1, biases 0, but that
 * of an LSTM's forget gate: 1. */
void seq_initialize(const struct seq_shape *shape, enum seq_init init, double scale, uint64_t seed,
                    float *parameters);

/* The fields of a cell's parameters and their gradients in clnorm_recurrent_args, and in
 * clnorm_recurrent_host_args. gradient NULL: none. */
enum { SEQ_CELL_PARAMETERS = SEQ_OUT_WEIGHT };
void seq_set_tensors(const struct seq_place places[SEQ_PARAMETERS], cl_mem parameters,
                     cl_mem gradient, clnorm_recurrent_args *args);
void seq_set_arrays(const struct seq_place places[SEQ_PARAMETERS], const float *parameters,
                    double *gradient, clnorm_recurrent_host_args *args);

#endif

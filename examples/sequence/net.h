/* SPDX-License-Identifier: MIT */
/* The net on a device: what is enqueued for a batch. */
#ifndef EXAMPLES_SEQUENCE_NET_H
#define EXAMPLES_SEQUENCE_NET_H

#include "common/train.h"
#include "sequence/parameters.h"

struct seq_net {
    struct seq_shape shape;
    struct ex_device *device;
    struct ex_train *train;
    bool is_number; /* seq_task_is_number */
    clnorm_recurrent *op;
    struct seq_place places[SEQ_PARAMETERS];
    uint64_t parameter_count; /* with padding */
    cl_mem parameters, gradient;
    cl_mem y, h_n, dh_n, saved, workspace, outputs;
};

/* Buffers of a net whose parameters are `initial`; device and train must outlive it. */
void seq_net_open(struct seq_net *net, const struct seq_shape *shape, bool is_number,
                  const float *initial, struct ex_train *train);
void seq_net_close(struct seq_net *net);
/* Compiles the products ahead, with a line of progress on a terminal. */
void seq_net_warm_up(struct seq_net *net);

/* Sequences of a batch, as seq_task_fill makes them, and where the batch's losses go. */
struct seq_batch {
    clnorm_tensor x, targets;
    cl_mem loss, wrong; /* of ex_loss_read; those of the batch are from `at` on */
    size_t at;
};

/* Enqueue and return. Forward: the losses. Then, backward, net->gradient: that of their mean. */
void seq_net_forward(struct seq_net *net, const struct seq_batch *batch);
void seq_net_backward(struct seq_net *net, const struct seq_batch *batch);

#endif

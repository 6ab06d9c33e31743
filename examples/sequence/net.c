/* SPDX-License-Identifier: MIT */
#include "sequence/net.h"
#include "common/progress.h"
#include "sequence/task.h"

#include <stdio.h>

static cl_mem room(struct seq_net *net, uint64_t elements)
{
    return ex_buffer(net->device, (size_t)elements * sizeof(float), NULL);
}

void seq_net_open(struct seq_net *net, const struct seq_shape *shape, bool is_number,
                  const float *initial, struct ex_train *train)
{
    const uint64_t state = shape->batch * shape->cell.hidden;
    uint64_t saved, workspace;
    clnorm_error error;
    *net = (struct seq_net){
        .shape = *shape, .device = train->device, .train = train, .is_number = is_number};
    ex_must(clnorm_recurrent_create(net->device->context, &shape->cell, &net->op, &error), &error);
    ex_must(clnorm_recurrent_sizes(net->op, shape->length, shape->batch, &saved, NULL, &workspace,
                                   &error),
            &error);
    net->parameter_count = seq_places(shape, net->places);
    net->parameters = ex_buffer(net->device, (size_t)net->parameter_count * sizeof(float), initial);
    net->gradient = room(net, net->parameter_count);
    net->y = room(net, shape->length * state);
    net->h_n = room(net, state);
    net->dh_n = room(net, state);
    net->outputs = room(net, shape->batch * shape->outputs);
    net->saved = ex_buffer(net->device, (size_t)saved, NULL);
    net->workspace = ex_buffer(net->device, (size_t)workspace, NULL);
}

void seq_net_close(struct seq_net *net)
{
    cl_mem buffers[] = {net->parameters, net->gradient, net->y,     net->h_n,
                        net->dh_n,       net->outputs,  net->saved, net->workspace};
    ex_finish(net->device);
    for (size_t i = 0; i < sizeof(buffers) / sizeof(*buffers); i++)
        clReleaseMemObject(buffers[i]);
    clnorm_recurrent_destroy(net->op);
}

static int show_product(void *user, unsigned done, unsigned all, const char *what)
{
    char text[192];
    (void)user;
    snprintf(text, sizeof(text), "compiling the product %s ...", what);
    ex_progress_note(done < all ? text : NULL);
    return ex_interrupted();
}

void seq_net_warm_up(struct seq_net *net)
{
    clnorm_error error;
    const clnorm_status status =
        clnorm_recurrent_warm_up(net->op, net->device->queue, net->shape.length, net->shape.batch,
                                 show_product, NULL, &error);
    if (status == CLNORM_CANCELLED)
        ex_die(EX_INTERRUPTED, "interrupted");
    ex_must(status, &error);
}

/* ---- a batch ---- */

static clnorm_recurrent_args recurrent_args(const struct seq_net *net, clnorm_tensor x)
{
    clnorm_recurrent_args args = CLNORM_RECURRENT_ARGS_INIT;
    args.x = x;
    args.y.buffer = net->y;
    args.saved.buffer = net->saved;
    return args;
}

/* c = a b on the device's queue. */
static void multiply(struct seq_net *net, clnorm_gemm_args args)
{
    clnorm_error error;
    ex_must(clnorm_gemm(net->device->context, net->device->queue, &args, 0, NULL, NULL, &error),
            &error);
}

static clnorm_gemm_args read_out(const struct seq_net *net)
{
    clnorm_gemm_args args = CLNORM_GEMM_ARGS_INIT;
    args.m = net->shape.batch;
    args.n = net->shape.outputs;
    args.k = net->shape.cell.hidden;
    args.a.buffer = net->h_n;
    args.b = ex_tensor(net->parameters, net->places[SEQ_OUT_WEIGHT].offset);
    args.b_transposed = 1;
    args.c.buffer = net->outputs;
    return args;
}

static void find_loss(struct seq_net *net, const struct seq_batch *batch)
{
    const struct ex_loss loss = {
        .rows = (size_t)net->shape.batch,
        .classes = (size_t)net->shape.outputs,
        .scale = 1 / (float)net->shape.batch,
        .logits = ex_tensor(net->outputs, 0),
        .bias = ex_tensor(net->parameters, net->places[SEQ_OUT_BIAS].offset),
        .labels = batch->targets,
        .d_logits = ex_tensor(net->outputs, 0),
        .nll = batch->loss,
        .wrong = batch->wrong,
        .rows_at = batch->at,
    };
    if (net->is_number)
        ex_squared_loss(net->train, 0, &loss, seq_tolerance);
    else
        ex_softmax_loss(net->train, 0, &loss);
}

void seq_net_forward(struct seq_net *net, const struct seq_batch *batch)
{
    clnorm_recurrent_args args = recurrent_args(net, batch->x);
    clnorm_error error;
    seq_set_tensors(net->places, net->parameters, NULL, &args);
    args.h_n.buffer = net->h_n;
    ex_must(clnorm_recurrent_forward(net->op, net->device->queue, net->shape.length,
                                     net->shape.batch, &args, 0, NULL, NULL, &error),
            &error);
    multiply(net, read_out(net));
    find_loss(net, batch);
}

/* Of the read-out, from what the loss left in net->outputs: d weight = d outputs^T h_n, the sums of
 * d outputs, and dh_n = d outputs weight. */
static void read_out_backward(struct seq_net *net)
{
    clnorm_gemm_args args = CLNORM_GEMM_ARGS_INIT;
    args.m = net->shape.outputs;
    args.n = net->shape.cell.hidden;
    args.k = net->shape.batch;
    args.a.buffer = net->outputs;
    args.a_transposed = 1;
    args.b.buffer = net->h_n;
    args.c = ex_tensor(net->gradient, net->places[SEQ_OUT_WEIGHT].offset);
    multiply(net, args);
    ex_column_sums(net->train, 0, ex_tensor(net->outputs, 0),
                   ex_tensor(net->gradient, net->places[SEQ_OUT_BIAS].offset),
                   (size_t)net->shape.batch, (size_t)net->shape.outputs);
    args.m = net->shape.batch;
    args.k = net->shape.outputs;
    args.a_transposed = 0;
    args.b = ex_tensor(net->parameters, net->places[SEQ_OUT_WEIGHT].offset);
    args.c = ex_tensor(net->dh_n, 0);
    multiply(net, args);
}

void seq_net_backward(struct seq_net *net, const struct seq_batch *batch)
{
    clnorm_recurrent_args args = recurrent_args(net, batch->x);
    clnorm_error error;
    read_out_backward(net);
    seq_set_tensors(net->places, net->parameters, net->gradient, &args);
    args.dh_n.buffer = net->dh_n;
    args.workspace.buffer = net->workspace;
    ex_must(clnorm_recurrent_backward(net->op, net->device->queue, net->shape.length,
                                      net->shape.batch, &args, 0, NULL, NULL, &error),
            &error);
}

/* SPDX-License-Identifier: MIT */
/* A recurrent net on the device of the environment. Included after cmocka.h. */
#ifndef CLNORM_TESTS_RECURRENT_DEVICE_H
#define CLNORM_TESTS_RECURRENT_DEVICE_H

#include "device.h"
#include "recurrent_net.h"

#include "ops/recurrent/op.h"

/* What is there of a net besides what must be. */
enum { WITH_STATES = 1, WITH_PARAMETERS = 2, WITH_LENGTHS = 4, WITH_ALL = 7 };

/* Where tensors begin in their buffers: elements, and bytes for `saved` and the workspace. */
enum { OFFSET = 5, BYTE_OFFSET = 64 };

/* A net on the device. Outputs, `saved` and workspace hold NaN before a call. */
typedef struct {
    const fixture *f;
    net n;
    uint32_t *lengths;
    clnorm_recurrent *op;
    clnorm_recurrent_args args;
    float *got[RECURRENT_COUNT];
    uint64_t saved_bytes, workspace_bytes[2];
} device_net;

static inline clnorm_tensor *tensor_of(clnorm_recurrent_args *args, int id)
{
    const clnorm_tensor *tensor = clnorm_recurrent_tensor(args, (clnorm_recurrent_id)id);
    return (clnorm_tensor *)(uintptr_t)tensor;
}

static inline bool is_state(int id)
{
    return id == RECURRENT_h0 || id == RECURRENT_c0 || id == RECURRENT_dh_n ||
           id == RECURRENT_dc_n || id == RECURRENT_h_n || id == RECURRENT_c_n ||
           id == RECURRENT_dh0 || id == RECURRENT_dc0;
}

static inline bool is_parameter(int id)
{
    return (id >= RECURRENT_weight_x && id <= RECURRENT_bias_c) || id >= RECURRENT_dweight_x;
}

static inline bool is_there(int id, unsigned with)
{
    return (!is_state(id) || (with & WITH_STATES)) &&
           (!is_parameter(id) || (with & WITH_PARAMETERS));
}

/* ---- a net --------------------------------------------------------------------------------- */

/* 0, all steps, and others; of a batch of one what is not all of them. */
static inline void choose_lengths(device_net *d)
{
    d->lengths = calloc(d->n.batch, sizeof(uint32_t));
    for (uint64_t i = 0; i < d->n.batch; i++)
        d->lengths[i] = (uint32_t)((d->n.steps + 7 * i) % (d->n.steps + 1));
    if (d->n.batch == 1)
        d->lengths[0] = (uint32_t)d->n.steps - 1;
    d->n.lengths = d->lengths;
}

/* A NaN in any row that is not to be read. */
static inline void spoil_beyond_lengths(const net *n, int id)
{
    const uint64_t cols = net_use(n, id).cols;
    for (uint64_t step = 0; n->in[id] && step < n->steps; step++)
        for (uint64_t row = 0; row < n->batch; row++)
            for (uint64_t c = 0; step >= n->lengths[row] && c < cols; c++)
                n->in[id][(step * n->batch + row) * cols + c] = NAN;
}

static inline cl_mem filled(const fixture *f, size_t bytes, const float *data)
{
    const unsigned char ones = 0xff;
    cl_mem mem = buffer_of(f, CL_MEM_READ_WRITE, bytes, NULL);
    MUST(clEnqueueFillBuffer(f->queue, mem, &ones, 1, 0, bytes, 0, NULL, NULL));
    if (data)
        MUST(clEnqueueWriteBuffer(f->queue, mem, CL_TRUE, OFFSET * sizeof(float),
                                  bytes - OFFSET * sizeof(float), data, 0, NULL, NULL));
    MUST(clFinish(f->queue));
    return mem;
}

static inline void add_tensor(device_net *d, int id)
{
    const uint64_t count = net_count(&d->n, id);
    clnorm_tensor *tensor = tensor_of(&d->args, id);
    tensor->buffer = filled(d->f, (OFFSET + count) * sizeof(float), d->n.in[id]);
    tensor->offset = OFFSET;
    if (d->n.out[id])
        d->got[id] = calloc(count, sizeof(float));
}

static inline device_net device_net_open(const fixture *f, const net *n, unsigned with,
                                         clnorm_form form)
{
    device_net d = {.f = f, .n = *n, .args = CLNORM_RECURRENT_ARGS_INIT};
    MUST(clnorm_recurrent_make(f->context, &n->desc, form, &d.op, error));
    MUST(clnorm_recurrent_sizes(d.op, n->steps, n->batch, &d.saved_bytes, &d.workspace_bytes[0],
                                &d.workspace_bytes[1], error));
    const uint64_t most =
        d.workspace_bytes[0] > d.workspace_bytes[1] ? d.workspace_bytes[0] : d.workspace_bytes[1];
    if (with & WITH_LENGTHS) {
        choose_lengths(&d);
        spoil_beyond_lengths(&d.n, RECURRENT_x);
        spoil_beyond_lengths(&d.n, RECURRENT_dy);
    }
    for (int id = 0; id < RECURRENT_COUNT; id++) {
        if (!is_there(id, with)) {
            free(d.n.in[id]);
            free(d.n.out[id]);
            d.n.in[id] = NULL;
            d.n.out[id] = NULL;
        } else if (d.n.in[id] || d.n.out[id])
            add_tensor(&d, id);
    }
    d.args.saved = (clnorm_tensor){filled(f, BYTE_OFFSET + d.saved_bytes, NULL), BYTE_OFFSET, 0};
    d.args.workspace = (clnorm_tensor){filled(f, BYTE_OFFSET + most, NULL), BYTE_OFFSET, 0};
    return d;
}

static inline void device_net_close(device_net *d)
{
    for (int id = 0; id < RECURRENT_COUNT; id++) {
        if (tensor_of(&d->args, id)->buffer)
            clReleaseMemObject(tensor_of(&d->args, id)->buffer);
        free(d->got[id]);
    }
    clReleaseMemObject(d->args.saved.buffer);
    clReleaseMemObject(d->args.workspace.buffer);
    clnorm_recurrent_destroy(d->op);
    net_free(&d->n);
    free(d->lengths);
}

/* ---- calls --------------------------------------------------------------------------------- */

static inline bool is_result(const net *n, clnorm_direction direction, int id)
{
    const bool forward = id <= RECURRENT_c_n;
    return n->out[id] && forward == (direction == CLNORM_FORWARD);
}

static inline clnorm_recurrent_args args_of(const device_net *d, clnorm_direction direction)
{
    clnorm_recurrent_args args = d->args;
    args.lengths = d->n.lengths;
    for (int id = 0; id < RECURRENT_COUNT; id++)
        if (direction == CLNORM_FORWARD ? id >= RECURRENT_dy
                                        : id == RECURRENT_h_n || id == RECURRENT_c_n)
            *tensor_of(&args, id) = (clnorm_tensor){NULL, 0, 0};
    return args;
}

static inline void enqueue(const device_net *d, clnorm_direction direction,
                           const clnorm_recurrent_args *args, cl_command_queue queue)
{
    cl_event before = after_writes(d->f), event = NULL;
    MUST((direction == CLNORM_FORWARD ? clnorm_recurrent_forward : clnorm_recurrent_backward)(
        d->op, queue, d->n.steps, d->n.batch, args, 1, &before, &event, error));
    MUST(clFlush(queue));
    MUST(clWaitForEvents(1, &event));
    clReleaseEvent(before);
    clReleaseEvent(event);
}

static inline void read_results(const device_net *d, clnorm_direction direction, float *const *to)
{
    for (int id = 0; id < RECURRENT_COUNT; id++)
        if (is_result(&d->n, direction, id)) {
            clnorm_recurrent_args args = d->args;
            MUST(clEnqueueReadBuffer(d->f->queue, tensor_of(&args, id)->buffer, CL_TRUE,
                                     OFFSET * sizeof(float), net_count(&d->n, id) * sizeof(float),
                                     to[id], 0, NULL, NULL));
        }
}

static inline void run(const device_net *d, clnorm_direction direction, cl_command_queue queue)
{
    const clnorm_recurrent_args args = args_of(d, direction);
    enqueue(d, direction, &args, queue);
    read_results(d, direction, d->got);
}

#endif

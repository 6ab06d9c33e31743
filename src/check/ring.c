/* SPDX-License-Identifier: MIT */
#include "check/ring.h"
#include "base/dtype.h"

#include <string.h>

/* Of elements: sets begin at whole vectors of any type, and a companion may move a few elements
 * more than there are. */
enum { ALIGNMENT = 64, POISON = 0x5a };

uint64_t clnorm_tensor_use_bytes(const clnorm_tensor_use *use)
{
    return use->rows * use->cols * clnorm_dtype_bytes(use->dtype);
}

static clnorm_tensor_use use_of(const clnorm_ring_shape *s, clnorm_tensor_id id)
{
    return clnorm_tensor_use_of(s->desc, s->direction, id, s->rows);
}

static bool is_written(const clnorm_tensor_use *use)
{
    return use->role == CLNORM_OUTPUT || use->role == CLNORM_IN_OUT;
}

uint64_t clnorm_ring_bytes(const clnorm_ring_shape *s)
{
    uint64_t bytes = 0;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use use = use_of(s, (clnorm_tensor_id)id);
        if (s->given[id])
            bytes += clnorm_tensor_use_bytes(&use);
    }
    return bytes;
}

static uint64_t pitch_of(const clnorm_tensor_use *use)
{
    return (use->rows * use->cols + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
}

uint64_t clnorm_ring_set_bytes(const clnorm_ring_shape *s)
{
    uint64_t bytes = 0;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use use = use_of(s, (clnorm_tensor_id)id);
        if (s->given[id])
            bytes += pitch_of(&use) * clnorm_dtype_bytes(use.dtype);
    }
    return bytes;
}

/* Has as many elements as x. */
static bool is_stream(const clnorm_ring_shape *s, clnorm_tensor_id id)
{
    const clnorm_tensor_use use = use_of(s, id);
    return s->given[id] && use.extent == CLNORM_ROWS && use.has_stride && use.cols == s->desc->cols;
}

clnorm_streams clnorm_ring_streams(const clnorm_ring_shape *s)
{
    clnorm_streams streams = {.ins = 0};
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use use = use_of(s, (clnorm_tensor_id)id);
        const unsigned bytes = (unsigned)clnorm_dtype_bytes(use.dtype);
        if (!is_stream(s, (clnorm_tensor_id)id))
            continue;
        if (is_written(&use) && streams.outs < CLNORM_MOST_OUTS)
            streams.out_bytes[streams.outs++] = bytes;
        else if (!is_written(&use) && streams.ins < CLNORM_MOST_INS)
            streams.in_bytes[streams.ins++] = bytes;
    }
    return streams;
}

uint64_t clnorm_ring_copy_bytes(const clnorm_ring_shape *s)
{
    const clnorm_streams streams = clnorm_ring_streams(s);
    uint64_t bytes = 0;
    for (unsigned i = 0; i < streams.ins; i++)
        bytes += streams.in_bytes[i];
    for (unsigned i = 0; i < streams.outs; i++)
        bytes += streams.out_bytes[i];
    return bytes * s->rows * s->desc->cols;
}

clnorm_stream_place clnorm_ring_place(const clnorm_ring *r, uint64_t set)
{
    clnorm_stream_place place = {.first = set * clnorm_ring_pitch(r)};
    unsigned ins = 0, outs = 0;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        if (!is_stream(&r->shape, (clnorm_tensor_id)id))
            continue;
        place.elements = r->uses[id].rows * r->uses[id].cols;
        if (is_written(&r->uses[id]) && outs < CLNORM_MOST_OUTS)
            place.out[outs++] = r->buffers[id];
        else if (!is_written(&r->uses[id]) && ins < CLNORM_MOST_INS)
            place.in[ins++] = r->buffers[id];
    }
    return place;
}

/* All streams have it, as it counts elements. */
uint64_t clnorm_ring_pitch(const clnorm_ring *r)
{
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (is_stream(&r->shape, (clnorm_tensor_id)id))
            return r->pitch[id];
    return 0;
}

clnorm_args clnorm_ring_args(const clnorm_ring *r, uint64_t set)
{
    clnorm_args args = CLNORM_ARGS_INIT;
    args.seed = r->shape.seed;
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (r->buffers[id])
            clnorm_args_set(&args, (clnorm_tensor_id)id,
                            (clnorm_tensor){r->buffers[id], set * r->pitch[id], 0});
    return args;
}

/* ---- what is on the device ----------------------------------------------------------------- */

static size_t pitch_bytes(const clnorm_ring *r, clnorm_tensor_id id)
{
    return (size_t)(r->pitch[id] * clnorm_dtype_bytes(r->uses[id].dtype));
}

clnorm_status clnorm_spread(cl_command_queue queue, cl_mem buffer, size_t begin, size_t have,
                            size_t wanted, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    while (have < wanted) {
        const size_t more = have < wanted - have ? have : wanted - have;
        TRY_CL(
            clEnqueueCopyBuffer(queue, buffer, buffer, begin, begin + have, more, 0, NULL, NULL));
        have += more;
    }
fail:
    return status;
}

static clnorm_status fill_input(const clnorm_ring *r, clnorm_tensor_id id, clnorm_error *error)
{
    const size_t set = pitch_bytes(r, id);
    const size_t tile = (size_t)clnorm_tensor_use_bytes(&r->tile[id]);
    const size_t whole = (size_t)clnorm_tensor_use_bytes(&r->uses[id]);
    clnorm_status status;
    TRY_CL(clEnqueueWriteBuffer(r->queue, r->buffers[id], CL_TRUE, 0, tile, r->shape.values[id], 0,
                                NULL, NULL));
    TRY(clnorm_spread(r->queue, r->buffers[id], 0, tile, whole, error));
    TRY(clnorm_spread(r->queue, r->buffers[id], 0, set, set * (size_t)r->sets, error));
fail:
    return status;
}

static clnorm_status fill_output(const clnorm_ring *r, clnorm_tensor_id id, uint64_t first,
                                 uint64_t sets, clnorm_error *error)
{
    const size_t set = pitch_bytes(r, id);
    const cl_uint poison = POISON * 0x01010101u;
    clnorm_status status;
    TRY_CL(clEnqueueFillBuffer(r->queue, r->buffers[id], &poison, sizeof(poison),
                               (size_t)first * set, (size_t)sets * set, 0, NULL, NULL));
fail:
    return status;
}

static clnorm_status make_tensor(clnorm_ring *r, const clnorm_context *context, clnorm_tensor_id id,
                                 clnorm_error *error)
{
    const size_t bytes = (size_t)r->sets * pitch_bytes(r, id);
    clnorm_status status;
    cl_int code;
    r->buffers[id] = clCreateBuffer(context->cl, CL_MEM_READ_WRITE, bytes, NULL, &code);
    TRY(clnorm_cl_check(code, "clCreateBuffer", error));
    if (r->uses[id].role == CLNORM_INPUT)
        TRY(fill_input(r, id, error));
    else
        TRY(fill_output(r, id, 0, r->sets, error));
fail:
    return status;
}

/* As many as every tensor has room for in one allocation. */
static uint64_t allowed_sets(const clnorm_ring *r, const clnorm_context *context, uint64_t sets)
{
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const uint64_t set = pitch_bytes(r, (clnorm_tensor_id)id);
        if (r->shape.given[id] && sets > context->device.max_alloc_bytes / set)
            sets = context->device.max_alloc_bytes / set;
    }
    return sets > 0 ? sets : 1;
}

clnorm_status clnorm_ring_make(clnorm_ring *r, clnorm_context *context, cl_command_queue queue,
                               const clnorm_ring_shape *shape, uint64_t sets, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    *r = (clnorm_ring){.shape = *shape, .queue = queue};
    for (int id = 0; id < TENSOR_COUNT; id++) {
        r->uses[id] = use_of(shape, (clnorm_tensor_id)id);
        r->tile[id] = clnorm_tensor_use_of(shape->desc, shape->direction, (clnorm_tensor_id)id,
                                           shape->tile_rows);
        r->pitch[id] = pitch_of(&r->uses[id]);
    }
    r->sets = allowed_sets(r, context, sets);
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (shape->given[id])
            TRY(make_tensor(r, context, (clnorm_tensor_id)id, error));
    TRY_CL(clFinish(queue));
fail:
    return status;
}

void clnorm_ring_release(clnorm_ring *r)
{
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (r->buffers[id])
            clReleaseMemObject(r->buffers[id]);
    memset(r->buffers, 0, sizeof(r->buffers));
}

clnorm_status clnorm_ring_spoil(const clnorm_ring *r, uint64_t set, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int i = 0; i < TENSOR_COUNT; i++) {
        const clnorm_tensor_id id = (clnorm_tensor_id)i;
        if (r->buffers[id] && is_written(&r->uses[id]) && !is_stream(&r->shape, id))
            TRY(fill_output(r, id, set, 1, error));
    }
fail:
    return status;
}

clnorm_status clnorm_ring_read(const clnorm_ring *r, uint64_t set, clnorm_tensor_id id,
                               uint64_t tile, void *data, size_t *bytes, clnorm_error *error)
{
    const uint64_t most = clnorm_tensor_use_bytes(&r->tile[id]), begin = tile * most;
    const uint64_t all = clnorm_tensor_use_bytes(&r->uses[id]);
    const uint64_t left = begin < all ? all - begin : 0;
    clnorm_status status = CLNORM_OK;
    *bytes = (size_t)(left < most ? left : most);
    if (*bytes > 0)
        TRY_CL(clEnqueueReadBuffer(r->queue, r->buffers[id], CL_TRUE,
                                   (size_t)set * pitch_bytes(r, id) + (size_t)begin, *bytes, data,
                                   0, NULL, NULL));
fail:
    return status;
}

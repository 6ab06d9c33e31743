/* SPDX-License-Identifier: MIT */
/* The tensors of a case on a device, several sets of them: while an operation goes from set to set,
 * none is in a cache that is smaller than all of them together. */
#ifndef CLNORM_CHECK_RING_H
#define CLNORM_CHECK_RING_H

#include "check/companion.h"
#include "ops/tensors.h"

/* What a case is about. On the device are the rows of `values` again and again, the last time
 * perhaps not all of them. */
typedef struct clnorm_ring_shape {
    const clnorm_desc *desc; /* resolved */
    clnorm_direction direction;
    uint64_t rows, tile_rows; /* on the device; of the values */
    uint64_t seed; /* of dropout */
    bool given[TENSOR_COUNT];
    void *const *values; /* of the inputs: tile_rows rows without gaps */
} clnorm_ring_shape;

typedef struct clnorm_ring {
    clnorm_ring_shape shape;
    cl_command_queue queue; /* borrowed */
    clnorm_tensor_use uses[TENSOR_COUNT], tile[TENSOR_COUNT]; /* of all rows, and of a tile */
    cl_mem buffers[TENSOR_COUNT];
    uint64_t pitch[TENSOR_COUNT]; /* elements from set to set */
    uint64_t sets;
} clnorm_ring;

/* Bytes that one call has to move: every tensor once. */
uint64_t clnorm_ring_bytes(const clnorm_ring_shape *shape);
/* Those that its companion moves. */
uint64_t clnorm_ring_copy_bytes(const clnorm_ring_shape *shape);
/* Bytes that a set takes on the device. */
uint64_t clnorm_ring_set_bytes(const clnorm_ring_shape *shape);
/* The tensors of all rows and all columns, which is nearly all that a call moves. */
clnorm_streams clnorm_ring_streams(const clnorm_ring_shape *shape);

/* Makes and fills `sets` sets, fewer (one at least) where an allocation would be larger than the
 * device allows; outputs hold other bytes than any result. Everything is there on return. */
clnorm_status clnorm_ring_make(clnorm_ring *ring, clnorm_context *context, cl_command_queue queue,
                               const clnorm_ring_shape *shape, uint64_t sets, clnorm_error *error);
/* Zeros are allowed. */
void clnorm_ring_release(clnorm_ring *ring);

clnorm_args clnorm_ring_args(const clnorm_ring *ring, uint64_t set);
clnorm_stream_place clnorm_ring_place(const clnorm_ring *ring, uint64_t set);
/* Of the streams, as clnorm_companion_choose wants it. */
uint64_t clnorm_ring_pitch(const clnorm_ring *ring);

/* Elements of output `id`: those of a tile, or all of them where they do not follow the rows. Gives
 * how many bytes that is: fewer for the last tile, 0 after it. */
clnorm_status clnorm_ring_read(const clnorm_ring *ring, uint64_t set, clnorm_tensor_id id,
                               uint64_t tile, void *data, size_t *bytes, clnorm_error *error);
/* What a companion does not write: other bytes than any result again. Enqueued. */
clnorm_status clnorm_ring_spoil(const clnorm_ring *ring, uint64_t set, clnorm_error *error);
/* The first `have` bytes from `begin` on become `wanted`: what is there again and again. */
clnorm_status clnorm_spread(cl_command_queue queue, cl_mem buffer, size_t begin, size_t have,
                            size_t wanted, clnorm_error *error);
uint64_t clnorm_tensor_use_bytes(const clnorm_tensor_use *use);

#endif

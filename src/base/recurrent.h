/* SPDX-License-Identifier: MIT */
/* Which tensors a recurrent cell has, and how large they are: what the host reference, the device
 * and those who fill tensors have to agree on. */
#ifndef CLNORM_BASE_RECURRENT_H
#define CLNORM_BASE_RECURRENT_H

#include "base/tensor.h"
#include "clnorm/clnorm.h"

#define CLNORM_RECURRENT_ID_(name) RECURRENT_##name,
typedef enum clnorm_recurrent_id {
    CLNORM_RECURRENT_TENSORS(CLNORM_RECURRENT_ID_, CLNORM_RECURRENT_ID_) RECURRENT_COUNT
} clnorm_recurrent_id;
#undef CLNORM_RECURRENT_ID_

const char *clnorm_recurrent_tensor_name(clnorm_recurrent_id id);
/* Of the cell: 1, 4 or 3. */
unsigned clnorm_recurrent_gates(clnorm_cell cell);

/* A tensor of [rows, cols] without gaps. CLNORM_UNUSED: must be NULL. y is an input of backward. */
typedef struct clnorm_recurrent_use {
    clnorm_role role;
    bool required;
    uint64_t rows, cols;
} clnorm_recurrent_use;

clnorm_recurrent_use clnorm_recurrent_use_of(const clnorm_recurrent_desc *desc,
                                             clnorm_direction direction, clnorm_recurrent_id id,
                                             uint64_t steps, uint64_t batch);

/* CLNORM_BAD_ARGS: steps or batch are 0 or too many (elements of any tensor up to 2^40), or a
 * length is above steps. */
clnorm_status clnorm_recurrent_shape_check(const clnorm_recurrent_desc *desc, uint64_t steps,
                                           uint64_t batch, const uint32_t *lengths,
                                           clnorm_error *error);

#endif

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

#define CLNORM_RECURRENT_MAX_WIDTH ((uint64_t)1 << 20)

const char *clnorm_recurrent_tensor_name(clnorm_recurrent_id id);
/* "rnn", "lstm", "gru". */
const char *clnorm_recurrent_cell_name(clnorm_cell cell);
/* Of the cell: 1, 4 or 3. */
unsigned clnorm_recurrent_gates(clnorm_cell cell);

/* A tensor of [rows, cols] without gaps; a vector is one row. CLNORM_UNUSED: must be NULL, as h_n
 * and c_n of backward. y is required, and an input of backward. */
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

/* CLNORM_BAD_ARGS: one that is required is missing, or one is given that has no use. */
clnorm_status clnorm_recurrent_tensors_check(const clnorm_recurrent_desc *desc,
                                             clnorm_direction direction,
                                             const bool given[RECURRENT_COUNT],
                                             clnorm_error *error);

/* One of the arrays of args: const float * for inputs, double * for outputs. */
void *clnorm_recurrent_host_array(const clnorm_recurrent_host_args *args, clnorm_recurrent_id id);
void clnorm_recurrent_host_array_set(clnorm_recurrent_host_args *args, clnorm_recurrent_id id,
                                     const void *array);

#endif

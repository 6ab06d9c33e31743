/* SPDX-License-Identifier: MIT */
/* The host arrays of a call, each as rows of equal width. */
#ifndef CLNORM_OPS_HOST_ARRAYS_H
#define CLNORM_OPS_HOST_ARRAYS_H

#include "base/tensor.h"
#include "ops/op.h"

typedef struct clnorm_host_tensor {
    clnorm_tensor_id id;
    clnorm_role role;
    clnorm_extent extent;
    bool has_stride; /* else the device has it as one row */
    char *data;
    size_t element; /* bytes */
    uint64_t rows, width, stride; /* all in elements; a row follows the other if !has_stride */
    uint64_t rows_per_row; /* rows of x that a row of it is for; 0 if it does not depend on them */
    int same; /* an earlier tensor at exactly this place, -1 if there is none */
} clnorm_host_tensor;

typedef struct clnorm_host_arrays {
    clnorm_direction direction;
    uint64_t rows;
    size_t count;
    clnorm_host_tensor tensors[TENSOR_COUNT];
    bool entangled; /* rows of one array lie between the rows of another */
} clnorm_host_arrays;

/* Finds the arrays that are given, and all that is wrong with them: CLNORM_BAD_ARGS. None of no
 * rows.
 */
clnorm_status clnorm_host_arrays_find(const clnorm_op *op, clnorm_direction direction,
                                      uint64_t rows, const clnorm_host_args *args,
                                      clnorm_host_arrays *arrays, clnorm_error *error);

static inline bool clnorm_is_output(const clnorm_host_tensor *t) { return t->role != CLNORM_INPUT; }
static inline bool clnorm_is_input(const clnorm_host_tensor *t) { return t->role != CLNORM_OUTPUT; }

/* Whether it is on the device for the whole call. */
static inline bool clnorm_is_resident(const clnorm_host_tensor *t)
{
    return t->extent == CLNORM_WHOLE;
}

/* The rows of a tensor that go with `rows` rows of x from `first` on, which is a multiple of its
 * rows_per_row. */
static inline uint64_t clnorm_first_row_of(const clnorm_host_tensor *t, uint64_t first)
{
    return first / t->rows_per_row;
}

static inline uint64_t clnorm_rows_of(const clnorm_host_tensor *t, uint64_t rows)
{
    return rows / t->rows_per_row + (rows % t->rows_per_row != 0);
}

#endif

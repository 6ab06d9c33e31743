/* SPDX-License-Identifier: MIT */
/* Every tensor of every operator: its name, shape, type and part in a call. Checks, launches,
 * streaming, the runner and the command walk this table instead of naming tensors one by one. */
#ifndef CLNORM_BASE_TENSOR_H
#define CLNORM_BASE_TENSOR_H

#include "clnorm/clnorm.h"

#include <stdbool.h>

/* In the order of the fields of clnorm_host_args and clnorm_args. */
#define CLNORM_TENSORS(T)                                                                          \
    T(y), T(sum), T(mean), T(rstd), T(running_mean), T(running_var), T(qscale), T(qzero), T(qsum), \
        T(x), T(residual), T(x_bias), T(gate), T(weight), T(bias), T(scale), T(shift), T(z),       \
        T(dy), T(dsum), T(dx), T(dresidual), T(dz), T(dx_bias), T(dgate), T(dweight), T(dbias),    \
        T(dscale), T(dshift), T(dmean), T(drstd)

typedef enum clnorm_tensor_id {
#define CLNORM_TENSOR_ID(name) TENSOR_##name
    CLNORM_TENSORS(CLNORM_TENSOR_ID),
#undef CLNORM_TENSOR_ID
    TENSOR_COUNT
} clnorm_tensor_id;

typedef enum clnorm_role {
    CLNORM_UNUSED = 0, /* must be NULL */
    CLNORM_INPUT,
    CLNORM_OUTPUT,
    CLNORM_IN_OUT
} clnorm_role;

static inline bool clnorm_role_reads(clnorm_role role)
{
    return role == CLNORM_INPUT || role == CLNORM_IN_OUT;
}

/* How a tensor's size follows from the rows of a call. */
typedef enum clnorm_extent {
    CLNORM_WHOLE, /* does not depend on rows: weight, running_mean; [mods, cols] of one mod */
    CLNORM_ROWS, /* [rows, cols]: a row of it for each row of x; cols 1: [rows] */
    CLNORM_MODS /* [mods, cols]: a row of it for rows_per_mod rows of x */
} clnorm_extent;

typedef struct clnorm_tensor_use {
    clnorm_role role;
    bool required;
    bool has_stride; /* a matrix whose rows may have gaps; else its elements follow one another */
    clnorm_dtype dtype;
    clnorm_extent extent;
    /* Without has_stride rows is 1 and cols the number of elements. */
    uint64_t rows, cols;
} clnorm_tensor_use;

/* Of all tensors, which costs hardly more than of one. desc: a resolved one, see
 * clnorm_desc_resolve. */
void clnorm_tensor_uses_of(const clnorm_desc *desc, clnorm_direction direction, uint64_t rows,
                           clnorm_tensor_use uses[TENSOR_COUNT]);
clnorm_tensor_use clnorm_tensor_use_of(const clnorm_desc *desc, clnorm_direction direction,
                                       clnorm_tensor_id id, uint64_t rows);

/* "y", "dweight" and so on. */
const char *clnorm_tensor_name(clnorm_tensor_id id);
/* TENSOR_COUNT if no tensor is called so. */
clnorm_tensor_id clnorm_tensor_find(const char *name);

/* One of the arrays of args, inputs and outputs alike. */
clnorm_output clnorm_host_array(const clnorm_host_args *args, clnorm_tensor_id id);
void clnorm_host_array_set(clnorm_host_args *args, clnorm_tensor_id id, void *data,
                           uint64_t stride);

/* Everything that makes no sense about a choice of tensors: missing ones, ones that the descriptor
 * has no use for, mean without rstd, too few rows for a variance. given[TENSOR_COUNT]: which are
 * there. Of no rows none need be. CLNORM_BAD_ARGS. */
clnorm_status clnorm_tensors_check(const clnorm_desc *desc, clnorm_direction direction,
                                   uint64_t rows, const bool *given, clnorm_error *error);

/* Whether `output` may be exactly `input`: y = x, dx = dy and so on. */
bool clnorm_may_alias(clnorm_direction direction, clnorm_tensor_id output, clnorm_tensor_id input);

#endif

/* SPDX-License-Identifier: MIT */
/* Checks of what a caller gives; clnorm_desc_check is in clnorm.h. */
#ifndef CLNORM_BASE_DESC_H
#define CLNORM_BASE_DESC_H

#include "clnorm/clnorm.h"

#include <stdbool.h>

/* clnorm_desc_check, and a copy without defaults: every dtype, cols, groups, stats_cols are what
 * they mean. What does not apply is 0. */
clnorm_status clnorm_desc_resolve(const clnorm_desc *desc, clnorm_desc *resolved,
                                  clnorm_error *error);

/* Whether what is normalized is more than x: a sum, or x after dropout or a gate. */
bool clnorm_desc_has_sum(const clnorm_desc *desc);

/* Whether the statistics are those of the first columns only. */
static inline bool clnorm_desc_is_partial(const clnorm_desc *desc)
{
    return desc->stats_cols != 0 && desc->stats_cols != desc->cols;
}

/* CLNORM_BAD_ARGS, with the name of the tensor in the text, if it is missing, its stride is less
 * than cols, or it is larger than any memory. stride 0 means cols; *stride is set to what it means.
 */
clnorm_status clnorm_host_tensor_check(const char *name, clnorm_dtype dtype, const void *array,
                                       uint64_t rows, uint64_t cols, uint64_t *stride,
                                       clnorm_error *error);

#endif

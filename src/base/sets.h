/* SPDX-License-Identifier: MIT */
/* Which elements are normalized together. Set q has `segments` runs of `run` elements:
 *
 *   element i of segment s   is at  (q / inner) * outer + (q % inner) * step + s * segment + i
 *   its weight, its bias     is at  (q % period) * param_step + s * param_segment (+ i if per_col)
 *
 * where outer is the tensor's row stride, or 0 for sets that go through all rows, and segment is
 * the row stride where it is 0 here. */
#ifndef CLNORM_BASE_SETS_H
#define CLNORM_BASE_SETS_H

#include "clnorm/clnorm.h"

#include <stdbool.h>

typedef struct clnorm_sets {
    uint64_t count;
    uint64_t inner, step;
    bool through_rows; /* outer is 0 */
    uint64_t segments, run, segment;
    uint64_t period, param_step, param_segment;
    bool per_col;
    bool needs_dense_rows; /* right only if rows have no gaps */
    bool plain; /* a set is a row, and its parameters are those of its columns */
} clnorm_sets;

/* desc: a resolved one. */
clnorm_sets clnorm_sets_of(const clnorm_desc *desc, uint64_t rows);
/* Elements of a set. */
uint64_t clnorm_set_size(const clnorm_desc *desc, uint64_t rows);

#endif

/* SPDX-License-Identifier: MIT */
/* How a device walks rows: chosen from the device, the dtypes and cols, never from rows, so that
 * the bits of a row do not depend on its batch. */
#ifndef CLNORM_OPS_FORM_H
#define CLNORM_OPS_FORM_H

#include "base/sets.h"
#include "runtime/context.h"

typedef struct clnorm_geometry {
    clnorm_form form;
    unsigned vec; /* columns that a work-item handles at once */
    unsigned group_size; /* work-items that share a row; 1 for sequential rows */
    int cpu_hints; /* the compiler has clang's prefetch and non-temporal store */
    uint64_t stream_bytes; /* more output than this goes past the cache */
    uint64_t most_iterations; /* that a work-item may spend in loops, in all */
} clnorm_geometry;

/* CLNORM_UNSUPPORTED where the device cannot take that many columns. */
clnorm_status clnorm_geometry_choose(const clnorm_context *context, const clnorm_desc *desc,
                                     clnorm_geometry *geometry, clnorm_error *error);

/* Longest chain of dependent additions behind a sum over `cols` columns. */
unsigned clnorm_geometry_depth(const clnorm_geometry *geometry, uint64_t cols);

/* Sets that one group takes, of `sets` sets of `set_bytes` output each in a call of `all` rows:
 * enough work for a launch to pay, enough groups for every compute unit. */
uint64_t clnorm_sets_per_group(const clnorm_op *op, uint64_t sets, uint64_t set_bytes,
                               uint64_t all);
/* Rows that a work-item may take in all, before the device stops its loops. */
uint64_t clnorm_most_rows(const clnorm_op *op);
/* Iterations of a work-item for one set. */
uint64_t clnorm_iterations_of(const clnorm_geometry *geometry, const clnorm_sets *sets);
/* CLNORM_UNSUPPORTED where the device ends its loops before. */
clnorm_status clnorm_iterations_allow(const clnorm_context *context,
                                      const clnorm_geometry *geometry, const clnorm_sets *sets,
                                      uint64_t iterations, clnorm_error *error);

/* "-DVEC=…" and so on for the program of this geometry; false if it does not fit. */
int clnorm_geometry_defines(const clnorm_geometry *geometry, char *text, size_t bytes);

#endif

/* SPDX-License-Identifier: MIT */
/* How a device walks rows: chosen from the device, the dtypes and cols, never from rows, so that
 * the bits of a row do not depend on its batch. */
#ifndef CLNORM_OPS_FORM_H
#define CLNORM_OPS_FORM_H

#include "base/sets.h"
#include "base/tuning.h"
#include "runtime/context.h"

typedef struct clnorm_geometry {
    clnorm_form form;
    unsigned vec; /* columns that a work-item handles at once */
    unsigned group_size; /* work-items of a group */
    unsigned team_size; /* of those that share a row: divides group_size; 1 for sequential rows */
    unsigned subgroup; /* work-items that add up first; 1: as many as there are; 0: none do */
    unsigned hold; /* vectors that a work-item keeps in registers; 0: it reads them again */
    unsigned part; /* columns of the parts of a row; 0: rows have none */
    unsigned block; /* rows that a work-item takes at once, of few columns; 0: one by one */
    /* Groups that work at once: fewer rows are shared, none ever with 0, and work-items that walk
     * rows alone get parts of all for as many. */
    unsigned slots;
    int cpu_hints; /* the compiler has clang's prefetch and non-temporal store */
    uint64_t stream_bytes; /* more output than this goes past the cache */
    uint64_t most_iterations; /* that a work-item may spend in loops, in all */
} clnorm_geometry;

enum {
    CLNORM_MOST_CANDIDATES = 12,
    CLNORM_MOST_PARTS = 256 /* of a row: MOST_PARTS of split.cl */
};

/* Geometries for these rows: the best first, then what is left if that one fails. None where the
 * device cannot take that many columns. Returns how many. */
size_t clnorm_geometry_list(const clnorm_context *context, const clnorm_desc *desc,
                            const clnorm_tuning *tuning,
                            clnorm_geometry list[CLNORM_MOST_CANDIDATES]);

/* Whether rows are kept in registers: then a program is for one number of columns. */
bool clnorm_form_holds(clnorm_form form);

/* The next smaller group; false if there is none. */
bool clnorm_geometry_halve(clnorm_geometry *geometry, const clnorm_sets *sets);

/* Longest chain of dependent additions behind a sum over `cols` columns. */
unsigned clnorm_geometry_depth(const clnorm_geometry *geometry, uint64_t cols);

/* 0: none. */
uint64_t clnorm_parts_of_row(const clnorm_geometry *geometry, uint64_t cols);
/* Whether several groups are to work on each of so many rows. */
bool clnorm_shares_rows(const clnorm_geometry *geometry, uint64_t rows);
/* Never of more than these. */
uint64_t clnorm_most_shared_rows(const clnorm_geometry *geometry);

/* Sets that one group takes, of `sets` sets of `set_bytes` output each in a call of `all` rows:
 * enough work for a launch to pay, enough groups for every compute unit. */
uint64_t clnorm_sets_per_group(const clnorm_op *op, const clnorm_geometry *geometry, uint64_t sets,
                               uint64_t set_bytes, uint64_t all);
/* Iterations that a work-item of the device may spend in loops, in all. */
uint64_t clnorm_most_iterations(const clnorm_device *device);
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

/* SPDX-License-Identifier: MIT */
/* A row of a small step, and what a right kernel makes of it, in double. Gradients are differences
 * of that along a direction, so that no formula of a kernel's is written again. */
#ifndef CLNORM_OPS_RECURRENT_SELF_TEST_CELL_H
#define CLNORM_OPS_RECURRENT_SELF_TEST_CELL_H

#include "ops/recurrent/op.h"

/* What a step gets besides its tensors; ids behind those of tensors. */
enum {
    CLNORM_TEST_U = RECURRENT_COUNT, /* projections of h, and of x; u is both in sum */
    CLNORM_TEST_V,
    CLNORM_TEST_DH, /* gradients from the step after */
    CLNORM_TEST_DC
};

/* Element i of row `row` of a tensor: small, and exact in a float. */
double clnorm_test_cell_value(int id, uint64_t row, uint64_t i);

/* What gradients are of: numbers that are added to what is there. */
typedef enum clnorm_cell_part {
    PART_NONE,
    PART_U,
    PART_P, /* what the norms give: to the gates; of a gru's candidate that of x */
    PART_N, /* of a gru's candidate: what the norm of h gives */
    PART_Q, /* what the norm of c gives */
    PART_H, /* state that the step begins with */
    PART_C
} clnorm_cell_part;

/* Of element i of a part: of either sign, and never 0. */
double clnorm_test_cell_direction(uint64_t i);

enum { CLNORM_TEST_MOST_STATS = 2 * CLNORM_MOST_BUNDLES + 1 };

typedef struct clnorm_test_cell {
    const clnorm_recurrent *op; /* of the step: its columns */
    uint64_t row;
    clnorm_cell_part moved; /* by `by` along the direction */
    double by;
    double *u, *v, *h, *c; /* [G * H], [H]: h and c after the step */
    double stats[CLNORM_TEST_MOST_STATS][2]; /* mean and rstd, as in cell.cl */
} clnorm_test_cell;

/* false: no memory. Freed in any case. */
bool clnorm_test_cell_make(const clnorm_recurrent *op, clnorm_test_cell *cell);
void clnorm_test_cell_free(clnorm_test_cell *cell);
void clnorm_test_cell_run(clnorm_test_cell *cell, uint64_t row);
/* Of what a backward pass begins with, along the direction of the part. ends: the row's gradients
 * are those of h_n and c_n. */
double clnorm_test_cell_slope(clnorm_test_cell *cell, uint64_t row, bool ends,
                              clnorm_cell_part part);

#endif

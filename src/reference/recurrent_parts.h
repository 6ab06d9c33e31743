/* SPDX-License-Identifier: MIT */
/* What the cells are made of: products, norms, and the table of cells. All work on one row of the
 * batch at one step; sums over rows go on from call to call. */
#ifndef CLNORM_REFERENCE_RECURRENT_PARTS_H
#define CLNORM_REFERENCE_RECURRENT_PARTS_H

#include "clnorm/clnorm.h"
#include "reference/recurrent_number.h"

#include <stddef.h>

enum { RECURRENT_MOST_SETS = 4 };

/* out[i] = sum of w[i, j] in[j]. w: [rows, cols]. */
void clnorm_recurrent_product(const float *w, size_t rows, size_t cols, const clnorm_number *in,
                              clnorm_number *out);
/* out[j] += sum of in[i] w[i, j]. */
void clnorm_recurrent_product_back(const float *w, size_t rows, size_t cols,
                                   const clnorm_number *in, clnorm_number *out);
/* sum += a * b, a term of a sum of `terms`; rounding: how much each of these counts. */
static inline void clnorm_recurrent_sum(clnorm_number *sum, clnorm_number a, clnorm_number b,
                                        double rounding)
{
    const clnorm_number term = number_mul(a, b);
    sum->value += term.value;
    sum->error += term.error + rounding * number_size(term);
}

/* A norm over consecutive parts of n numbers. */
typedef struct clnorm_recurrent_norm {
    size_t n; /* 0: there is none, all else is 0, and what comes in goes out */
    unsigned sets;
    size_t size[RECURRENT_MOST_SETS]; /* of the sets, n in all */
    double eps, rounding;
    const float *weight, *bias; /* [n] or NULL */
    /* of the last forward */
    clnorm_number *hat; /* [n]: (x - mean) * rstd */
    clnorm_number rstd[RECURRENT_MOST_SETS];
    double spread[RECURRENT_MOST_SETS]; /* deviation * rstd */
    clnorm_number *dweight, *dbias; /* [n], added to; NULL: not wanted */
} clnorm_recurrent_norm;

/* May be in place. */
void clnorm_recurrent_norm_forward(clnorm_recurrent_norm *norm, size_t n, const clnorm_number *in,
                                   clnorm_number *out);
/* Of the forward before. May be in place. */
void clnorm_recurrent_norm_backward(clnorm_recurrent_norm *norm, size_t n, const clnorm_number *d,
                                    clnorm_number *dx);

/* Norms of x Wx^T, of h Wh^T, of the sum of both, of the state c. */
enum { NORM_X, NORM_H, NORM_SUM, NORM_C, NORMS };

/* Arrays of one step of a row: H long, u, v, du, dv and gates G * H. */
typedef struct clnorm_recurrent_step {
    clnorm_nonlinearity nonlinearity;
    size_t features, hidden, gates; /* I, H, G * H */
    clnorm_recurrent_norm norms[NORMS];
    clnorm_number *x, *h, *c; /* what the step begins with */
    clnorm_number *u, *v; /* of h and of x, after their norms; v with bias */
    clnorm_number *gate; /* after their functions; rnn: before */
    clnorm_number *q; /* lstm: tanh of the state after its norm */
    clnorm_number *h_next, *c_next;
    /* before a cell's backward: of h_next and c_next; after it: of c, and of h as far as it does
     * not come through u */
    clnorm_number *dh, *dc;
    clnorm_number *du, *dv;
} clnorm_recurrent_step;

typedef struct clnorm_recurrent_cell {
    void (*forward)(clnorm_recurrent_step *step); /* u, v, h, c to h_next, c_next */
    void (*backward)(clnorm_recurrent_step *step); /* dh, dc to du, dv, dh, dc */
} clnorm_recurrent_cell;

extern const clnorm_recurrent_cell clnorm_recurrent_cells[];

#endif

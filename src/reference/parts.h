/* SPDX-License-Identifier: MIT */
/* The steps of an evaluation: what forward.c and backward.c share. */
#ifndef CLNORM_REFERENCE_PARTS_H
#define CLNORM_REFERENCE_PARTS_H

#include "reference/reference.h"

/* OpenCL's exp may be off by 3 units of the last place and a division by 2.5: SiLU is off by at
 * most 13 units of roundoff. */
#define CLNORM_SILU_ROUNDINGS 16

/* Rows that are worked on together: one, or all where sets go through them. */
typedef struct clnorm_scope {
    const clnorm_evaluation *e;
    uint64_t first, rows;
    clnorm_set *sets;
    uint64_t count; /* of sets */
} clnorm_scope;

/* The decoded inputs of a run. */
typedef struct clnorm_elements {
    clnorm_run run;
    const clnorm_set *set;
    double s[CLNORM_BLOCK]; /* what is normalized; y in a backward pass from the output */
    double t[CLNORM_BLOCK]; /* what the gate multiplies */
    long double s_size[CLNORM_BLOCK]; /* |alpha * residual| + |gate * t| */
    double gate[CLNORM_BLOCK], mask[CLNORM_BLOCK]; /* mask: 0 or 1 / (1 - p) */
    double x[CLNORM_BLOCK], weight[CLNORM_BLOCK], bias[CLNORM_BLOCK];
    double scale[CLNORM_BLOCK], shift[CLNORM_BLOCK]; /* scale: with scale_offset */
    double z[CLNORM_BLOCK];
    long double silu[CLNORM_BLOCK], sigmoid[CLNORM_BLOCK];
} clnorm_elements;

/* What an error of this size counts behind a factor: nothing is left of it behind 0, not even of
 * one that is too large for a double. */
static inline double clnorm_behind(double factor, double size)
{
    return factor == 0 ? 0 : factor * size;
}

bool clnorm_given(const clnorm_evaluation *e, clnorm_tensor_id id);

/* The first run of the scope for run->n 0, else the next one; false at the end. */
bool clnorm_next_run(const clnorm_scope *scope, clnorm_run *run);
void clnorm_load_run(const clnorm_evaluation *e, clnorm_tensor_id id, const clnorm_run *run,
                     double *out);
/* s, and what it is made of. */
void clnorm_load_sum(const clnorm_evaluation *e, const clnorm_run *run, clnorm_elements *out);
/* The rest. */
void clnorm_load_params(const clnorm_evaluation *e, clnorm_elements *out);

/* Fills scope->sets. */
void clnorm_scope_statistics(const clnorm_scope *scope);
/* rstd and all that follows from size, hi, lo, variance, deviation. */
void clnorm_set_finish(const clnorm_evaluation *e, clnorm_set *set);

/* x^; then x^ * weight + bias; * scale + shift; * SiLU(z): each from the one before, in place. */
void clnorm_normalize(const clnorm_evaluation *e, const clnorm_elements *in, clnorm_numbers *x);
void clnorm_affine(const clnorm_evaluation *e, const clnorm_elements *in, clnorm_numbers *y);
void clnorm_modulate(const clnorm_evaluation *e, const clnorm_elements *in, clnorm_numbers *y);
void clnorm_activate(const clnorm_elements *in, clnorm_numbers *y);

/* Does nothing for a tensor that is not wanted. scale and code may be NULL; set is NULL for what
 * belongs to none. */
void clnorm_emit(const clnorm_evaluation *e, clnorm_tensor_id id, const clnorm_run *run,
                 const clnorm_set *set, const clnorm_numbers *numbers, const double *scale,
                 const double *code);
/* One number at (row, col) of a tensor. */
void clnorm_emit_one(const clnorm_evaluation *e, clnorm_tensor_id id, uint64_t row, uint64_t col,
                     const clnorm_set *set, long double value, long double grown,
                     long double rounded);

/* A row of y before it is quantised: `cols` elements each. */
typedef struct clnorm_row {
    double *value, *grown, *rounded, *lost;
} clnorm_row;
void clnorm_quantise_row(const clnorm_evaluation *e, uint64_t row, const clnorm_row *y);

clnorm_status clnorm_forward_scopes(const clnorm_evaluation *e, clnorm_scope *scope,
                                    clnorm_error *error);
clnorm_status clnorm_backward_scopes(const clnorm_evaluation *e, clnorm_scope *scope,
                                     clnorm_error *error);

#endif

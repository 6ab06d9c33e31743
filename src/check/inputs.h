/* SPDX-License-Identifier: MIT */
/* Rows that once broke some kernel. The same seed gives the same values, and a row's values do not
 * depend on how many rows there are before it. */
#ifndef CLNORM_CHECK_INPUTS_H
#define CLNORM_CHECK_INPUTS_H

#include "base/tensor.h"

typedef struct clnorm_input_kind {
    const char *name;
    /* Which column of a row has which value; private to inputs.c. */
    const struct clnorm_input_rule *rule;
    double parameter;
    double largest; /* values of about this size occur: see clnorm_input_fits */
    /* Every order of LayerNorm's additions gives the exact sums: verify with depth 0 too, and with
     * clnorm_input_wrong_means. RMSNorm's sums are not exact. */
    int exact_sums;
} clnorm_input_kind;

/* All kinds; *count is set. */
const clnorm_input_kind *clnorm_input_kinds(size_t *count);
/* NULL if no kind is called so. */
const clnorm_input_kind *clnorm_input_find(const char *name);
/* 0 if the type cannot hold values of the kind. */
int clnorm_input_fits(const clnorm_input_kind *kind, clnorm_dtype dtype);

/* x: rows x cols elements, without gaps; rounded to the type. */
void clnorm_input_fill(const clnorm_input_kind *kind, clnorm_dtype dtype, uint64_t rows,
                       uint64_t cols, uint64_t seed, void *x);
/* count elements of an input other than x, so that the descriptor's operator makes sense of them:
 * positive variances and scales, no zeros among weights that something is divided by. */
void clnorm_tensor_fill(const clnorm_desc *desc, clnorm_tensor_id id, clnorm_dtype dtype,
                        uint64_t count, uint64_t seed, void *array);
/* cols elements: weights around 1 with a few that are 0 or negative; biases around 0. */
void clnorm_weight_fill(clnorm_dtype dtype, uint64_t cols, uint64_t seed, void *weight);
void clnorm_bias_fill(clnorm_dtype dtype, uint64_t cols, uint64_t seed, void *bias);

/* Rows of exactly summable input, without gaps, whose mean (of clnorm_stats_dtype) is off by more
 * than one unit of the last place; *first_wrong is set if there is one. */
uint64_t clnorm_input_wrong_means(const clnorm_desc *desc, const void *x, const void *mean,
                                  uint64_t rows, uint64_t *first_wrong);

#endif

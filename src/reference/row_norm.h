/* SPDX-License-Identifier: MIT */
/* The parts of clnorm_reference_forward, for those who compare block by block. */
#ifndef CLNORM_REFERENCE_ROW_NORM_H
#define CLNORM_REFERENCE_ROW_NORM_H

#include "clnorm/clnorm.h"

/* Columns that are decoded at once, and the longest plain chain of additions. */
#define CLNORM_REFERENCE_BLOCK 256

/* A row with NaN or infinity has NaN in all fields; the mean of RMSNorm stays 0. */
typedef struct clnorm_reference_stats {
    long double hi, lo; /* mean = hi + lo: also long double can be too short for f64 rows */
    long double variance, rstd; /* RMSNorm: variance is the mean of squares */
} clnorm_reference_stats;

/* Statistics of the row of desc->cols elements that begins at element `first` of x. */
clnorm_reference_stats clnorm_reference_row_stats(const clnorm_desc *desc, const void *x,
                                                  uint64_t first);

/* n decoded elements of a row; weight, bias may be NULL: 1 and 0. */
void clnorm_reference_normalize(double *y, const double *x, const double *weight,
                                const double *bias, size_t n, const clnorm_reference_stats *stats);

/* Additions behind a sum over a row, and half the distance from 1 to the next number. */
unsigned clnorm_reference_depth(uint64_t cols);
double clnorm_reference_unit(void);

#endif

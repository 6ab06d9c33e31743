/* SPDX-License-Identifier: MIT */
/* The statistics of measuring. Times are positive and their errors are factors, so means and
 * deviations are those of logarithms. */
#ifndef CLNORM_CHECK_STATISTICS_H
#define CLNORM_CHECK_STATISTICS_H

#include <stddef.h>

/* For qsort: doubles, ascending. */
int clnorm_ascending(const void *a, const void *b);
/* Sorts the values first. n at least 1. */
double clnorm_median(double *values, size_t n);
/* Of sorted values, between neighbours at (n - 1) share; n at least 1, share 0 .. 1. */
double clnorm_quantile(const double *sorted, size_t n, double share);

typedef struct clnorm_log_spread {
    double mean, sd; /* of the logarithms; sd with n - 1, 0 where n is 1 */
    size_t n;
} clnorm_log_spread;

clnorm_log_spread clnorm_log_spread_of(const double *values, size_t n);

/* Student's t: the two-sided p of t with df degrees of freedom, and the t that has this p.
 * p = I(df / (df + t^2); df / 2, 1 / 2), the regularised incomplete beta function (Abramowitz and
 * Stegun 26.7.1, 26.5.8). df > 0, 0 < p < 1. */
double clnorm_student_p(double t, double df);
double clnorm_student_t(double p, double df);

/* 95 % of the geometric mean of the values, by Student's t; of one value it is that value. */
void clnorm_log_interval(const clnorm_log_spread *spread, double interval[2]);

/* Mann and Kendall: the two-sided p of so clear a rise or fall in the order of the values, where
 * all orders are as likely; equal values make it larger. n at least 2. No fewer than 7 values can
 * have a p below 0.001. */
double clnorm_trend_p(const double *values, size_t n);

#endif

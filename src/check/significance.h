/* SPDX-License-Identifier: MIT */
/* Is one set of measurements faster than another one, and how sure is that? All of it on
 * logarithms, so that a difference is a factor, and twice as fast is as far from equal as half as
 * fast. */
#ifndef CLNORM_CHECK_SIGNIFICANCE_H
#define CLNORM_CHECK_SIGNIFICANCE_H

#include "check/statistics.h"

#include <stdbool.h>

/* Welch's test: of two means whose spreads need not be equal. */
typedef struct clnorm_welch {
    double difference; /* of the means of the logarithms, b - a: exp(difference) is the factor */
    double error; /* its standard error */
    double degrees; /* of freedom, after Welch and Satterthwaite */
    double p; /* two-sided: how often a difference as large is seen where there is none */
} clnorm_welch;

/* a.n and b.n at least 2. Where neither has any spread, p is 0 or 1. */
clnorm_welch clnorm_welch_test(clnorm_log_spread a, clnorm_log_spread b);

/* The interval of the factor that has it with probability `level`, 0 < level < 1. */
void clnorm_welch_interval(const clnorm_welch *welch, double level, double interval[2]);

/* Whether a factor is farther than `margin` (0.05: 5 %) from 1, and whether an interval lies wholly
 * within, or wholly outside: below 1 / (1 + margin), or above 1 + margin. */
bool clnorm_is_effect(double factor, double margin);
bool clnorm_is_within(const double interval[2], double margin);
bool clnorm_is_outside(const double interval[2], double margin);

/* Benjamini and Hochberg: p[i] becomes the smallest share of false discoveries among all n at which
 * it would be called one. false: out of memory. */
bool clnorm_adjust_p(double *p, size_t n);

/* Rounds a side that find a factor of 1 + margin in 80 % of all cases with p < 0.01, where `sd` is
 * that of the logarithms of the rounds: 2 (z(0.005) + z(0.2))^2 (sd / log(1 + margin))^2. */
double clnorm_rounds_needed(double sd, double margin);

#endif

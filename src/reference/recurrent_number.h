/* SPDX-License-Identifier: MIT */
/* A number of a recurrent net and by how much a device may be off it: each step of a formula
 * carries both, to first order. docs/numerics.md has the reasons. */
#ifndef CLNORM_REFERENCE_RECURRENT_NUMBER_H
#define CLNORM_REFERENCE_RECURRENT_NUMBER_H

#include <math.h>
#include <stdbool.h>

typedef struct clnorm_number {
    long double value;
    double error;
} clnorm_number;

/* Roundoff of a float, and what flushing a subnormal one may cost. */
#define NUMBER_UNIT 0x1p-24
#define NUMBER_FLOOR 0x1p-124
/* Units that OpenCL allows: tanh 5 units of the last place; exp 3 and a division 2.5 of them, and
 * an addition in between. */
#define NUMBER_TANH_UNITS 10
#define NUMBER_SIGMOID_UNITS 12

static inline double number_size(clnorm_number a) { return fabs((double)a.value); }

static inline clnorm_number number_exact(long double value) { return (clnorm_number){value, 0}; }

/* Sums of three come in any order on a device: each rounding is of the size of the terms. */
static inline clnorm_number number_add(clnorm_number a, clnorm_number b)
{
    return (clnorm_number){a.value + b.value,
                           a.error + b.error + NUMBER_UNIT * (number_size(a) + number_size(b))};
}

static inline clnorm_number number_sub(clnorm_number a, clnorm_number b)
{
    b.value = -b.value;
    return number_add(a, b);
}

static inline clnorm_number number_mul(clnorm_number a, clnorm_number b)
{
    const clnorm_number product = {a.value * b.value, 0};
    const double first = number_size(a) * b.error + a.error * number_size(b);
    return (clnorm_number){product.value, first + a.error * b.error +
                                              NUMBER_UNIT * number_size(product) + NUMBER_FLOOR};
}

/* 0.05 and 0.4: at least half of the largest second derivatives. Neither formula overflows. */
static inline clnorm_number number_sigmoid(clnorm_number a)
{
    const long double shrunk = expl(-fabsl(a.value)), small = shrunk / (1 + shrunk);
    const long double value = a.value < 0 ? small : 1 / (1 + shrunk);
    const double slope = (double)(small / (1 + shrunk)), error = a.error;
    return (clnorm_number){value, fmin(slope * error + 0.05 * error * error, 1) +
                                      NUMBER_SIGMOID_UNITS * NUMBER_UNIT * (double)value +
                                      NUMBER_FLOOR};
}

static inline clnorm_number number_tanh(clnorm_number a)
{
    const long double value = tanhl(a.value);
    const double slope = (double)(1 - value * value), error = a.error;
    return (clnorm_number){value, fmin(slope * error + 0.4 * error * error, 2) +
                                      NUMBER_TANH_UNITS * NUMBER_UNIT * fabs((double)value) +
                                      NUMBER_FLOOR};
}

static inline clnorm_number number_relu(clnorm_number a)
{
    const bool passes = a.value > 0 || isnan(a.value);
    const double error = passes ? a.error : fmax(a.error + (double)a.value, 0);
    return (clnorm_number){passes ? a.value : 0, error};
}

/* Derivatives from the value of the function, as a device has it. */
static inline clnorm_number number_sigmoid_slope(clnorm_number s)
{
    return number_mul(s, number_sub(number_exact(1), s));
}

static inline clnorm_number number_tanh_slope(clnorm_number t)
{
    return number_sub(number_exact(1), number_mul(t, t));
}

/* Either of 0 and 1 where the argument may be on either side of 0. */
static inline clnorm_number number_relu_slope(clnorm_number a)
{
    const bool unsure = a.error > 0 && number_size(a) <= a.error;
    return (clnorm_number){a.value > 0 || isnan(a.value), unsure};
}

/* Units of roundoff in a sum of n terms, as parts of the sum of their sizes. A chain has n - 1
 * at worst; roundings of both signs rarely add up to more than a few times the root of that, so
 * that long sums are granted 8 of these (Higham and Mary, 2019, doi:10.1137/18M1226312). */
static inline double number_chain(double n) { return fmin(n, 8 * sqrt(n)) + 4; }

#endif

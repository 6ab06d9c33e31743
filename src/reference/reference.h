/* SPDX-License-Identifier: MIT */
/* The whole family in long double, a block of results at a time: docs/numerics.md.
 *
 * Each result comes with what the error of a device is made of, so that those who compare need to
 * know nothing about operators:
 *
 *   grown     the error is a multiple of this, and the multiple grows with the depth of sums
 *   rounded   the error is this many units of roundoff: roundings whose number is known
 *   lost      how often a subnormal number may have been flushed to 0, and with which weight
 */
#ifndef CLNORM_REFERENCE_REFERENCE_H
#define CLNORM_REFERENCE_REFERENCE_H

#include "base/kind.h"
#include "base/tensor.h"

/* Columns that are decoded at once, and the longest plain chain of additions. */
#define CLNORM_BLOCK 256

/* Elements that are normalized together, and what is known about them. */
typedef struct clnorm_set {
    uint64_t size; /* elements behind the statistics */
    uint64_t chain; /* dependent additions behind a sum over them */
    long double shift, sum, largest;
    /* mean = hi + lo: also long double can be too short for f64 sets */
    long double hi, lo, variance; /* without centring: the mean of squares */
    long double deviation; /* the root of the variance, or the norm */
    long double rstd;
    long double slope; /* of the denominator: see clnorm_set_finish */
    double spread; /* deviation * rstd, 0 without centring: error of the mean in x^ */
    double offset; /* root mean square * rstd: what an error of s itself counts in x^ */
    double loss; /* what a difference that is flushed to 0 counts in x^ */
    bool rescued; /* a device may have added it up again, in one work-item */
    /* backward: sums over the set */
    long double h, h_size, hx, hx_size, hd, hd_size;
} clnorm_set;

/* Consecutive columns of a row that belong to one set. */
typedef struct clnorm_run {
    uint64_t row, col;
    size_t n; /* at most CLNORM_BLOCK */
    uint64_t set; /* counted in its row, or in all rows */
    uint64_t param; /* the first element of weight and bias */
    unsigned param_step; /* 1: each column has its own, 0: all have this one */
} clnorm_run;

typedef struct clnorm_numbers {
    long double value[CLNORM_BLOCK];
    double grown[CLNORM_BLOCK], rounded[CLNORM_BLOCK], lost[CLNORM_BLOCK];
} clnorm_numbers;

/* Results n elements long, of one row of a tensor. The arrays live until emit returns. */
typedef struct clnorm_results {
    clnorm_tensor_id tensor;
    uint64_t row, col; /* see clnorm_result_index */
    size_t n;
    uint64_t chain; /* dependent additions in the reference itself */
    uint64_t terms; /* of a sum over rows; else 0 */
    bool rescued;
    const double *value, *grown, *rounded, *lost;
    const double *scale; /* of y and dx: see clnorm_verdict.max_ulp; NULL: 0 */
    const double *code; /* what value becomes: another one in a quantised y and qzero */
} clnorm_results;

typedef struct clnorm_evaluation {
    clnorm_desc desc; /* resolved */
    clnorm_kind_info kind;
    clnorm_direction direction;
    uint64_t rows, seed, first_row;
    /* Rows that a device had in all: these again and again, the last time perhaps not all of them.
     * 0: these once. Sums over all rows count each as often as it is there. */
    uint64_t all_rows;
    clnorm_tensor_use uses[TENSOR_COUNT];
    clnorm_output arrays[TENSOR_COUNT]; /* inputs to read; outputs are not written, but wanted */
    bool wide; /* the device's arithmetic is double */
    double unit; /* its roundoff */
    double floor; /* what flushing a subnormal number may cost */
    double eps, alpha, weight_offset, scale_offset, keep; /* numbers of that arithmetic */
    double slack; /* largest error of x^ in parts of `grown`: where a rounding may go either way */
    void (*emit)(void *user, const clnorm_results *results);
    void *user;
} clnorm_evaluation;

/* desc: a resolved one. emit and user are left for the caller. */
void clnorm_evaluation_init(clnorm_evaluation *e, const clnorm_desc *desc,
                            clnorm_direction direction, uint64_t rows,
                            const clnorm_host_args *args);
/* Gives every output that e->arrays has, block by block. CLNORM_OUT_OF_MEMORY: before the first. */
clnorm_status clnorm_evaluate(const clnorm_evaluation *e, clnorm_error *error);

/* Place of element (row, col) in a tensor. Tensors of one dimension that follow the rows have
 * several elements for each of them: (row, which), others are one row. */
uint64_t clnorm_result_index(const clnorm_tensor_use *use, uint64_t stride, uint64_t rows,
                             uint64_t row, uint64_t col);
/* Half the distance from 1 to the next number of the reference's arithmetic. */
double clnorm_reference_unit(void);

/* Arguments in order: struct sizes, required tensors, strides. Fills *resolved. */
clnorm_status clnorm_reference_check(const clnorm_desc *desc, clnorm_direction direction,
                                     uint64_t rows, const clnorm_host_args *args,
                                     clnorm_desc *resolved, clnorm_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* What a device made of a recurrent net, compared with the reference: docs/numerics.md. */
#ifndef CLNORM_CHECK_RECURRENT_H
#define CLNORM_CHECK_RECURRENT_H

#include "base/recurrent.h"

typedef struct clnorm_recurrent_verdict {
    uint64_t compared, wrong; /* elements; those off by more than their bound */
    double max_bound_share; /* largest error as a share of its bound */
    double max_ulp; /* of y, dx: |error| in units of the last place of a float; of y at the larger
                       of |y| and 1, of dx at the largest |dx| */
    /* the element of that; worst_tensor: NULL if nothing was compared. worst_step: of sequences,
     * else 0. worst_row: of the batch, or of a matrix */
    const char *worst_tensor;
    uint64_t worst_step, worst_row, worst_col;
    double worst_got, worst_expected, worst_bound;
} clnorm_recurrent_verdict;

/* inputs: those of the call; its outputs are not used. got: the device's outputs by
 * clnorm_recurrent_id, NULL for what is not compared. got[RECURRENT_y] is needed in both
 * directions: each step is judged from the h before it that the device itself had, so that an error
 * is found where it is made, and small ones may go on without growing into a bound that holds
 * anything. With that h_n must have the bits of the last y.
 *
 * CLNORM_BAD_ARGS, CLNORM_OUT_OF_MEMORY. */
clnorm_status clnorm_recurrent_verify(const clnorm_recurrent_desc *desc, clnorm_direction direction,
                                      uint64_t steps, uint64_t batch,
                                      const clnorm_recurrent_host_args *inputs,
                                      const float *const got[RECURRENT_COUNT],
                                      clnorm_recurrent_verdict *verdict, clnorm_error *error);

#endif

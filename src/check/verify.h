/* SPDX-License-Identifier: MIT */
/* clnorm_verify, and what those who measure want besides. */
#ifndef CLNORM_CHECK_VERIFY_H
#define CLNORM_CHECK_VERIFY_H

#include "clnorm/clnorm.h"

/* Elements of y or dx whose error is at most 0.5, 1, 2, 4, 8, 16, 32 ULP, or more: of these only,
 * those of the one before left out. */
enum { CLNORM_ULP_BINS = 8 };

typedef struct clnorm_verify_more {
    /* That the device had: those of args again and again, the last time perhaps not all of them;
     * sums over all rows are of so many. 0: those of args. Not with dropout, nor where a set takes
     * elements of all rows. */
    uint64_t all_rows;
    uint64_t *ulp_counts; /* of CLNORM_ULP_BINS, added to; NULL: not counted */
} clnorm_verify_more;

/* clnorm_verify with first_row 0. */
clnorm_status clnorm_verify_more_of(const clnorm_desc *desc, clnorm_direction direction,
                                    unsigned depth, uint64_t rows, const clnorm_host_args *args,
                                    const clnorm_verify_more *more, clnorm_verdict *verdict,
                                    clnorm_error *error);

#endif

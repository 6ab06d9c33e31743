/* SPDX-License-Identifier: MIT */
/* A matrix product of random numbers on a device: compared with the host, then timed. */
#ifndef CLNORM_CHECK_GEMM_TIME_H
#define CLNORM_CHECK_GEMM_TIME_H

#include "base/gemm_tuning.h"

/* c [m, n] = a [m, k] b [k, n]; transposed: what is stored is the transpose. */
typedef struct clnorm_gemm_case {
    uint64_t m, n, k;
    bool a_transposed, b_transposed;
} clnorm_gemm_case;

typedef struct clnorm_gemm_timing {
    double share; /* largest error in parts of its bound; above 1 is wrong, and not timed */
    double seconds; /* of a product in the fastest of several series, launch included */
} clnorm_gemm_timing;

/* With these parameters, from now on for all of the process. */
clnorm_status clnorm_gemm_use(clnorm_context *context, const clnorm_gemm_tuning *tuning,
                              clnorm_error *error);
clnorm_status clnorm_gemm_time(clnorm_context *context, const clnorm_gemm_case *c,
                               clnorm_gemm_timing *timing, clnorm_error *error);

#endif

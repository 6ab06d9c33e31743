/* SPDX-License-Identifier: MIT */
/* How a device multiplies matrices best: parameters of CLBlast's kernels, and which of them does
 * which product. As text: gemm="MWG=32 NWG=32 ..." gemm_direct="WGD=8 ..." min_indirect=64
 * gemv_rows=4. */
#ifndef CLNORM_BASE_GEMM_TUNING_H
#define CLNORM_BASE_GEMM_TUNING_H

#include "base/tuning.h"

enum { CLNORM_GEMM_TEXT = 192, CLNORM_GEMM_TUNING_TEXT = 512, CLNORM_MOST_GEMM_PARAMETERS = 24 };

/* "" and 0 are left to CLBlast. */
typedef struct clnorm_gemm_tuning {
    char indirect[CLNORM_GEMM_TEXT]; /* of Xgemm, which works on copies: NAME=VALUE NAME=VALUE */
    char direct[CLNORM_GEMM_TEXT]; /* of XgemmDirect */
    unsigned min_indirect; /* Xgemm does what has at least this to the power of 3 products */
    unsigned gemv_rows; /* products of up to so many rows are as many GEMVs */
} clnorm_gemm_tuning;

typedef struct clnorm_gemm_parameters {
    char text[CLNORM_GEMM_TEXT]; /* holds the names */
    const char *names[CLNORM_MOST_GEMM_PARAMETERS];
    size_t values[CLNORM_MOST_GEMM_PARAMETERS], count;
} clnorm_gemm_parameters;

/* False if the text is not NAME=VALUE NAME=VALUE. */
bool clnorm_gemm_parameters_parse(const char *text, clnorm_gemm_parameters *parameters);

/* As clnorm_tuning_field. */
bool clnorm_gemm_tuning_field(const clnorm_field *field, clnorm_gemm_tuning *tuning,
                              clnorm_status *status, clnorm_error *error);
void clnorm_gemm_tuning_text(const clnorm_gemm_tuning *tuning, char text[CLNORM_GEMM_TUNING_TEXT]);

#endif

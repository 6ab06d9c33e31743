/* SPDX-License-Identifier: MIT */
/* How a device multiplies matrices best: parameters of CLBlast's kernels, and which of them does
 * which product. As text: gemm="MWG=32 NWG=32 ..." gemm_direct="WGD=8 ..." gemv="VW2=4 ..."
 * gemv_t="VW3=1 ..." min_indirect=64 gemv_rows=4 gemv_rows_t=4. */
#ifndef CLNORM_BASE_GEMM_TUNING_H
#define CLNORM_BASE_GEMM_TUNING_H

#include "base/tuning.h"

enum { CLNORM_GEMM_TEXT = 192, CLNORM_GEMM_TUNING_TEXT = 1024, CLNORM_MOST_GEMM_PARAMETERS = 24 };

/* CLBlast's kernels whose parameters are known here. */
typedef enum clnorm_gemm_kernel {
    CLNORM_GEMM_INDIRECT, /* works on copies, with the tiles' padding and order */
    CLNORM_GEMM_DIRECT,
    CLNORM_GEMV_COLUMNS, /* sums of columns: b is not transposed */
    CLNORM_GEMV_ROWS, /* dot products with rows: b is transposed */
    CLNORM_GEMM_KERNELS
} clnorm_gemm_kernel;

/* CLBlast's name of it. */
const char *clnorm_gemm_kernel_name(clnorm_gemm_kernel kernel);

/* "" and 0 are left to CLBlast. */
typedef struct clnorm_gemm_tuning {
    char kernels[CLNORM_GEMM_KERNELS][CLNORM_GEMM_TEXT];
    unsigned min_indirect; /* what has at least this to the power of 3 products is for INDIRECT */
    unsigned gemv_rows[2]; /* products of up to so many rows are as many GEMVs; [1]: b transposed */
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

/* SPDX-License-Identifier: MIT */
/* Parameters that CLBlast's kernels can be built with. */
#ifndef CLNORM_CLI_TUNE_SPACE_H
#define CLNORM_CLI_TUNE_SPACE_H

#include "base/gemm_tuning.h"
#include "base/random.h"

enum { SPACE_MOST = 16 };

struct space_point {
    unsigned values[SPACE_MOST];
};

/* Whether CLBlast's kernel can be built so. */
bool space_allows(clnorm_gemm_kernel kernel, const struct space_point *point);
/* Points that are good somewhere, to begin with. */
size_t space_seeds(clnorm_gemm_kernel kernel);
struct space_point space_seed(clnorm_gemm_kernel kernel, size_t i);
struct space_point space_random(clnorm_gemm_kernel kernel, clnorm_random *random);
/* Another point that differs in one to three parameters. */
struct space_point space_neighbour(clnorm_gemm_kernel kernel, const struct space_point *point,
                                   clnorm_random *random);
void space_text(clnorm_gemm_kernel kernel, const struct space_point *point,
                char text[CLNORM_GEMM_TEXT]);

#endif

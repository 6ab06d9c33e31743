/* SPDX-License-Identifier: MIT */
/* CLBlast's calls, with our errors: clblast.c is the only file that knows it. */
#ifndef CLNORM_OPS_GEMM_CLBLAST_H
#define CLNORM_OPS_GEMM_CLBLAST_H

#include "base/gemm_tuning.h"
#include "ops/gemm/product.h"

/* CLNORM_OK, or CLNORM_UNSUPPORTED in a library that was built without CLBlast. */
clnorm_status clnorm_clblast_check(clnorm_error *error);

/* The first product of the batch, by CLBlast's GEMM. */
clnorm_status clnorm_clblast_gemm(cl_command_queue queue, const clnorm_product *product,
                                  clnorm_error *error);
/* Row `row` of c of the first product, by a GEMV. c must be numbers before. */
clnorm_status clnorm_clblast_gemv(cl_command_queue queue, const clnorm_product *product,
                                  uint64_t row, clnorm_error *error);

/* Parameters of a kernel such as "Xgemm" for f32, from the next call on; of all the process. */
clnorm_status clnorm_clblast_override(cl_device_id device, const char *kernel,
                                      const clnorm_gemm_parameters *parameters,
                                      clnorm_error *error);

/* Empties CLBlast's cache of programs, which all of the process shares. */
clnorm_status clnorm_clblast_clear_cache(clnorm_error *error);

#endif

/* SPDX-License-Identifier: MIT */
#include "ops/gemm/clblast.h"
#include "ops/tuning.h"

#include <stdio.h>
#include <string.h>

/* ---- what the table knows ------------------------------------------------------------------ */

static clnorm_status hand_over(const clnorm_context *context, const char *kernel, const char *text,
                               clnorm_error *error)
{
    clnorm_gemm_parameters parameters;
    if (!clnorm_gemm_parameters_parse(text, &parameters) || parameters.count == 0)
        return CLNORM_OK;
    return clnorm_clblast_override(context->device.device_id, kernel, &parameters, error);
}

clnorm_status clnorm_multiply_with(clnorm_context *context, const clnorm_gemm_tuning *tuning,
                                   clnorm_error *error)
{
    char least[40] = "";
    clnorm_status status = CLNORM_OK;
    context->gemm_ready = true;
    memset(context->gemv_rows, 0, sizeof(context->gemv_rows));
    if (tuning->min_indirect)
        snprintf(least, sizeof(least), "XGEMM_MIN_INDIRECT_SIZE=%u", tuning->min_indirect);
    for (int i = 0; i < CLNORM_GEMM_KERNELS; i++)
        TRY(hand_over(context, clnorm_gemm_kernel_name((clnorm_gemm_kernel)i), tuning->kernels[i],
                      error));
    TRY(hand_over(context, "GemmRoutine", least, error));
    memcpy(context->gemv_rows, tuning->gemv_rows, sizeof(tuning->gemv_rows));
fail:
    return status;
}

/* Of another version of CLBlast, parameters may not fit: then its own do. */
static void use_table(clnorm_context *context)
{
    const clnorm_tuning_key key = clnorm_tuning_device_key(&context->device);
    const clnorm_tuning_record *record =
        clnorm_tuning_table_find(&context->tuning, &key, CLNORM_TUNES_GEMM);
    const clnorm_gemm_tuning none = {.min_indirect = 0};
    clnorm_error error;
    if (record)
        clnorm_tuning_tell_driver(context, record, &key);
    if (clnorm_multiply_with(context, record ? &record->gemm : &none, &error) != CLNORM_OK)
        clnorm_log(
            context, CLNORM_LOG_WARNING,
            "parameters for matrix products are left out, some or all: %s; clnorm tune --gemm "
            "measures again",
            error.text);
}

static unsigned gemv_rows_of(clnorm_context *context, bool transposed)
{
    lock_take(&context->lock);
    if (!context->gemm_ready)
        use_table(context);
    const unsigned rows = context->gemv_rows[transposed];
    lock_give(&context->lock);
    return rows;
}

/* ---- products ------------------------------------------------------------------------------ */

/* CLBlast's GEMV multiplies y by beta even where that is 0, and y may be no numbers. */
static clnorm_status clear_rows(cl_command_queue queue, const clnorm_product *p,
                                clnorm_error *error)
{
    const uint64_t ldc = clnorm_product_ldc(p), pieces = ldc == p->n ? 1 : p->m;
    const float zero = 0;
    clnorm_status status = CLNORM_OK;
    for (uint64_t i = 0; i < pieces; i++)
        TRY_CL(clEnqueueFillBuffer(queue, p->c.buffer, &zero, sizeof(zero),
                                   (size_t)(p->c.offset + i * ldc) * 4,
                                   (size_t)(p->m / pieces * p->n) * 4, 0, NULL, NULL));
    TRY_CL(clEnqueueBarrierWithWaitList(queue, 0, NULL, NULL));
fail:
    return status;
}

static clnorm_status multiply_rows(cl_command_queue queue, const clnorm_product *p,
                                   clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    if (p->beta == 0)
        TRY(clear_rows(queue, p, error));
    for (uint64_t row = 0; row < p->m; row++)
        TRY(clnorm_clblast_gemv(queue, p, row, error));
fail:
    return status;
}

/* CLBlast's kernels count elements of a buffer in int. */
static clnorm_status check_extent(const char *name, uint64_t offset, uint64_t rows, uint64_t stride,
                                  uint64_t ahead, clnorm_error *error)
{
    const uint64_t most = INT32_MAX;
    if (offset <= most && ahead <= most && rows <= most && stride <= most / rows &&
        offset + ahead + rows * stride <= most)
        return CLNORM_OK;
    return clnorm_fail(error, CLNORM_UNSUPPORTED,
                       "a matrix product reaches beyond element 2147483647 of the buffer of %s: "
                       "%llu rows, %llu apart, from element %llu; CLBlast counts in 32 bits, so "
                       "allowed is less, or a sub-buffer",
                       name, (unsigned long long)rows, (unsigned long long)stride,
                       (unsigned long long)offset);
}

static clnorm_status check_extents(const clnorm_product *p, clnorm_error *error)
{
    const uint64_t others = p->batch > 1 ? p->batch - 1 : 0;
    clnorm_status status;
    TRY(check_extent("a", p->a.at.offset, p->a.transposed ? p->k : p->m, clnorm_product_lda(p),
                     others * p->a_step, error));
    TRY(check_extent("b", p->b.at.offset, p->b.transposed ? p->n : p->k, clnorm_product_ldb(p),
                     others * p->b_step, error));
    TRY(check_extent("c", p->c.offset, p->m, clnorm_product_ldc(p), others * p->c_step, error));
fail:
    return status;
}

/* Products of a batch one by one: CLBlast 1.5.3 gets batched ones wrong where tiles fit and
 * matrices do not begin where their buffers do. */
clnorm_status clnorm_multiply(clnorm_context *context, cl_command_queue queue,
                              const clnorm_product *product, clnorm_error *error)
{
    const bool by_rows = product->m <= gemv_rows_of(context, product->b.transposed);
    const uint64_t batch = product->batch ? product->batch : 1;
    clnorm_product p = *product;
    clnorm_status status;
    TRY(check_extents(product, error));
    for (uint64_t i = 0; i < batch; i++) {
        TRY(by_rows ? multiply_rows(queue, &p, error) : clnorm_clblast_gemm(queue, &p, error));
        p.a.at.offset += p.a_step, p.b.at.offset += p.b_step, p.c.offset += p.c_step;
    }
fail:
    return status;
}

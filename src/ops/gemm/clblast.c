/* SPDX-License-Identifier: MIT */
#include "ops/gemm/clblast.h"

#if CLNORM_CLBLAST
#include <clblast_c.h>

/* Codes of CLBlast's own; the others are OpenCL's. */
static const struct {
    CLBlastStatusCode code;
    const char *name;
    clnorm_status status;
} codes[] = {
    {CLBlastNotImplemented, "NotImplemented", CLNORM_UNSUPPORTED},
    {CLBlastInvalidMatrixA, "InvalidMatrixA", CLNORM_OPENCL},
    {CLBlastInvalidMatrixB, "InvalidMatrixB", CLNORM_OPENCL},
    {CLBlastInvalidMatrixC, "InvalidMatrixC", CLNORM_OPENCL},
    {CLBlastInvalidDimension, "InvalidDimension", CLNORM_OPENCL},
    {CLBlastInvalidLeadDimA, "InvalidLeadDimA", CLNORM_OPENCL},
    {CLBlastInvalidLeadDimB, "InvalidLeadDimB", CLNORM_OPENCL},
    {CLBlastInvalidLeadDimC, "InvalidLeadDimC", CLNORM_OPENCL},
    {CLBlastInsufficientMemoryA, "InsufficientMemoryA", CLNORM_OPENCL},
    {CLBlastInsufficientMemoryB, "InsufficientMemoryB", CLNORM_OPENCL},
    {CLBlastInsufficientMemoryC, "InsufficientMemoryC", CLNORM_OPENCL},
    {CLBlastInsufficientMemoryTemp, "InsufficientMemoryTemp", CLNORM_OUT_OF_MEMORY},
    {CLBlastInvalidVectorX, "InvalidVectorX", CLNORM_OPENCL},
    {CLBlastInvalidVectorY, "InvalidVectorY", CLNORM_OPENCL},
    {CLBlastInvalidOverrideKernel, "InvalidOverrideKernel", CLNORM_UNSUPPORTED},
    {CLBlastMissingOverrideParameter, "MissingOverrideParameter", CLNORM_UNSUPPORTED},
    {CLBlastInvalidLocalMemUsage, "InvalidLocalMemUsage", CLNORM_UNSUPPORTED},
    {CLBlastDatabaseError, "DatabaseError", CLNORM_UNSUPPORTED},
    {CLBlastUnknownError, "UnknownError", CLNORM_OPENCL},
    {CLBlastUnexpectedError, "UnexpectedError", CLNORM_OPENCL},
};

static clnorm_status check(CLBlastStatusCode code, const char *call, clnorm_error *error)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].code == code)
            return clnorm_fail(error, codes[i].status, "%s failed: CLBlast%s (%d)", call,
                               codes[i].name, (int)code);
    return clnorm_cl_check((cl_int)code, call, error);
}

clnorm_status clnorm_clblast_check(clnorm_error *error)
{
    (void)error;
    return CLNORM_OK;
}

static CLBlastTranspose transpose_of(bool transposed)
{
    return transposed ? CLBlastTransposeYes : CLBlastTransposeNo;
}

static clnorm_status check_product(CLBlastStatusCode code, const char *call,
                                   const clnorm_product *p, clnorm_error *error)
{
    const clnorm_status status = check(code, call, error);
    if (status != CLNORM_OK)
        clnorm_fail_more(error, " for a product of [%llu, %llu] and [%llu, %llu]",
                         (unsigned long long)p->m, (unsigned long long)p->k,
                         (unsigned long long)p->k, (unsigned long long)p->n);
    return status;
}

/* As c^T = b^T a^T in columns, so that its A is our b: so CLBlast's kernel writes c itself where
 * tiles fit, while of rows it would make a copy and transpose that. */
clnorm_status clnorm_clblast_gemm(cl_command_queue queue, const clnorm_product *p,
                                  clnorm_error *error)
{
    const CLBlastTranspose ta = transpose_of(p->a.transposed), tb = transpose_of(p->b.transposed);
    const uint64_t lda = clnorm_product_lda(p), ldb = clnorm_product_ldb(p);
    const uint64_t ldc = clnorm_product_ldc(p);
    return check_product(CLBlastSgemm(CLBlastLayoutColMajor, tb, ta, p->n, p->m, p->k, p->alpha,
                                      p->b.at.buffer, p->b.at.offset, ldb, p->a.at.buffer,
                                      p->a.at.offset, lda, p->beta, p->c.buffer, p->c.offset, ldc,
                                      &queue, NULL),
                         "CLBlastSgemm", p, error);
}

/* The matrix is b^T, [n, k], either way: what is stored is that in rows, or in columns. Asked for
 * as a transpose, CLBlast would choose its kernel by the wrong one of the two sizes. */
clnorm_status clnorm_clblast_gemv(cl_command_queue queue, const clnorm_product *p, uint64_t row,
                                  clnorm_error *error)
{
    const uint64_t lda = clnorm_product_lda(p), ldb = clnorm_product_ldb(p);
    const bool down = p->a.transposed; /* a row of a is a column of what is stored */
    return check_product(
        CLBlastSgemv(p->b.transposed ? CLBlastLayoutRowMajor : CLBlastLayoutColMajor,
                     CLBlastTransposeNo, p->n, p->k, p->alpha, p->b.at.buffer, p->b.at.offset, ldb,
                     p->a.at.buffer, p->a.at.offset + row * (down ? 1 : lda), down ? lda : 1,
                     p->beta, p->c.buffer, p->c.offset + row * clnorm_product_ldc(p), 1, &queue,
                     NULL),
        "CLBlastSgemv", p, error);
}

clnorm_status clnorm_clblast_override(cl_device_id device, const char *kernel,
                                      const clnorm_gemm_parameters *parameters, clnorm_error *error)
{
    const char *names[CLNORM_MOST_GEMM_PARAMETERS]; /* the call wants them not const */
    for (size_t i = 0; i < parameters->count; i++)
        names[i] = parameters->names[i];
    return check(CLBlastOverrideParameters(device, kernel, CLBlastPrecisionSingle,
                                           parameters->count, names, parameters->values),
                 "CLBlastOverrideParameters", error);
}

clnorm_status clnorm_clblast_clear_cache(clnorm_error *error)
{
    return check(CLBlastClearCache(), "CLBlastClearCache", error);
}

#else

clnorm_status clnorm_clblast_check(clnorm_error *error)
{
    return clnorm_fail(error, CLNORM_UNSUPPORTED,
                       "matrix products, and recurrent nets with them, need CLBlast, and this "
                       "library was built without it (meson's option clblast)");
}

clnorm_status clnorm_clblast_gemm(cl_command_queue queue, const clnorm_product *p,
                                  clnorm_error *error)
{
    (void)queue, (void)p;
    return clnorm_clblast_check(error);
}

clnorm_status clnorm_clblast_gemv(cl_command_queue queue, const clnorm_product *p, uint64_t row,
                                  clnorm_error *error)
{
    (void)queue, (void)p, (void)row;
    return clnorm_clblast_check(error);
}

clnorm_status clnorm_clblast_override(cl_device_id device, const char *kernel,
                                      const clnorm_gemm_parameters *parameters, clnorm_error *error)
{
    (void)device, (void)kernel, (void)parameters;
    return clnorm_clblast_check(error);
}

clnorm_status clnorm_clblast_clear_cache(clnorm_error *error)
{
    return clnorm_clblast_check(error);
}

#endif

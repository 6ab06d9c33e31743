/* SPDX-License-Identifier: MIT */
#include "ops/recurrent/gemm.h"

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

clnorm_status clnorm_gemm_check(clnorm_error *error)
{
    (void)error;
    return CLNORM_OK;
}

static CLBlastTranspose transpose_of(const clnorm_factor *f)
{
    return f->transposed ? CLBlastTransposeYes : CLBlastTransposeNo;
}

clnorm_status clnorm_gemm(cl_command_queue queue, const clnorm_product *p, clnorm_error *error)
{
    const clnorm_factor *a = &p->a, *b = &p->b;
    const CLBlastStatusCode code = CLBlastSgemm(
        CLBlastLayoutRowMajor, transpose_of(a), transpose_of(b), p->m, p->n, p->k, 1, a->at.buffer,
        a->at.offset, a->transposed ? p->m : p->k, b->at.buffer, b->at.offset,
        b->transposed ? p->k : p->n, p->beta, p->c.buffer, p->c.offset, p->n, &queue, NULL);
    const clnorm_status status = check(code, "CLBlastSgemm", error);
    if (status != CLNORM_OK)
        clnorm_fail_more(error, " for a product of [%llu, %llu] and [%llu, %llu]",
                         (unsigned long long)p->m, (unsigned long long)p->k,
                         (unsigned long long)p->k, (unsigned long long)p->n);
    return status;
}

clnorm_status clnorm_gemm_clear_cache(clnorm_error *error)
{
    return check(CLBlastClearCache(), "CLBlastClearCache", error);
}

#else

clnorm_status clnorm_gemm_check(clnorm_error *error)
{
    return clnorm_fail(error, CLNORM_UNSUPPORTED,
                       "recurrent nets need CLBlast, and this library was built without it "
                       "(meson's option clblast)");
}

clnorm_status clnorm_gemm(cl_command_queue queue, const clnorm_product *p, clnorm_error *error)
{
    (void)queue, (void)p;
    return clnorm_gemm_check(error);
}

clnorm_status clnorm_gemm_clear_cache(clnorm_error *error) { return clnorm_gemm_check(error); }

#endif

/* SPDX-License-Identifier: MIT */
/* Matrix products of f32 by CLBlast, with the parameters that `clnorm tune --gemm` found for the
 * device. Part of clnorm.h, which is to be included instead. */
#ifndef CLNORM_GEMM_H
#define CLNORM_GEMM_H

#ifndef CLNORM_NO_OPENCL

/* c = alpha a b + beta c for each of `batch` products: a is [m, k], b [k, n], c [m, n], row-major.
 * c must not share memory with a or b, nor the products' c with one another; a and b may. Where
 * batch is above 1, all from the first matrix of c to the last one counts, gaps too. */
typedef struct clnorm_gemm_args {
    size_t struct_size;
    uint64_t m, n, k; /* 1 to 2^31 - 1 */
    int a_transposed, b_transposed; /* 1: what is stored is the transpose, [k, m] or [n, k] */
    float alpha, beta; /* beta 0: c need not be numbers before */
    clnorm_tensor a, b, c; /* of the first product; stride: from a stored row to the next */
    uint64_t batch; /* 1 to 2^20 */
    uint64_t a_step, b_step, c_step; /* elements from a product's matrix to that of the next; of a
                                        and b also 0. Not used where batch is 1 */
} clnorm_gemm_args;

/* One product, alpha 1, beta 0. */
#define CLNORM_GEMM_ARGS_INIT                                                                      \
    {                                                                                              \
        sizeof(clnorm_gemm_args), 0, 0, 0, 0, 0, 1, 0, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, 1, 0, 0, 0 \
    }

/* Enqueue and return: queue, wait list, event and errors as of clnorm_forward. The first products
 * of a shape compile CLBlast's kernels, which takes seconds; CLBlast keeps them, and with them the
 * cl_context, until clnorm_recurrent_clear_cache. The same call on the same device gives the same
 * bits, for as long as CLBlast has the same parameters for it. CLNORM_UNSUPPORTED in a library that
 * was built without CLBlast.
 *
 * Where the context has a table of clnorm_context_set_tuning that knows the device's products, the
 * first call hands its parameters to CLBlast, which has them for the device and the process: the
 * application's own calls to CLBlast use them, too, and another table or none does not take them
 * back.
 *
 * CLBlast counts the elements of a buffer in int: CLNORM_UNSUPPORTED beyond 2^31 - 1 of them. Its
 * fastest kernels want matrices that begin where their cl_mem does: a sub-buffer serves for both.
 */
CLNORM_API clnorm_status clnorm_gemm(clnorm_context *context, cl_command_queue queue,
                                     const clnorm_gemm_args *args, cl_uint n_wait,
                                     const cl_event *wait_list, cl_event *event,
                                     clnorm_error *error);

#endif

#endif

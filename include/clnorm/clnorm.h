/* SPDX-License-Identifier: MIT */
/* clnorm: normalization layers on any OpenCL device.
 *
 * Threads. Every function may be called from several threads at once, on the same context and the
 * same op too; only a handle that is being destroyed must not be in use. A context does not work
 * in a forked child: functions return CLNORM_FORKED there.
 *
 * Errors. Functions return a status and, when `error` is not NULL, say in error->text what was
 * asked, what is allowed and which OpenCL call failed. `error` is written on failure only.
 *
 * Structs that may grow begin with struct_size and are made by their _INIT macro, which sets it and
 * the defaults. Another struct_size is an error, never a misread.
 *
 * NULL is allowed only where it is said; getters of a handle need one.
 *
 * The library never prints or exits, and keeps nothing outside of its handles but a lock around the
 * drivers' compilers. Define
 * CLNORM_NO_OPENCL to use the host reference without OpenCL headers. */
#ifndef CLNORM_H
#define CLNORM_H

#include <stddef.h>
#include <stdint.h>

#ifndef CLNORM_NO_OPENCL
#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#ifdef __APPLE__
#include <OpenCL/opencl.h>
#else
#include <CL/cl.h>
#endif
#endif

#define CLNORM_VERSION_MAJOR 0
#define CLNORM_VERSION_MINOR 1
#define CLNORM_VERSION_PATCH 0
/* For #if: two decimal digits each of minor and patch. */
#define CLNORM_VERSION                                                                             \
    (CLNORM_VERSION_MAJOR * 10000 + CLNORM_VERSION_MINOR * 100 + CLNORM_VERSION_PATCH)

#if defined(_WIN32) && defined(CLNORM_SHARED)
#ifdef CLNORM_BUILDING
#define CLNORM_API __declspec(dllexport)
#else
#define CLNORM_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define CLNORM_API __attribute__((visibility("default")))
#else
#define CLNORM_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- status -------------------------------------------------------------------------------- */

typedef enum clnorm_status {
    CLNORM_OK = 0,
    CLNORM_BAD_DESC, /* a descriptor that makes no sense */
    CLNORM_BAD_ARGS, /* an argument of a call that does not fit the descriptor or the device */
    CLNORM_NO_DEVICE, /* no OpenCL device, or none that the selector matches */
    CLNORM_UNSUPPORTED, /* the device lacks what the descriptor needs */
    CLNORM_OUT_OF_MEMORY, /* on the host or the device */
    CLNORM_BUILD_FAILED, /* a kernel did not compile: the text has the log with file and line */
    CLNORM_OPENCL, /* another OpenCL failure: see error->opencl_code */
    CLNORM_FORKED, /* the context was made in another process */
    CLNORM_CANCELLED /* the progress callback asked to stop */
} clnorm_status;

typedef struct clnorm_error {
    clnorm_status status;
    int opencl_code; /* such as -5 for CL_OUT_OF_RESOURCES; 0 if OpenCL was not the cause */
    char text[2048]; /* one sentence, or a sentence and a build log; no final newline */
} clnorm_error;

/* "CLNORM_BAD_DESC" and so on; never NULL. */
CLNORM_API const char *clnorm_status_name(clnorm_status status);

/* "0.1.0": the version of the library that runs, which may be newer than this header. */
CLNORM_API const char *clnorm_version(void);

/* ---- what is normalized -------------------------------------------------------------------- */

typedef enum clnorm_dtype {
    CLNORM_F32 = 0,
    CLNORM_F16, /* IEEE 754 binary16; devices need no cl_khr_fp16 */
    CLNORM_BF16, /* the upper 16 bits of a float */
    CLNORM_F64 /* devices need cl_khr_fp64 */
} clnorm_dtype;

/* Bytes of an element, 0 if `dtype` is none. */
CLNORM_API size_t clnorm_dtype_bytes(clnorm_dtype dtype);
/* "f32" "f16" "bf16" "f64", or "?". */
CLNORM_API const char *clnorm_dtype_name(clnorm_dtype dtype);

typedef enum clnorm_kind {
    /* y = (x - mean) * rstd * weight + bias, rstd = 1 / sqrt(variance + eps), with the mean and
     * the (biased) variance of each row: Ba, Kiros, Hinton, arXiv:1607.06450, eq. 3 and 4. */
    CLNORM_LAYER_NORM = 0,
    /* y = x * rstd * weight + bias, rstd = 1 / sqrt(mean of squares + eps): Zhang, Sennrich,
     * arXiv:1910.07467, eq. 4. */
    CLNORM_RMS_NORM
} clnorm_kind;

/* How a device walks a row. The choice depends on the device and on cols, never on rows. */
typedef enum clnorm_form {
    CLNORM_FORM_AUTO = 0,
    CLNORM_FORM_SEQUENTIAL, /* a work-item owns whole rows: CPUs, FPGAs */
    CLNORM_FORM_COOPERATIVE /* a work-group shares a row: GPUs */
} clnorm_form;

/* A tensor x of [rows, cols] is normalized row by row; rows is given with each call.
 *
 * Sums are done in float, or in double for f64 tensors, with the mean carried as two numbers, so
 * that y is right to a few units of the last place whatever the mean of a row. The bits of a row
 * depend on that row, the descriptor and the device alone: not on rows, nor on the run.
 * A row that holds NaN or an infinity gives NaN in all of its y, mean and rstd (the mean of RMSNorm
 * stays 0), and nowhere else.
 * A constant row gives y = bias; with eps = 0 it gives y = NaN and rstd = infinity. */
typedef struct clnorm_desc {
    size_t struct_size;
    clnorm_kind kind;
    uint64_t cols; /* 1 .. CLNORM_MAX_COLS */
    /* f32, f16 and bf16 mix freely; f64 goes with f64 only. */
    clnorm_dtype x_dtype, y_dtype;
    clnorm_dtype param_dtype; /* of weight and bias */
    /* Inside the square root. 0, or a normal number of the arithmetic: float, or double for f64. */
    double eps;
    clnorm_form form;
} clnorm_desc;

#define CLNORM_MAX_COLS ((uint64_t)1 << 31)

/* LayerNorm of f32 with eps 1e-5; cols must be set. */
#define CLNORM_DESC_INIT                                                                           \
    {                                                                                              \
        sizeof(clnorm_desc), CLNORM_LAYER_NORM, 0, CLNORM_F32, CLNORM_F32, CLNORM_F32, 1e-5,       \
            CLNORM_FORM_AUTO                                                                       \
    }

/* CLNORM_BAD_DESC with a text that names the field, its value and what is allowed. */
CLNORM_API clnorm_status clnorm_desc_check(const clnorm_desc *desc, clnorm_error *error);

/* Type of mean and rstd: CLNORM_F64 for f64 tensors, else CLNORM_F32. */
CLNORM_API clnorm_dtype clnorm_stats_dtype(const clnorm_desc *desc);

/* ---- host reference ------------------------------------------------------------------------ */

/* The descriptor's operator on the host, in the widest floating type that the compiler has.
 *
 * y        rows x cols, without gaps; not rounded to y_dtype
 * mean     rows, or NULL;  0 for CLNORM_RMS_NORM
 * rstd     rows, or NULL
 * x        rows x cols of x_dtype, row r begins at element r * x_stride; x_stride 0 means cols
 * weight, bias   cols of param_dtype, or NULL: 1 and 0
 *
 * CLNORM_BAD_DESC, CLNORM_BAD_ARGS: nothing was written. */
CLNORM_API clnorm_status clnorm_reference_forward(const clnorm_desc *desc, double *y, double *mean,
                                                  double *rstd, const void *x, const void *weight,
                                                  const void *bias, uint64_t rows,
                                                  uint64_t x_stride, clnorm_error *error);

/* Tensors in host memory, aligned as their elements are. Outputs must not overlap inputs or one
 * another, except that y may be x (the same pointer, stride and dtype). */
typedef struct clnorm_host_args {
    size_t struct_size;
    void *y; /* rows x cols of y_dtype */
    void *mean, *rstd; /* rows of clnorm_stats_dtype, or NULL: not wanted */
    const void *x; /* rows x cols of x_dtype */
    const void *weight; /* cols of param_dtype, or NULL: 1 */
    const void *bias; /* cols of param_dtype, or NULL: 0 */
    uint64_t y_stride; /* elements from a row to the next; 0 means cols */
    uint64_t x_stride;
} clnorm_host_args;

#define CLNORM_HOST_ARGS_INIT                                                                      \
    {                                                                                              \
        sizeof(clnorm_host_args), NULL, NULL, NULL, NULL, NULL, NULL, 0, 0                         \
    }

/* What a comparison with the reference found. Bounds are derived, not chosen: docs/numerics.md. */
typedef struct clnorm_verdict {
    size_t struct_size;
    uint64_t compared, wrong; /* elements of y, mean and rstd; those outside of their bound */
    double max_error; /* of y: |y - reference| */
    double max_scaled_error; /* of y: |y - reference| / (1 + |reference|) */
    double max_bound_share; /* largest |error| / bound over y, mean, rstd; above 1 is wrong */
    double max_ulp; /* of y: |error| in units of y_dtype's last place at
                       max(|reference|, |weight|) */
    /* the element with the largest share of its bound */
    const char *worst_tensor; /* "y", "mean" or "rstd" */
    uint64_t worst_row, worst_col;
    double worst_got, worst_expected, worst_bound;
} clnorm_verdict;

#define CLNORM_VERDICT_INIT                                                                        \
    {                                                                                              \
        sizeof(clnorm_verdict), 0, 0, 0, 0, 0, 0, "", 0, 0, 0, 0, 0                                \
    }

/* Compare results that stand in args->y (and mean, rstd where not NULL) with the reference, and
 * add what is found to *verdict, which may hold earlier calls' findings; first_row is added to
 * worst_row. `depth` is the longest chain of additions behind a sum: clnorm_op_depth. y must not be
 * x: the input of an op that ran in place is gone.
 * CLNORM_OK also when elements are wrong: look at verdict->wrong. */
CLNORM_API clnorm_status clnorm_verify_forward(const clnorm_desc *desc, unsigned depth,
                                               const clnorm_host_args *args, uint64_t rows,
                                               uint64_t first_row, clnorm_verdict *verdict,
                                               clnorm_error *error);

#ifndef CLNORM_NO_OPENCL
/* ---- devices ------------------------------------------------------------------------------- */

typedef struct clnorm_device {
    size_t struct_size;
    unsigned index; /* in this list: N of a selector */
    unsigned platform, ordinal; /* P:D of a selector: order of the OpenCL loader */
    cl_platform_id platform_id;
    cl_device_id device_id;
    cl_device_type type; /* a bit field */
    char name[256], vendor[128], version[128], driver[128], platform_name[128];
    char uuid[33]; /* lower-case hex digits, "" if the device does not tell */
    char pci[24]; /* "0000:01:00.0", "" if the device does not tell */
    unsigned compute_units;
    uint64_t global_bytes, max_alloc_bytes, local_bytes, cache_bytes;
    size_t max_work_group;
    int shares_host_memory, has_fp64, has_fp16, local_is_global;
    int alias_of; /* index of an earlier entry that is the same hardware, -1 if none */
    int usable; /* 0: `problem` says why clnorm does not use it */
    char problem[256];
} clnorm_device;

/* All devices of all platforms, those that do not work too, in a stable order: usable GPUs,
 * accelerators, CPUs, most compute units first, then emulators and software renderers. No platform
 * at all is an empty list and CLNORM_OK. *devices is freed with clnorm_devices_free. A platform
 * that fails gives an entry without device_id whose `problem` says what happened. */
CLNORM_API clnorm_status clnorm_devices_list(clnorm_device **devices, size_t *count,
                                             clnorm_error *error);
CLNORM_API void clnorm_devices_free(clnorm_device *devices);

/* Which devices of a list a selector means.
 *
 *   auto            the first usable one            all          every usable one
 *   gpu cpu acc     usable ones of that type        N            the N-th of the list
 *   P:D             platform and device in the loader's order
 *   name=TEXT platform=TEXT uuid=HEX                usable ones whose field has TEXT in it
 *
 * Upper and lower case are alike; aliases are left out unless named by N, P:D or uuid=.
 * chosen    count indices into devices; the first *n_chosen are set, best first
 * A selector that is malformed is CLNORM_BAD_ARGS; one that matches nothing is CLNORM_NO_DEVICE
 * with a text that lists what there is. selector NULL or "": the environment's CLNORM_DEVICE, or
 * auto. */
CLNORM_API clnorm_status clnorm_devices_select(const clnorm_device *devices, size_t count,
                                               const char *selector, size_t *chosen,
                                               size_t *n_chosen, clnorm_error *error);

/* ---- context ------------------------------------------------------------------------------- */

typedef struct clnorm_context clnorm_context;

typedef enum clnorm_log_level { CLNORM_LOG_INFO = 0, CLNORM_LOG_WARNING } clnorm_log_level;

/* Called from the thread that is in a clnorm function; must not call clnorm. text has no newline at
 * its end and lives until the call returns. */
typedef void (*clnorm_log_fn)(void *user, clnorm_log_level level, const char *text);

/* A context of the library's own on the best device that `selector` matches (see
 * clnorm_devices_select). log may be NULL: silent. */
CLNORM_API clnorm_status clnorm_context_create(const char *selector, clnorm_log_fn log, void *user,
                                               clnorm_context **context, clnorm_error *error);

/* A context around the application's own handles, which are retained until destroy. `device` must
 * belong to `context`. */
CLNORM_API clnorm_status clnorm_context_wrap(cl_context cl, cl_device_id device, clnorm_log_fn log,
                                             void *user, clnorm_context **context,
                                             clnorm_error *error);

/* NULL is allowed. Ops of the context must have been destroyed before. */
CLNORM_API void clnorm_context_destroy(clnorm_context *context);

/* Borrowed: not retained for the caller. The device's index is not set by clnorm_context_wrap. */
CLNORM_API cl_context clnorm_context_cl(const clnorm_context *context);
CLNORM_API const clnorm_device *clnorm_context_device(const clnorm_context *context);

/* ---- operators ----------------------------------------------------------------------------- */

typedef struct clnorm_op clnorm_op;

/* Builds the kernels (up to seconds when they are new to the device); later calls are cheap.
 * The op is immutable: any number of threads may run it at once. The context must outlive it. */
CLNORM_API clnorm_status clnorm_op_create(clnorm_context *context, const clnorm_desc *desc,
                                          clnorm_op **op, clnorm_error *error);
CLNORM_API void clnorm_op_destroy(clnorm_op *op);

/* The descriptor with the form that was chosen. */
CLNORM_API const clnorm_desc *clnorm_op_desc(const clnorm_op *op);
/* Longest chain of dependent additions from an element to a sum over its row. */
CLNORM_API unsigned clnorm_op_depth(const clnorm_op *op);

/* Bytes of device memory that clnorm_forward needs besides its tensors, for `rows` rows: 0 for the
 * forms of this version. */
CLNORM_API clnorm_status clnorm_op_workspace(const clnorm_op *op, uint64_t rows, size_t *bytes,
                                             clnorm_error *error);

/* Part of a buffer: row r begins at element offset + r * stride. */
typedef struct clnorm_tensor {
    cl_mem buffer; /* NULL: not given */
    uint64_t offset; /* elements, not bytes */
    uint64_t stride; /* elements from a row to the next; 0 means cols; not used by 1-D tensors */
} clnorm_tensor;

/* Shapes as in clnorm_host_args. Tensors may share a buffer but must not overlap, except that y may
 * be exactly x. The buffers stay the caller's and must live until the event completes. */
typedef struct clnorm_args {
    size_t struct_size;
    clnorm_tensor y, mean, rstd, x, weight, bias;
    clnorm_tensor workspace; /* offset in bytes; may be NULL while clnorm_op_workspace says 0 */
} clnorm_args;

#define CLNORM_TENSOR_INIT                                                                         \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }
#define CLNORM_ARGS_INIT                                                                           \
    {                                                                                              \
        sizeof(clnorm_args), CLNORM_TENSOR_INIT, CLNORM_TENSOR_INIT, CLNORM_TENSOR_INIT,           \
            CLNORM_TENSOR_INIT, CLNORM_TENSOR_INIT, CLNORM_TENSOR_INIT, CLNORM_TENSOR_INIT         \
    }

/* Enqueue y = norm(x) and return, like an OpenCL command: waits for wait_list first, gives an event
 * that the caller releases (or none for event NULL), never finishes or flushes the queue. In-order
 * and out-of-order queues of the op's context and device. rows 0 enqueues no kernel; the event is
 * valid all the same.
 *
 * CLNORM_BAD_ARGS: nothing was enqueued and *event is untouched. A buffer of another context, a
 * range past the end of its buffer, an output in read-only memory and an overlap are found here. */
CLNORM_API clnorm_status clnorm_forward(const clnorm_op *op, cl_command_queue queue, uint64_t rows,
                                        const clnorm_args *args, cl_uint n_wait,
                                        const cl_event *wait_list, cl_event *event,
                                        clnorm_error *error);

/* ---- host arrays --------------------------------------------------------------------------- */

/* rows_done of rows are in their place, and the host may already drop their pages. Called from the
 * thread that called clnorm_forward_host. Return 0 to go on, else the call ends with
 * CLNORM_CANCELLED. */
typedef int (*clnorm_progress_fn)(void *user, uint64_t rows_done, uint64_t rows);

typedef struct clnorm_host_options {
    size_t struct_size;
    uint64_t max_device_bytes; /* of tensors on the device at any time; 0: what the device allows */
    clnorm_progress_fn progress; /* or NULL */
    void *user; /* given to progress */
    int copy; /* 1: always copy, 0: let a device that shares host memory use the arrays in place */
} clnorm_host_options;

#define CLNORM_HOST_OPTIONS_INIT                                                                   \
    {                                                                                              \
        sizeof(clnorm_host_options), 0, NULL, NULL, 0                                              \
    }

/* What clnorm_forward_host did, for reports. */
typedef struct clnorm_host_report {
    size_t struct_size;
    uint64_t chunks, rows_per_chunk; /* chunks of rows, worked on one after the other */
    int zero_copy; /* 1: the device used the arrays in place */
} clnorm_host_report;

#define CLNORM_HOST_REPORT_INIT                                                                    \
    {                                                                                              \
        sizeof(clnorm_host_report), 0, 0, 0                                                        \
    }

/* y = norm(x) for arrays in host memory, of any size: the library owns queues and buffers and
 * streams the rows in chunks, with upload, compute and download overlapped on separate queues. The
 * bits do not depend on the chunks. Returns when all results are in place.
 *
 * options, report   or NULL
 * CLNORM_OUT_OF_MEMORY with the bytes asked and allowed if not even one row fits. After any failure
 * the outputs are undefined. */
CLNORM_API clnorm_status clnorm_forward_host(const clnorm_op *op, uint64_t rows,
                                             const clnorm_host_args *args,
                                             const clnorm_host_options *options,
                                             clnorm_host_report *report, clnorm_error *error);
#endif /* CLNORM_NO_OPENCL */

#ifdef __cplusplus
}
#endif
#endif

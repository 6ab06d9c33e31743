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
 * drivers' compilers and, where the application asks for them, the files of
 * clnorm_context_set_cache. It reads no file but these and that of clnorm_context_set_tuning.
 * Define CLNORM_NO_OPENCL to use the host reference without OpenCL headers. */
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
    CLNORM_CANCELLED /* a callback asked to stop */
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
    CLNORM_F64, /* devices need cl_khr_fp64 */
    /* of y only, see clnorm_quant */
    CLNORM_I8,
    CLNORM_E4M3, /* fp8 with 448 as the largest number and no infinity (OCP 8-bit FP, "fn") */
    CLNORM_E5M2, /* fp8 with 57344 as the largest finite number; clnorm writes no infinity */
    CLNORM_I32, /* of qsum only */
    CLNORM_DTYPE_DEFAULT /* in a descriptor: what its comment says */
} clnorm_dtype;

/* Bytes of an element, 0 if `dtype` is none. */
CLNORM_API size_t clnorm_dtype_bytes(clnorm_dtype dtype);
/* "f32" "f16" "bf16" "f64" "i8" "e4m3" "e5m2" "i32", or "?". */
CLNORM_API const char *clnorm_dtype_name(clnorm_dtype dtype);

/* A tensor x is a matrix of [rows, cols]; rows is given with each call. It is cut into sets of
 * elements that are normalized together ("stat rows"):
 *
 *   layer_norm rms_norm lp_norm weight_norm mvn
 *                   each row is a set; with groups = G each of G equal parts of a row is one
 *   group_norm      a row is a sample of [channels, spatial] (NCHW) or [spatial, channels] (NHWC);
 *                   each of `groups` equal ranges of channels of a sample is a set
 *   instance_norm   the same with groups = channels
 *   batch_norm, mvn with channels
 *                   a channel of all samples is a set
 *
 * x^ = (x - mean) * rstd, then y = x^ * (weight + weight_offset) + bias. weight and bias have cols
 * elements, or one per channel (group, instance, batch norm), or one per row (weight_norm). */
typedef enum clnorm_kind {
    /* Ba, Kiros, Hinton, arXiv:1607.06450, eq. 3 and 4. */
    CLNORM_LAYER_NORM = 0,
    /* mean = 0, the mean of squares instead of the variance: Zhang, Sennrich, arXiv:1910.07467. */
    CLNORM_RMS_NORM,
    CLNORM_GROUP_NORM, /* Wu, He, arXiv:1803.08494; ONNX GroupNormalization 21 */
    CLNORM_INSTANCE_NORM, /* Ulyanov, Vedaldi, Lempitsky, arXiv:1607.08022 */
    CLNORM_BATCH_NORM, /* Ioffe, Szegedy, arXiv:1502.03167 */
    /* mean = 0, rstd = 1 / (sum of |x|^p)^(1/p); no weight, no bias. A set of zeros gives y = 0. */
    CLNORM_LP_NORM,
    /* weight * x / |x|, a weight for each row: Salimans, Kingma, arXiv:1602.07868. */
    CLNORM_WEIGHT_NORM,
    CLNORM_MVN /* layer_norm, or batch_norm if channels is set, without weight and bias */
} clnorm_kind;

typedef enum clnorm_layout { CLNORM_NCHW = 0, CLNORM_NHWC } clnorm_layout;

/* v: variance, or mean of squares; n: the norm that lp_norm and weight_norm divide by. */
typedef enum clnorm_eps_mode {
    CLNORM_EPS_INSIDE = 0, /* rstd = 1 / sqrt(v + eps); lp_norm with p 2: 1 / sqrt(n^2 + eps) */
    CLNORM_EPS_OUTSIDE, /* rstd = 1 / (sqrt(v) + eps); lp_norm: 1 / (n + eps) */
    CLNORM_EPS_CLAMP /* rstd = 1 / max(sqrt(v), eps); lp_norm: 1 / max(n, eps) */
} clnorm_eps_mode;

/* Rounding of x^ * weight. */
typedef enum clnorm_cast {
    CLNORM_CAST_WIDE = 0, /* all in float, one rounding to y_dtype */
    CLNORM_CAST_FIRST /* x^ is rounded to y_dtype, and its product with the weight again (ONNX) */
} clnorm_cast;

/* With a residual: what the statistics and y are taken of. */
typedef enum clnorm_contract {
    CLNORM_SUM_ROUNDED = 0, /* of the sum rounded to residual_dtype, as of a kernel of its own */
    CLNORM_SUM_EXACT /* of the sum in float; only what is written to `sum` is rounded */
} clnorm_contract;

/* Where the statistics of a forward call come from. */
typedef enum clnorm_stats_source {
    CLNORM_STATS_COMPUTED = 0,
    CLNORM_STATS_GIVEN, /* args.mean and args.rstd are inputs */
    CLNORM_STATS_RUNNING /* batch_norm: args.running_mean and running_var are inputs (inference) */
} clnorm_stats_source;

/* What the backward pass takes x^ from. */
typedef enum clnorm_source_of_backward {
    CLNORM_FROM_INPUT = 0, /* args.x (or args.sum) */
    CLNORM_FROM_OUTPUT /* args.y and rstd: x^ = (y - bias) / (weight + offset), without zeros */
} clnorm_source_of_backward;

/* SiLU(z) = z / (1 + exp(-z)), arXiv:1702.03118, with z of [rows, cols]. */
typedef enum clnorm_act_gate {
    CLNORM_ACT_NONE = 0,
    CLNORM_ACT_AFTER, /* y = norm(x) * SiLU(z) */
    CLNORM_ACT_BEFORE /* y = norm(x * SiLU(z)) */
} clnorm_act_gate;

/* How y is scaled before it is stored as i8, e4m3 or e5m2; y_dtype says which. The value of an
 * element q is q * qscale, or (q - qzero) * qscale with quant_asymmetric. */
typedef enum clnorm_quant {
    CLNORM_QUANT_NONE = 0,
    CLNORM_QUANT_STATIC, /* one scale, given in args.qscale */
    CLNORM_QUANT_ROW, /* a scale for each row, from its largest |y|, written to args.qscale */
    CLNORM_QUANT_GROUP /* a scale for each quant_group columns of a row */
} clnorm_quant;

/* Optional inputs of a descriptor. s = alpha * residual + gate * dropout(x + x_bias) is what is
 * normalized, and y = norm(s) * (scale_offset + scale) + shift what comes out. */
enum {
    CLNORM_WITH_RESIDUAL = 1, /* residual: [rows, cols] */
    CLNORM_WITH_X_BIAS = 2, /* x_bias: [cols] */
    CLNORM_WITH_GATE = 4, /* gate: [mods, cols], see rows_per_mod */
    CLNORM_WITH_MODULATION = 8 /* scale, shift: [mods, cols] (adaptive norm, arXiv:2212.09748) */
};

/* How a device walks a row. The choice depends on the device and on cols, never on rows. A form
 * that cannot take such rows, or that the device fails, gives way to another: clnorm_op_desc tells.
 */
typedef enum clnorm_form {
    CLNORM_FORM_AUTO = 0,
    CLNORM_FORM_SEQUENTIAL, /* a work-item owns whole rows: CPUs, FPGAs */
    CLNORM_FORM_SLICED, /* a slice of a work-group shares a short row and holds it in registers */
    CLNORM_FORM_HELD, /* a work-group shares a row and holds it in registers */
    CLNORM_FORM_COOPERATIVE /* a work-group shares a row and reads it again for each pass */
} clnorm_form;

/* What is normalized, and how.
 *
 * Sums are done in float, or in double for f64 tensors, with the mean carried as two numbers, so
 * that y is right to a few units of the last place whatever the mean of a row. The bits of a row
 * depend on that row, the descriptor and the device alone: not on rows, nor on the run.
 * A set that holds NaN or an infinity gives NaN in all of its y, mean and rstd (where no mean is
 * subtracted it stays 0), and nowhere else. As i8 such a y is 0, under a scale of NaN. What has no
 * part in the statistics spreads none: given statistics, columns from stats_cols on, dropped ones.
 * Where the mean is subtracted, a constant set gives y = bias; with eps = 0 y is NaN and rstd
 * infinity. */
typedef struct clnorm_desc {
    size_t struct_size;
    clnorm_kind kind;
    uint64_t cols; /* 1 .. CLNORM_MAX_COLS; may be 0 where channels is set: channels * spatial */
    /* f32, f16 and bf16 mix freely; f64 goes with f64 only. y may be i8, e4m3 or e5m2. */
    clnorm_dtype x_dtype, y_dtype;
    clnorm_dtype param_dtype; /* of weight, bias, x_bias, gate, scale, shift */
    clnorm_dtype residual_dtype; /* of residual and sum; default: x_dtype */
    clnorm_dtype dy_dtype; /* of dy, dsum; default: y_dtype, or x_dtype if y is quantised */
    clnorm_dtype dx_dtype; /* of dx, dresidual, dz; default: x_dtype */
    clnorm_dtype dparam_dtype; /* of dweight, dbias, dx_bias, dgate, dscale, dshift; param_dtype */
    /* 0, or a normal number of the arithmetic: float, or double for f64. */
    double eps;
    clnorm_form form;
    /* group, instance, batch norm: channels that divide cols, the rest is spatial. Else 0. */
    uint64_t channels;
    uint64_t groups; /* 0: 1. Divides channels (group_norm) or cols */
    clnorm_layout layout;
    clnorm_eps_mode eps_mode;
    unsigned ddof; /* the variance is divided by N - ddof: 0 or 1 */
    uint64_t stats_cols; /* rms_norm: the statistics come from that many first columns; 0: all */
    double p; /* of lp_norm: 1 to 64 */
    int center_only; /* 1: y = x - mean, no division (layer_norm, mvn) */
    double weight_offset; /* added to the weight in float: 1 for zero-centred weights */
    clnorm_cast cast;
    clnorm_stats_source stats;
    unsigned inputs; /* CLNORM_WITH_... */
    double alpha; /* of the residual */
    clnorm_contract contract;
    uint64_t rows_per_mod; /* rows that share a row of gate, scale, shift; 0: all rows */
    double scale_offset;
    clnorm_act_gate act_gate;
    double dropout; /* probability that an element of x is dropped: 0 to 1 */
    double momentum; /* batch_norm: running = (1 - momentum) * running + momentum * batch */
    /* 1: running_var takes the biased variance (ONNX), 0: divided by N - 1 (PyTorch, which refuses
     * N = 1; here the variance of one element is 0) */
    int running_biased;
    clnorm_quant quant;
    uint64_t quant_group; /* columns of a scale, which divide cols */
    /* 1: i8 with a zero point for each scale, both from the least and the largest y, and 0; with
     * quant static both are given */
    int quant_asymmetric;
    /* Of the scales of quant row and group, not asymmetric: */
    double qscale_min; /* least scale; 0: FLT_EPSILON for i8, 1 / (512 * largest) for fp8 */
    double qscale_max; /* largest scale; 0: no limit */
    clnorm_source_of_backward backward;
    /* How rows are walked, in place of what clnorm chooses: "form=held vec=4 group=256 team=256
     * stream=33554432", or some of these. vec: columns that a work-item takes at once, 2, 4, 8 or
     * 16; group, team: work-items of a work-group, and those of them that share a row, powers of
     * two; stream: bytes of output from which on it goes past the cache, or never. What the device
     * does not allow is made smaller, or another form takes over: clnorm_op_tuning tells. NULL: all
     * is chosen. Read by clnorm_op_create only; the host reference needs none. */
    const char *tuning;
} clnorm_desc;

#define CLNORM_MAX_COLS ((uint64_t)1 << 31)

/* LayerNorm of f32 with eps 1e-5; cols must be set. */
#define CLNORM_DESC_INIT                                                                           \
    {                                                                                              \
        sizeof(clnorm_desc), CLNORM_LAYER_NORM, 0, CLNORM_F32, CLNORM_F32, CLNORM_F32,             \
            CLNORM_DTYPE_DEFAULT, CLNORM_DTYPE_DEFAULT, CLNORM_DTYPE_DEFAULT,                      \
            CLNORM_DTYPE_DEFAULT, 1e-5, CLNORM_FORM_AUTO, 0, 0, CLNORM_NCHW, CLNORM_EPS_INSIDE, 0, \
            0, 2, 0, 0, CLNORM_CAST_WIDE, CLNORM_STATS_COMPUTED, 0, 1, CLNORM_SUM_ROUNDED, 0, 1,   \
            CLNORM_ACT_NONE, 0, 0.1, 0, CLNORM_QUANT_NONE, 0, 0, 0, 0, CLNORM_FROM_INPUT, NULL     \
    }

/* Enough for any text that clnorm_op_tuning writes. */
#define CLNORM_TUNING_BYTES 128

/* CLNORM_BAD_DESC with a text that names the field, its value and what is allowed. */
CLNORM_API clnorm_status clnorm_desc_check(const clnorm_desc *desc, clnorm_error *error);

/* Type of mean and rstd: CLNORM_F64 for f64 tensors, else CLNORM_F32. */
CLNORM_API clnorm_dtype clnorm_stats_dtype(const clnorm_desc *desc);

typedef enum clnorm_direction { CLNORM_FORWARD = 0, CLNORM_BACKWARD } clnorm_direction;

/* ---- tensors ------------------------------------------------------------------------------- */

/* An array in host memory, aligned as its elements are. */
typedef struct clnorm_input {
    const void *data; /* NULL: not given */
    uint64_t stride; /* elements from a row to the next; 0: no gaps. Not used by 1-D tensors */
} clnorm_input;

typedef struct clnorm_output {
    void *data; /* NULL: not wanted */
    uint64_t stride;
} clnorm_output;

/* Every tensor of every operator; a descriptor and a direction use some of them, the others must be
 * NULL. sets: stat rows, see clnorm_kind. params: elements of the weight. mods: rows_per_mod.
 * Outputs must not overlap inputs or one another, except exactly (same place, stride, dtype):
 * forward y = x, sum = x, sum = residual; backward dx = dy, dx = dsum, dresidual = dsum. */
typedef struct clnorm_host_args {
    size_t struct_size;
    uint64_t seed, first_row; /* of dropout: row r of this call is row first_row + r of the mask */
    /* forward: outputs. y is required, and an input of a backward pass from the output */
    clnorm_output y; /* [rows, cols] */
    clnorm_output
        sum; /* [rows, cols] of residual_dtype; backward: an input instead of x, residual */
    clnorm_output mean, rstd; /* [sets]; inputs if stats are given, and of a backward pass: NULL
                                 there lets them be computed again */
    clnorm_output running_mean, running_var; /* [channels], of the type of mean, updated; NULL: not
                                                kept. Inputs where stats are running */
    /* [1], [rows] or [rows, cols / quant_group] of float, and the same of i8; inputs where quant is
     * static */
    clnorm_output qscale, qzero;
    clnorm_output qsum; /* [rows] of i32: the sum of a row's i8 elements */
    /* inputs */
    clnorm_input x; /* [rows, cols] */
    clnorm_input residual; /* [rows, cols] */
    clnorm_input x_bias; /* [cols] */
    clnorm_input gate; /* [mods, cols] */
    clnorm_input weight, bias; /* [params]; NULL: 1 (whatever weight_offset is) and 0 */
    clnorm_input scale, shift; /* [mods, cols] */
    clnorm_input z; /* [rows, cols] of x_dtype */
    /* backward: inputs */
    clnorm_input dy; /* [rows, cols] */
    clnorm_input dsum; /* [rows, cols]: gradient of the sum that went elsewhere; NULL: 0 */
    /* backward: outputs, each optional */
    clnorm_output dx, dresidual, dz; /* [rows, cols] */
    clnorm_output dx_bias; /* [cols] */
    clnorm_output dgate; /* [mods, cols] */
    clnorm_output dweight, dbias; /* [params] */
    clnorm_output dscale, dshift; /* [mods, cols] */
    clnorm_output dmean, drstd; /* [sets], where stats are given */
} clnorm_host_args;

#define CLNORM_TENSOR_COUNT 31
#define CLNORM_FOUR_(none) none(), none(), none(), none()
#define CLNORM_EACH_TENSOR_(none)                                                                  \
    CLNORM_FOUR_(none), CLNORM_FOUR_(none), CLNORM_FOUR_(none), CLNORM_FOUR_(none),                \
        CLNORM_FOUR_(none), CLNORM_FOUR_(none), CLNORM_FOUR_(none), none(), none(), none()
#define CLNORM_NO_ARRAY_()                                                                         \
    {                                                                                              \
        NULL, 0                                                                                    \
    }
#define CLNORM_HOST_ARGS_INIT                                                                      \
    {                                                                                              \
        sizeof(clnorm_host_args), 0, 0, CLNORM_EACH_TENSOR_(CLNORM_NO_ARRAY_)                      \
    }

/* ---- host reference ------------------------------------------------------------------------ */

/* The descriptor's operator on the host, in the widest floating type that the compiler has.
 *
 * Inputs are of the descriptor's dtypes. Outputs are arrays of double without gaps (their strides
 * are not used), not rounded to their dtypes: qscale too, and quantised elements are whole numbers
 * (i8) or numbers of the type (fp8). Where running_mean and running_var are updated they are read
 * and written as double. Where a call on a device may be in place, so may this one with f64.
 *
 * CLNORM_BAD_DESC, CLNORM_BAD_ARGS, CLNORM_OUT_OF_MEMORY: nothing was written. */
CLNORM_API clnorm_status clnorm_reference(const clnorm_desc *desc, clnorm_direction direction,
                                          uint64_t rows, const clnorm_host_args *args,
                                          clnorm_error *error);

/* What a comparison with the reference found. Bounds are derived, not chosen: docs/numerics.md. */
typedef struct clnorm_verdict {
    size_t struct_size;
    uint64_t compared, wrong; /* elements of all outputs; those outside of their bound */
    double max_error; /* of y, dx: |y - reference| */
    double max_scaled_error; /* of y, dx: |y - reference| / (1 + |reference|) */
    double max_bound_share; /* largest |error| / bound over all outputs; above 1 is wrong */
    double max_ulp; /* of y, dx: |error| in units of the type's last place at max(|reference|, its
                       scale): |weight| for y, the size of the terms that are added up for dx */
    /* the element with the largest share of its bound */
    const char *worst_tensor; /* "y", "mean" and so on: the names of clnorm_host_args */
    uint64_t worst_row, worst_col;
    double worst_got, worst_expected, worst_bound;
} clnorm_verdict;

#define CLNORM_VERDICT_INIT                                                                        \
    {                                                                                              \
        sizeof(clnorm_verdict), 0, 0, 0, 0, 0, 0, "", 0, 0, 0, 0, 0                                \
    }

/* Compare the outputs of a call, those of args that are not NULL, with the reference, and add what
 * is found to *verdict, which may hold earlier calls' findings; first_row is added to worst_row.
 * `depth` is the longest chain of additions behind a sum over a set: clnorm_op_depth. Inputs must
 * be as they were before the call: an op that ran in place needs a copy of them. What an output was
 * before the call (running_mean, running_var) is given in `before`, which may be NULL else.
 * CLNORM_OK also when elements are wrong: look at verdict->wrong. */
CLNORM_API clnorm_status clnorm_verify(const clnorm_desc *desc, clnorm_direction direction,
                                       unsigned depth, uint64_t rows, uint64_t first_row,
                                       const clnorm_host_args *args, const clnorm_host_args *before,
                                       clnorm_verdict *verdict, clnorm_error *error);

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

/* What clnorm knows of such devices and drivers, and how it acts on it: a sentence for each, NULL
 * from the last `index` on. */
CLNORM_API const char *clnorm_device_quirk(const clnorm_device *device, size_t index);

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

/* Keep compiled programs in files, so that a later process loads them in milliseconds. Off unless
 * the application asks, before it makes ops; a second call takes the place of the first.
 *
 * directory   of this user, writable by nobody else; made if it is missing. NULL:
 *             $XDG_CACHE_HOME/clnorm, else ~/.cache/clnorm (macOS: ~/Library/Caches/clnorm)
 * max_bytes   of all files, those not used for longest go first; 0: 256 MiB
 *
 * A file has a digest over all of it, and is of one version of clnorm, program, driver and CPU.
 * Where something is wrong with it, with the directory or with what the driver says of it, programs
 * are compiled as without a cache, and the log has a line. New ones are written by
 * clnorm_context_destroy, which takes as long as a build on drivers that compile for it (PoCL).
 * The only error is CLNORM_BAD_ARGS, for context NULL or directory "". */
CLNORM_API clnorm_status clnorm_context_set_cache(clnorm_context *context, const char *directory,
                                                  uint64_t max_bytes, clnorm_error *error);

/* Use what `clnorm tune` found out about the device: a table of parameters for kinds, dtypes and
 * columns, which ops that are made from then on look at, and for matrix products (clnorm_gemm). Off
 * unless the application asks; a second call takes the place of the first. Parameters in a
 * descriptor go before those of the table, and these before the library's own.
 *
 * path   of the table; NULL: $XDG_CONFIG_HOME/clnorm/tuning, else ~/.config/clnorm/tuning
 *
 * A file that is not there is an empty table. Where it cannot be read, a line is damaged, or was
 * measured with another driver than that of today, the log has a line. The only error is
 * CLNORM_BAD_ARGS, for context NULL or path "". */
CLNORM_API clnorm_status clnorm_context_set_tuning(clnorm_context *context, const char *path,
                                                   clnorm_error *error);

/* Whether kernels are tried before they are used. */
typedef enum clnorm_self_test_policy {
    CLNORM_SELF_TEST_FIRST_USE =
        0, /* each program once, when an op first needs it: of the context, or of the cache */
    CLNORM_SELF_TEST_OFF, /* never, and what earlier tests said does not count */
    CLNORM_SELF_TEST_ALWAYS /* by every op anew */
} clnorm_self_test_policy;

/* The policy for kernels that are built from now on, which an op may do as late as in its first
 * call: FIRST_USE if this is not called. Verdicts are kept in the cache's files, if there is one
 * (clnorm_context_set_cache), for this device and driver, until `clnorm cache clear`. A test is a
 * problem of a few rows on a queue of its own, beside whose build its milliseconds are few. A
 * kernel that gives anything but what was computed on the host gets a warning in the log and is not
 * used; the next form takes its place, down to a plain one that every device should get right.
 * Where that one fails too, clnorm_op_create (or the call that needs the kernel) gives
 * CLNORM_UNSUPPORTED. */
CLNORM_API clnorm_status clnorm_context_set_self_test(clnorm_context *context,
                                                      clnorm_self_test_policy policy,
                                                      clnorm_error *error);

/* NULL is allowed. Ops of the context must have been destroyed before. */
CLNORM_API void clnorm_context_destroy(clnorm_context *context);

/* Borrowed: not retained for the caller. The device's index is not set by clnorm_context_wrap. */
CLNORM_API cl_context clnorm_context_cl(const clnorm_context *context);
CLNORM_API const clnorm_device *clnorm_context_device(const clnorm_context *context);

/* ---- operators ----------------------------------------------------------------------------- */

typedef struct clnorm_op clnorm_op;

/* Builds the forward kernel, up to seconds when it is new to the device; those of a backward pass
 * are built by the first call that needs them, which may fail with CLNORM_BUILD_FAILED then. All
 * other calls are cheap. Any number of threads may run an op at once. The context must outlive it.
 */
CLNORM_API clnorm_status clnorm_op_create(clnorm_context *context, const clnorm_desc *desc,
                                          clnorm_op **op, clnorm_error *error);
/* The same, but nothing is built before a call needs it: for start-up, and for calls without the
 * weight and bias that clnorm_op_create builds its kernel for. */
CLNORM_API clnorm_status clnorm_op_create_lazy(clnorm_context *context, const clnorm_desc *desc,
                                               clnorm_op **op, clnorm_error *error);
CLNORM_API void clnorm_op_destroy(clnorm_op *op);

/* The descriptor with the form that was chosen; its `tuning` is NULL. */
CLNORM_API const clnorm_desc *clnorm_op_desc(const clnorm_op *op);
/* Writes how the op walks rows, as desc->tuning takes it. It depends on the device, the descriptor
 * and the tables of parameters, never on rows. CLNORM_BAD_ARGS with the bytes it takes if `bytes`
 * are too few. */
CLNORM_API clnorm_status clnorm_op_tuning(const clnorm_op *op, char *text, size_t bytes,
                                          clnorm_error *error);
/* Longest chain of dependent additions from an element to a sum over its row. */
CLNORM_API unsigned clnorm_op_depth(const clnorm_op *op);

/* Bytes of device memory that a call takes besides its tensors, for `rows` rows. Backward: if it is
 * to give every gradient; none without gradients of parameters that are sums over rows. Forward:
 * only for a few rows of many columns, each of which several groups then work on. */
CLNORM_API clnorm_status clnorm_op_workspace(const clnorm_op *op, clnorm_direction direction,
                                             uint64_t rows, size_t *bytes, clnorm_error *error);

/* Part of a buffer: row r begins at element offset + r * stride. */
typedef struct clnorm_tensor {
    cl_mem buffer; /* NULL: not given */
    uint64_t offset; /* elements, not bytes */
    uint64_t stride; /* elements from a row to the next; 0: no gaps. Not used by 1-D tensors */
} clnorm_tensor;

/* Shapes and rules as in clnorm_host_args. Tensors may share a buffer. The buffers stay the
 * caller's and must live until the event completes. */
typedef struct clnorm_args {
    size_t struct_size;
    uint64_t seed, first_row;
    clnorm_tensor y, sum, mean, rstd, running_mean, running_var, qscale, qzero, qsum;
    clnorm_tensor x, residual, x_bias, gate, weight, bias, scale, shift, z;
    clnorm_tensor dy, dsum;
    clnorm_tensor dx, dresidual, dz, dx_bias, dgate, dweight, dbias, dscale, dshift, dmean, drstd;
    /* offset in bytes, a multiple of 8. NULL: where one is needed, the op keeps one for the queue,
     * which must be in-order then; it retains queue and buffer until it is destroyed. On an
     * out-of-order queue a forward pass does without: slower, with the same bits. A workspace
     * serves one call at a time and must not overlap a tensor. */
    clnorm_tensor workspace;
} clnorm_args;

#define CLNORM_NO_TENSOR_()                                                                        \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }
#define CLNORM_ARGS_INIT                                                                           \
    {                                                                                              \
        sizeof(clnorm_args), 0, 0, CLNORM_EACH_TENSOR_(CLNORM_NO_TENSOR_), CLNORM_NO_TENSOR_()     \
    }

/* Enqueue y = norm(x) and return, like an OpenCL command: waits for wait_list first, gives an event
 * that the caller releases (or none for event NULL), never finishes or flushes the queue. In-order
 * and out-of-order queues of the op's context and device. rows 0 enqueues no kernel; the event is
 * valid all the same.
 *
 * From the second call on with the same queue and buffers, and no wait list, nothing is allocated
 * or asked of the driver: only arguments are set, and one kernel is enqueued (two in a backward
 * pass with sums over rows). For that the context remembers buffers until they are destroyed, which
 * the driver tells it (so code that links the static library must stay loaded as long as buffers
 * that it was given), and retains the last few queues until it is destroyed itself.
 *
 * CLNORM_BAD_ARGS: nothing was enqueued and *event is untouched. A buffer of another context, a
 * range past the end of its buffer, an output in read-only memory and an overlap are found here. */
CLNORM_API clnorm_status clnorm_forward(const clnorm_op *op, cl_command_queue queue, uint64_t rows,
                                        const clnorm_args *args, cl_uint n_wait,
                                        const cl_event *wait_list, cl_event *event,
                                        clnorm_error *error);

/* Enqueue the gradients that args ask for, given dy, the inputs of the forward call and (to save
 * work) its mean and rstd. Gradients of parameters are sums over rows in two fixed stages: the same
 * bits in every run. Else as clnorm_forward. rows 0 makes them 0. */
CLNORM_API clnorm_status clnorm_backward(const clnorm_op *op, cl_command_queue queue, uint64_t rows,
                                         const clnorm_args *args, cl_uint n_wait,
                                         const cl_event *wait_list, cl_event *event,
                                         clnorm_error *error);

/* ---- self-test ----------------------------------------------------------------------------- */

typedef struct clnorm_self_test_result {
    size_t struct_size;
    clnorm_form form;
    const char *kernel; /* "forward", "backward" and so on */
    unsigned vec, group, team; /* columns of a work-item at once, work-items of a group, of a row */
    unsigned subgroups; /* 0: none add up first; 1: cl_khr_subgroups; else cl_intel_subgroups of so
                           many work-items */
    clnorm_status status; /* CLNORM_OK: right; CLNORM_UNSUPPORTED: wrong; else what went amiss */
    const char *text; /* what is wrong, "" if nothing is; lives until the function returns */
} clnorm_self_test_result;

/* Called from the thread that called clnorm_self_test. Return 0 to go on, else the call ends with
 * CLNORM_CANCELLED. */
typedef int (*clnorm_self_test_fn)(void *user, const clnorm_self_test_result *result);

/* Build the kernels of all forms that the device can take, and test each, whatever the policy; up
 * to some seconds a kernel where it is new to the device. What is found wrong is not used by ops
 * that are made later. Kernels of recurrent nets are tested by clnorm_recurrent_create alone.
 *
 * report   is called for each kernel, or NULL
 * CLNORM_UNSUPPORTED with a text that names the first kernel that is wrong; CLNORM_BUILD_FAILED for
 * one that does not build; the others are tested all the same. */
CLNORM_API clnorm_status clnorm_self_test(clnorm_context *context, clnorm_self_test_fn report,
                                          void *user, clnorm_error *error);

/* ---- host arrays --------------------------------------------------------------------------- */

/* rows_done of rows are in their place, and the host may already drop their pages. Called from the
 * thread that called clnorm_forward_host or clnorm_backward_host. Return 0 to go on, else the call
 * ends with CLNORM_CANCELLED. */
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
/* The same for gradients; those of parameters have the same bits however the rows are cut. */
CLNORM_API clnorm_status clnorm_backward_host(const clnorm_op *op, uint64_t rows,
                                              const clnorm_host_args *args,
                                              const clnorm_host_options *options,
                                              clnorm_host_report *report, clnorm_error *error);
#endif /* CLNORM_NO_OPENCL */

#include "clnorm/gemm.h"
#include "clnorm/recurrent.h"

#ifdef __cplusplus
}
#endif
#endif

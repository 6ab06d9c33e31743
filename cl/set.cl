/* SPDX-License-Identifier: MIT */
/* A set: the elements that are normalized together, and what is normalized of them.
 *
 *   s = alpha * residual + gate * dropout(x + x_bias),  or x * SiLU(z)
 *
 * Element i of segment s of set q is at (q / inner) * outer + (q % inner) * step + s * segment + i of
 * its tensor, where outer and segment are the tensor's own. Its parameters are those of its column,
 * or of its segment.
 *
 * Set by the host, each 0 by default:
 *   X_TYPE, Y_TYPE, PARAM_TYPE, R_TYPE   storage of x and z; y; weight and so on; residual and sum
 *   SEGMENTED     1: sets are not simply rows
 *   PARAM_AXIS    0: parameters of the column, 1: of the segment, 2: one for the set
 *   RESIDUAL, X_BIAS, GATE, DROPOUT      1: is part of s
 *   ROUND_SUM     1: s is rounded to R_TYPE before it is used
 *   MODULATION    1: y = y * (scale_shift + scale) + shift
 *   ACT_GATE      1: y = y * SiLU(z), 2: s = x * SiLU(z)
 *   WEIGHT_SHIFT  1: a number is added to the weight
 *   CAST_FIRST    1: x^, and its product with the weight, are rounded to Y_TYPE
 *   GIVEN         -1: a NULL tells at run time which tensors are not there; else the sum of those
 *                 GIVEN_... that are, which saves a test for each vector */
#ifndef X_TYPE
#define X_TYPE f32
#endif
#ifndef Y_TYPE
#define Y_TYPE f32
#endif
#ifndef PARAM_TYPE
#define PARAM_TYPE f32
#endif
#ifndef R_TYPE
#define R_TYPE f32
#endif
#ifndef SEGMENTED
#define SEGMENTED 0
#endif
#ifndef PARAM_AXIS
#define PARAM_AXIS 0
#endif
#ifndef RESIDUAL
#define RESIDUAL 0
#endif
#ifndef X_BIAS
#define X_BIAS 0
#endif
#ifndef GATE
#define GATE 0
#endif
#ifndef DROPOUT
#define DROPOUT 0
#endif
#ifndef ROUND_SUM
#define ROUND_SUM 0
#endif
#ifndef MODULATION
#define MODULATION 0
#endif
#ifndef ACT_GATE
#define ACT_GATE 0
#endif
#ifndef WEIGHT_SHIFT
#define WEIGHT_SHIFT 0
#endif
#ifndef CAST_FIRST
#define CAST_FIRST 0
#endif
#ifndef GIVEN
#define GIVEN -1
#endif
#define GIVEN_WEIGHT 1
#define GIVEN_BIAS 2
#define GIVEN_DSUM 4
#define GIVEN_DX 8
#define GIVEN_DWEIGHT 16
#define GIVEN_DBIAS 32
#define IS_GIVEN(bit, p) (GIVEN >= 0 ? (GIVEN & (bit)) != 0 : (p) != 0)
#define PRENORM (RESIDUAL || X_BIAS || GATE || DROPOUT)

/* ---- arguments of the kernels ---- */

#if SEGMENTED
#define SEGMENT_ARGS                                                                               \
    , ulong segments, ulong inner, ulong step, ulong segment_step, ulong period, ulong param_step, \
        ulong param_segment, uint through_rows
#else
#define SEGMENT_ARGS
#endif
#if PRENORM
#define PRENORM_ARGS                                                                               \
    , MATRIX(R_TYPE, sum), const MATRIX(R_TYPE, residual), const VECTOR(PARAM_TYPE, x_bias),       \
        const MATRIX(PARAM_TYPE, gate), real alpha, real keep_scale, ulong keep_from, ulong seed,  \
        ulong first_row
#else
#define PRENORM_ARGS
#endif
#if MODULATION
#define MODULATION_ARGS                                                                            \
    , const MATRIX(PARAM_TYPE, scale), const MATRIX(PARAM_TYPE, shift), real scale_shift
#else
#define MODULATION_ARGS
#endif
#if GATE || MODULATION
#define MOD_ARGS , ulong rows_per_mod
#else
#define MOD_ARGS
#endif
#if ACT_GATE
#define ACT_ARGS , const MATRIX(X_TYPE, z)
#else
#define ACT_ARGS
#endif
/* What both directions take besides their own tensors. */
#define SET_ARGS SEGMENT_ARGS PRENORM_ARGS MODULATION_ARGS MOD_ARGS ACT_ARGS

/* ---- where a set is ---- */

/* What does not exist in a program is 0 there, and what hangs on it falls away. */
typedef struct {
    const global X_TYPE *x, *z;
    const global R_TYPE *sum, *residual; /* sum: read instead of x and the others, if it is there */
    const global PARAM_TYPE *x_bias, *gate, *weight, *bias, *scale, *shift;
    ulong x_segment, param_segment;
    ulong x_next, residual_next; /* to the set after this one */
    ulong row, seed, keep_from; /* of dropout */
    uint column; /* of the whole row, that column 0 of the set is */
    real alpha, keep_scale, weight_shift, scale_shift; /* are added to them */
} set_inputs;

#if SEGMENTED
#define SET_ROW(q) ((q) / inner)
#define SET_SEGMENTS segments
#define SET_OFFSET(q, stride)                                                                      \
    ((through_rows ? 0 : SET_ROW(q) * (stride)) + REST(q, inner) * step)
#define SEGMENT_OF(stride) (segment_step ? segment_step : (stride))
#define PARAM_OFFSET(q) (REST(q, period) * param_step)
#define PARAM_SEGMENT param_segment
#else
#define SET_ROW(q) (q)
#define SET_SEGMENTS 1
#define SET_OFFSET(q, stride) ((q) * (stride))
#define SEGMENT_OF(stride) 0
#define PARAM_OFFSET(q) 0
#define PARAM_SEGMENT 0
#endif

/* Where set q begins in a tensor of the kernel's arguments; a NULL stays NULL. */
#define SET_OF(name, q) (name ? name + name##_offset + SET_OFFSET(q, name##_stride) : 0)
#define PARAMS_OF(name, q) (name ? name + name##_offset + PARAM_OFFSET(q) : 0)
#define MOD_OF(name, q)                                                                            \
    (name ? name + name##_offset + SET_ROW(q) / rows_per_mod * name##_stride + PARAM_OFFSET(q) : 0)

#if PRENORM
#define FIND_PRENORM(in, q)                                                                        \
    in.residual = SET_OF(residual, q);                                                             \
    in.residual_next = residual_stride;                                                            \
    in.x_bias = PARAMS_OF(x_bias, q);                                                              \
    in.alpha = alpha;                                                                              \
    in.keep_scale = keep_scale;                                                                    \
    in.keep_from = keep_from;                                                                      \
    in.seed = seed;                                                                                \
    in.row = first_row + SET_ROW(q);
#else
#define FIND_PRENORM(in, q)
#endif
#if GATE
#define FIND_GATE(in, q) in.gate = MOD_OF(gate, q);
#else
#define FIND_GATE(in, q)
#endif
#if MODULATION
#define FIND_MODULATION(in, q)                                                                     \
    in.scale = MOD_OF(scale, q);                                                                   \
    in.shift = MOD_OF(shift, q);                                                                   \
    in.scale_shift = scale_shift;
#else
#define FIND_MODULATION(in, q)
#endif
#if ACT_GATE
#define FIND_ACT(in, q) in.z = SET_OF(z, q);
#else
#define FIND_ACT(in, q)
#endif

#define FIND_SET(in, q)                                                                            \
    set_inputs in = {0};                                                                           \
    in.x = SET_OF(x, q);                                                                           \
    in.weight = PARAMS_OF(weight, q);                                                              \
    in.bias = PARAMS_OF(bias, q);                                                                  \
    in.x_segment = SEGMENT_OF(x_stride);                                                           \
    in.x_next = x_stride;                                                                          \
    in.param_segment = PARAM_SEGMENT;                                                              \
    in.column = PARAM_OFFSET(q);                                                                   \
    in.weight_shift = weight_shift;                                                                \
    FIND_PRENORM(in, q)                                                                            \
    FIND_GATE(in, q)                                                                               \
    FIND_MODULATION(in, q)                                                                         \
    FIND_ACT(in, q)

/* Column c of the set after one that a work-item has for itself, which is being written. */
#if TEAM_SIZE == 1 && !SEGMENTED
#define PREFETCH_NEXT(set, stride, c) PREFETCH((set) + (stride) + (c))
#else
#define PREFETCH_NEXT(set, stride, c) ((void)0)
#endif

/* ---- what is normalized ---- */

/* Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011. */
static inline uint4 philox(uint4 c, ulong key)
{
    uint k0 = (uint)key, k1 = (uint)(key >> 32);
    for (uint round = 0; round < 10; round++) {
        const uint hi0 = mul_hi(0xD2511F53u, c.s0), hi1 = mul_hi(0xCD9E8D57u, c.s2);
        c = (uint4)(hi1 ^ c.s1 ^ k0, 0xCD9E8D57u * c.s2, hi0 ^ c.s3 ^ k1, 0xD2511F53u * c.s0);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return c;
}

/* v times 1 / (1 - p) where it is kept, else 0. A word depends on the row and the column of the
 * tensor alone. */
static inline realv drop(realv v, const set_inputs *in, uint c)
{
    lanes part;
    uint4 words = 0;
    part.v = v;
    for (uint k = 0; k < VEC; k++) {
        const uint col = in->column + c + k;
        if (k == 0 || col % 4 == 0)
            words = philox((uint4)(col / 4, (uint)in->row, (uint)(in->row >> 32), 0), in->seed);
        const uint2 pair = col & 2 ? words.s23 : words.s01;
        const uint word = col & 1 ? pair.s1 : pair.s0;
        part.lane[k] = word >= in->keep_from ? part.lane[k] * in->keep_scale : 0;
    }
    return part.v;
}

static inline realv sigmoid(realv z) { return 1 / (1 + exp(-z)); }

static inline realv z_at(const set_inputs *in, uint c, uint n)
{
    return TAKE(X_TYPE)(in->z + c, n);
}

/* The branch that gate and residual are applied to. Nothing is contracted, so that the host can find
 * the same bits. */
static inline realv branch(const set_inputs *in, ulong segment, uint c, uint n)
{
#pragma OPENCL FP_CONTRACT OFF
    realv t = TAKE(X_TYPE)(in->x + segment * in->x_segment + c, n);
    if (X_BIAS)
        t += TAKE(PARAM_TYPE)(in->x_bias + c, n);
    if (DROPOUT)
        t = drop(t, in, c);
    return t;
}

static inline realv fetch(const set_inputs *in, ulong segment, uint c, uint n)
{
#pragma OPENCL FP_CONTRACT OFF
    if (PRENORM && in->sum)
        return TAKE(R_TYPE)(in->sum + c, n);
    realv s = branch(in, segment, c, n);
    if (ACT_GATE == 2) {
        const realv z = z_at(in, c, n);
        s *= z * sigmoid(z);
    }
    if (GATE)
        s = TAKE(PARAM_TYPE)(in->gate + c, n) * s;
    if (RESIDUAL)
        s = in->alpha * TAKE(R_TYPE)(in->residual + c, n) + s;
    if (ROUND_SUM)
        s = ROUND(R_TYPE)(s);
    return s;
}

/* ---- what comes out ---- */

static inline real first_lane(realv v)
{
    lanes part;
    part.v = v;
    return part.lane[0];
}

static inline realv param(const global PARAM_TYPE *p, const set_inputs *in, ulong segment, uint c,
                          uint n)
{
    if (PARAM_AXIS > 0)
        return SPLAT(PARAM_TYPE)(p + segment * in->param_segment);
    return TAKE(PARAM_TYPE)(p + c, n);
}

static inline realv weight_at(const set_inputs *in, ulong segment, uint c, uint n)
{
    if (!IS_GIVEN(GIVEN_WEIGHT, in->weight))
        return 1;
    const realv weight = param(in->weight, in, segment, c, n);
    return WEIGHT_SHIFT ? weight + in->weight_shift : weight;
}

/* x^ * weight + bias, in one expression where nothing is between: it may be one instruction. */
static inline realv affine(const set_inputs *in, realv xhat, ulong segment, uint c, uint n)
{
    if (!CAST_FIRST && IS_GIVEN(GIVEN_WEIGHT, in->weight) && IS_GIVEN(GIVEN_BIAS, in->bias))
        return xhat * weight_at(in, segment, c, n) + param(in->bias, in, segment, c, n);
    realv u = CAST_FIRST ? ROUND(Y_TYPE)(xhat) : xhat;
    if (IS_GIVEN(GIVEN_WEIGHT, in->weight))
        u *= weight_at(in, segment, c, n);
    if (CAST_FIRST)
        u = ROUND(Y_TYPE)(u);
    if (IS_GIVEN(GIVEN_BIAS, in->bias))
        u += param(in->bias, in, segment, c, n);
    return u;
}

static inline realv scale_at(const set_inputs *in, uint c, uint n)
{
    return in->scale_shift + TAKE(PARAM_TYPE)(in->scale + c, n);
}

static inline realv modulate(const set_inputs *in, realv u, uint c, uint n)
{
    if (!MODULATION)
        return u;
    const realv v = u * scale_at(in, c, n);
    return in->shift ? v + TAKE(PARAM_TYPE)(in->shift + c, n) : v;
}

/* SPDX-License-Identifier: MIT */
/* y = x^ * weight + bias and what is fused with it, a set at a time.
 *
 *   QUANT      0: y is not quantised, 1: its scale is given, 2: a scale for each row, 3: for each
 *              quant_group columns
 *   ASYMMETRIC 1: each scale has a zero point
 *   RUNNING    1: batch_norm's running statistics are brought up to date
 *   OVERLAP    1: a set's statistics are taken while the one before is written, so that reads and
 *              writes go on side by side; plain sets of one work-item
 *   SPLIT      1: the kernels are those of split.cl; NARROW: that of narrow.cl */
#ifndef QUANT
#define QUANT 0
#endif
#ifndef ASYMMETRIC
#define ASYMMETRIC 0
#endif
#ifndef RUNNING
#define RUNNING 0
#endif
#ifndef OVERLAP
#define OVERLAP 0
#endif
#ifndef SPLIT
#define SPLIT 0
#endif

#if QUANT
#define QUANT_ARGS                                                                                 \
    , MATRIX(float, qscale), MATRIX(char, qzero), VECTOR(int, qsum), uint quant_group,             \
        real qscale_min, real qscale_max, real largest_code
#else
#define QUANT_ARGS
#endif
#if RUNNING || STATS == 2
#define RUNNING_ARGS                                                                               \
    , VECTOR(real, running_mean), VECTOR(real, running_var), real momentum, real unbiased
#else
#define RUNNING_ARGS
#endif

/* x, y             elements of sets: see set.cl; y may be x
 * mean, rstd       one for each set, or NULL: not wanted; given ones are read
 * weight, bias     or NULL: 1 and 0
 * A group takes `sets_per_group` sets; `stream` lets y go past the cache. Neither changes a bit. */
#define FORWARD_ARGS                                                                               \
    MATRIX(Y_TYPE, y), VECTOR(real, mean), VECTOR(real, rstd), const MATRIX(X_TYPE, x),            \
        const VECTOR(PARAM_TYPE, weight), const VECTOR(PARAM_TYPE, bias), ulong sets, uint cols,   \
        uint stats_cols, uint sets_per_group, uint stream, real count, real divisor, real eps,     \
        real power, real weight_shift SET_ARGS QUANT_ARGS RUNNING_ARGS

typedef struct {
    global Y_TYPE *y;
    global R_TYPE *sum; /* NULL: not wanted */
    ulong y_segment;
    bool past_cache;
} set_outputs;

/* The finished value of columns c to c + n. */
static inline realv result(const set_inputs *in, const set_stats *stats, realv s, ulong segment,
                           uint c, uint n)
{
    const realv u = affine(in, normalized(stats, s), segment, c, n);
    const realv v = modulate(in, u, c, n);
    if (ACT_GATE != 1)
        return v;
    const realv z = z_at(in, c, n);
    return v * (z * sigmoid(z));
}

static inline void put_sum(const set_outputs *out, realv s, uint c, uint n)
{
    if (PRENORM && out->sum)
        PUT(R_TYPE)(s, out->sum + c, n, out->past_cache);
}

static inline void normalize(const set_outputs *out, const set_inputs *in, const set_stats *stats,
                             realv s, ulong segment, uint c, uint n)
{
    PUT(Y_TYPE)(result(in, stats, s, segment, c, n), out->y + segment * out->y_segment + c, n,
                out->past_cache);
    put_sum(out, s, c, n);
}

static inline void normalize_set(const set_outputs *out, const set_inputs *in,
                                 const set_stats *stats, ulong segments, uint cols,
                                 const realv *held)
{
    if (HOLD) {
#define STEP(k, c, n) normalize(out, in, stats, held[k], 0, c, n)
        FOR_HELD(cols, STEP)
#undef STEP
        return;
    }
#define STEP(c, n)                                                                                 \
    {                                                                                              \
        PREFETCH_NEXT(in->x, in->x_next, c);                                                       \
        if (RESIDUAL)                                                                              \
            PREFETCH_NEXT(in->residual, in->residual_next, c);                                     \
        normalize(out, in, stats, fetch(in, segment, c, n), segment, c, n);                        \
    }
    for (ulong segment = 0; segment < segments; segment++)
        FOR_SEGMENT(cols, TEAM_LANE, TEAM_SIZE, STEP)
#undef STEP
}

#if OVERLAP
/* The other set's values are loaded before this one's are stored: a load behind a store to the same
 * place in another page waits for it. Sums are added up as in deviations_part. */
static inline void normalize_and_look_ahead(const set_outputs *out, const set_inputs *in,
                                            const set_stats *stats, const set_inputs *next,
                                            set_stats *next_stats, const set_shape *shape)
{
    const real hi = CENTER ? guessed_mean(next, shape, 1) : 0;
    sums total = {{0, 0}, {0, 0}, {0, 0}};
#define STEP(part, c, n)                                                                           \
    {                                                                                              \
        const realv s = fetch(in, 0, c, n), e = centered(fetch(next, 0, c, n), n, 1, hi);          \
        normalize(out, in, stats, s, 0, c, n);                                                     \
        add_deviation(part, e, 0, shape->power);                                                   \
        PREFETCH(next->x + (c) + AHEAD(X_TYPE));                                                   \
    }
    ADD_SEGMENT_IN_PAIRS(total, shape->cols, 0, 1, STEP)
#undef STEP
    finish_stats(next_stats, own_totals(&total), shape, 1, hi);
}
#endif

/* ---- quantised outputs ---- */

typedef union {
    VN(int) v;
    int lane[VEC];
} lanes_i32;

typedef struct {
    real scale, zero;
    real factor; /* 1 / scale, beside a zero point that is computed */
} quantiser;

/* KleidiAI's form of asymmetric scales: 0 is always a code. */
static inline void asymmetric(quantiser *q, real most, real least)
{
    const real hi = most < 0 ? 0 : most, lo = least > 0 ? 0 : least, range = hi - lo;
    const real factor = range > 0 ? 255 / range : 1;
    const real low = lo * factor, high = hi * factor;
    const real zero = low - 128 + (high + 127) > 0 ? -128 - low : 127 - high;
    q->factor = factor;
    q->scale = range > 0 ? range / 255 : range == 0 ? 1 : range;
    q->zero = isnan(zero) ? 0 : rint(clamp(zero, (real)-128, (real)127));
}

static inline void symmetric(quantiser *q, real largest, real largest_code, real scale_min,
                             real scale_max)
{
    real scale = largest / largest_code;
    scale = scale_max > 0 && scale > scale_max ? scale_max : scale;
    q->scale = scale < scale_min ? scale_min : scale;
}

/* (largest y or |y|, largest -y) of the columns, and of 0, which is always a code. */
static inline real4 extremes(const set_inputs *in, const set_stats *stats, uint from, uint to,
                             local real4 *scratch)
{
    realv most = 0, least = 0;
#define STEP(c, n)                                                                                 \
    {                                                                                              \
        const realv y = first_lanes(result(in, stats, fetch(in, 0, c, n), 0, c, n), n);            \
        most = ASYMMETRIC ? larger(most, y) : larger_size(most, y);                                \
        if (ASYMMETRIC)                                                                            \
            least = larger(least, -y);                                                             \
    }
    FOR_COLUMNS(from, to, TEAM_LANE, TEAM_SIZE, STEP)
#undef STEP
    return team_largest((real4)(largest_lane(most), largest_lane(least), 0, 0), scratch);
}

static inline realv code_of(realv y, const quantiser *q)
{
    if (!ASYMMETRIC)
        return y / q->scale;
    return rint(QUANT == 1 ? y / q->scale : y * q->factor) + q->zero;
}

/* The sum of this work-item's codes, if it is wanted. */
static inline int put_codes(const set_outputs *out, const set_inputs *in, const set_stats *stats,
                            const quantiser *q, uint from, uint to, bool wants_sum)
{
    lanes_i32 sum;
    sum.v = 0;
#define STEP(c, n)                                                                                 \
    {                                                                                              \
        const realv s = fetch(in, 0, c, n);                                                        \
        PREFETCH_NEXT(in->x, in->x_next, c);                                                       \
        const realv code = code_of(result(in, stats, s, 0, c, n), q);                              \
        put_sum(out, s, c, n);                                                                     \
        PUT(Y_TYPE)(code, out->y + (c), n, out->past_cache);                                       \
        if (wants_sum)                                                                             \
            sum.v += VN(convert_int)(first_lanes(ROUND(Y_TYPE)(code), n));                         \
    }
    FOR_COLUMNS(from, to, TEAM_LANE, TEAM_SIZE, STEP)
#undef STEP
    int total = 0;
    for (uint k = 0; k < VEC; k++)
        total += sum.lane[k];
    return total;
}

/* In two parts, which float adds up without rounding. */
static inline int team_int_total(int own, local real4 *scratch)
{
    const real4 total = team_total((real4)(own & 0xfff, own >> 12, 0, 0), scratch);
    return (int)total.x + (int)total.y * 4096;
}

/* ---- where the kernel's arguments begin for a set ---- */

#if PRENORM
#define FIND_SUM(out, q) out.sum = SET_OF(sum, q);
#else
#define FIND_SUM(out, q)
#endif
#define FIND_OUTPUTS(out, q)                                                                       \
    set_outputs out = {SET_OF(y, q), 0, SEGMENT_OF(y_stride), false};                              \
    FIND_SUM(out, q)                                                                               \
    out.past_cache =                                                                               \
        stream && out.y_segment % VEC == 0 && STREAMABLE(out.y) && STREAMABLE(out.sum);

/* A load waits for a non-temporal store that went a little before it to the same place of another
 * page, until that is in memory. With four streams that costs more than such stores gain. */
#define IS_BEHIND(load, store) ((((uint)(ulong)(store) - (uint)(ulong)(load)) & 4095) - 1 < 511)
static inline bool loads_wait(const set_outputs *out, const set_inputs *in)
{
    if (!RESIDUAL)
        return false;
    return IS_BEHIND(in->x, out->y) || IS_BEHIND(in->residual, out->y) ||
           (out->sum && (IS_BEHIND(in->x, out->sum) || IS_BEHIND(in->residual, out->sum)));
}

/* ---- the kernel ---- */

#if !SPLIT && !NARROW
__attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) SUBGROUP_SIZE_ATTRIBUTE kernel void
forward_norm(FORWARD_ARGS)
{
#if STATS == 0 || QUANT
    local real4 scratch[GROUP_SIZE];
#endif
    const set_shape shape = {SET_SEGMENTS, stats_cols, count, divisor, eps, power};
    const ulong first = get_group_id(0) * (ulong)sets_per_group;
    const ulong end = min(first + sets_per_group, sets);
    set_stats stats;
#if OVERLAP
    bool known = false; /* from the round before */
#endif
    for (ulong round = first; round < end; round += TEAMS) {
        const ulong own_set = round + OWN_TEAM;
        const bool idle = TEAMS > 1 && own_set >= end; /* only there for the others' barriers */
        const ulong q = idle ? end - 1 : own_set;
        FIND_SET(in, q)
        FIND_OUTPUTS(out, q)
        out.past_cache = out.past_cache && !loads_wait(&out, &in);
        FIND_HELD(own_held, &in, cols)
#if OVERLAP
        if (!known)
#endif
            FIND_STATS(stats, in, shape, q)
        if (TEAM_SIZE > 1)
            barrier(CLK_GLOBAL_MEM_FENCE); /* y may be x, and all have read the set now */
#if OVERLAP
        set_stats ahead;
        FIND_SET(next, min(q + 1, end - 1))
        normalize_and_look_ahead(&out, &in, &stats, &next, &ahead, &shape);
#elif QUANT
        const uint group_cols = QUANT == 3 ? quant_group : cols;
        out.past_cache = out.past_cache && group_cols % VEC == 0;
        int codes = 0;
        for (uint from = 0; from < cols; from += group_cols) {
            const uint group = from / group_cols;
            quantiser quant = {1, 0, 1};
            if (QUANT == 1) {
                quant.scale = qscale[qscale_offset];
                quant.zero = ASYMMETRIC ? qzero[qzero_offset] : 0;
            } else {
                const real4 most = extremes(&in, &stats, from, from + group_cols, scratch);
                if (ASYMMETRIC)
                    asymmetric(&quant, most.x, -most.y);
                else
                    symmetric(&quant, most.x, largest_code, qscale_min, qscale_max);
            }
            codes += put_codes(&out, &in, &stats, &quant, from, from + group_cols, qsum != 0);
            if (QUANT > 1 && TEAM_LANE == 0)
                qscale[qscale_offset + q * qscale_stride + group] = quant.scale;
            if (QUANT > 1 && ASYMMETRIC && TEAM_LANE == 0)
                qzero[qzero_offset + q * qzero_stride + group] = (char)quant.zero;
        }
        codes = team_int_total(codes, scratch);
        if (qsum && TEAM_LANE == 0)
            qsum[qsum_offset + q] = codes;
#else
        if (!idle)
            normalize_set(&out, &in, &stats, shape.segments, cols, own_held);
#endif
#if STATS == 0
        if (mean && !idle && TEAM_LANE == 0)
            mean[mean_offset + q] = mean_of(&stats);
        if (rstd && !idle && TEAM_LANE == 0)
            rstd[rstd_offset + q] = stats.rstd * stats.scale;
#endif
#if RUNNING
        if (running_mean && TEAM_LANE == 0) {
            global real *m = running_mean + running_mean_offset + q;
            global real *v = running_var + running_var_offset + q;
            const real variance = stats.variance * unscale(&stats) * unscale(&stats);
            *m = (1 - momentum) * *m + momentum * mean_of(&stats);
            *v = (1 - momentum) * *v + momentum * (variance * unbiased);
        }
#endif
#if OVERLAP
        stats = ahead;
        known = is_settled(&stats, eps);
#endif
    }
}
#endif

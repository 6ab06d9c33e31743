/* SPDX-License-Identifier: MIT */
/* Row normalization: y = (x - mean) * rstd * weight + bias, a row at a time.
 *
 *   CENTER   1: LayerNorm, arXiv:1607.06450 eq. 3 and 4;  0: RMSNorm (mean = 0), arXiv:1910.07467
 *
 * The mean is kept as hi + lo: hi is rounded, and a second pass over x - hi finds what the rounding
 * lost, so that y is right whatever the mean of the row is. */
#ifndef CENTER
#define CENTER 1
#endif

/* Squares of f32 overflow above 2^64 and vanish below 2^-75 (f64: 2^512 and 2^-537). Such rows are
 * done again on x * SCALE_DOWN or x * SCALE_UP; the limits leave room for 2^31 columns. */
#if ARITHMETIC == 64
#define SCALE_UP 0x1p700
#define SCALE_DOWN 0x1p-700
#define TINY_RSTD 0x1p350
#define TINY_MEAN 0x1p-233
#else
#define SCALE_UP 0x1p90f
#define SCALE_DOWN 0x1p-90f
#define TINY_RSTD 0x1p45f
#define TINY_MEAN 0x1p-30f
#endif

typedef struct {
    real scale, hi, lo, rstd; /* of x * scale: its mean is hi + lo */
    int hopeless;             /* x has NaN or infinity, and all of the statistics are NaN */
} row_stats;

/* x * scale - shift. scale is a power of two, so the product is exact, fused or not. */
static inline realv centered(const global X_TYPE *x, real scale, real shift)
{
    return LOAD(X_TYPE)(x) * scale - shift;
}

/* The same for the last columns of a row; 0, which changes no sum, past its end. */
static inline realv centered_tail(const global X_TYPE *x, uint left, real scale, real shift)
{
    lanes tail;
    for (uint k = 0; k < VEC; k++)
        tail.lane[k] = k < left ? LOAD1(X_TYPE)(x + k) * scale - shift : 0;
    return tail.v;
}

static inline realv param_tail(const global PARAM_TYPE *p, uint left)
{
    lanes tail;
    for (uint k = 0; k < VEC; k++)
        tail.lane[k] = k < left ? LOAD1(PARAM_TYPE)(p + k) : 0;
    return tail.v;
}

static inline void store_tail(realv v, global Y_TYPE *y, uint left)
{
    lanes tail;
    tail.v = v;
    for (uint k = 0; k < VEC; k++)
        if (k < left)
            STORE1(Y_TYPE)(tail.lane[k], y + k);
}

/* This work-item's part of the sum of x * scale - shift. */
static inline real sum_part(const global X_TYPE *x, uint cols, real scale, real shift, uint lane,
                            uint size)
{
    blocked_sum sum = {0, 0};
    FOR_BLOCKS(block, cols, size) {
        const uint end = BLOCK_END(block, cols, size);
        uint c = block + VEC * lane;
        realv part = 0;
        FOR_VECTORS(c, end, size)
            part += centered(x + c, scale, shift);
        if (c < end)
            part += centered_tail(x + c, end - c, scale, shift);
        fold_block(&sum, part);
    }
    return own_total(sum);
}

static inline void add_deviation(realv e, realv *sum, realv *squares)
{
    *sum += e;
    *squares += e * e;
}

/* This work-item's part of the sums over x * scale - hi: (sum, squares, 0, 0). Where others share the
 * row the third is NaN instead if x is not finite. */
static inline real4 deviations_part(const global X_TYPE *x, uint cols, real scale, real hi,
                                    uint lane, uint size)
{
    blocked_sum sum = {0, 0}, squares = {0, 0};
    realv zero = 0;
    FOR_BLOCKS(block, cols, size) {
        const uint end = BLOCK_END(block, cols, size);
        uint c = block + VEC * lane;
        realv part = 0, part_squares = 0;
        FOR_VECTORS(c, end, size) {
            add_deviation(centered(x + c, scale, hi), &part, &part_squares);
            if (GROUP_SIZE > 1)
                zero += centered(x + c, 0, 0);
        }
        if (c < end) {
            add_deviation(centered_tail(x + c, end - c, scale, hi), &part, &part_squares);
            if (GROUP_SIZE > 1)
                zero += centered_tail(x + c, end - c, 0, 0);
        }
        fold_block(&sum, part);
        fold_block(&squares, part_squares);
    }
    const blocked_sum zeros = {zero, 0};
    return (real4)(own_total(sum), own_total(squares), GROUP_SIZE > 1 ? own_total(zeros) : 0, 0);
}

static inline row_stats finish_stats(real4 d, uint cols, real eps, real scale, real hi)
{
    const real sum = d.x, squares = d.y;
    const real lo = CENTER ? sum / cols : 0;
    const real variance = (squares - (CENTER ? sum * lo : 0)) / cols;
    const real positive = variance < 0 ? 0 : variance; /* fmax would hide a NaN */
    const row_stats stats = {scale, hi, lo, rsqrt(positive + eps * scale * scale), isnan(d.z)};
    return stats;
}

/* The first guess of the mean is x[0] + the mean of the differences to x[0]: exact for constant
 * rows, and as accurate for a row around 1e6 as for one around 0. */
static inline row_stats group_stats(const global X_TYPE *x, uint cols, real eps,
                                    local real4 *scratch)
{
    const uint lane = GROUP_LANE;
    const real first = LOAD1(X_TYPE)(x);
    real hi = 0;
    if (CENTER) {
        const real own = sum_part(x, cols, 1, first, lane, GROUP_SIZE);
        hi = first + group_total((real4)(own, 0, 0, 0), scratch).x / cols;
    }
    const real4 own = deviations_part(x, cols, 1, hi, lane, GROUP_SIZE);
    return finish_stats(group_total(own, scratch), cols, eps, 1, hi);
}

/* The second try, of a row that was out of range. It is rare, so each work-item does it alone: no
 * barrier stands under a condition, which some compilers get wrong even where all of the group take
 * the same way. */
static inline row_stats rescued_stats(const global X_TYPE *x, uint cols, real eps, real scale)
{
    const real first = LOAD1(X_TYPE)(x) * scale;
    const real hi = CENTER ? first + sum_part(x, cols, scale, first, 0, 1) / cols : 0;
    return finish_stats(deviations_part(x, cols, scale, hi, 0, 1), cols, eps, scale, hi);
}

/* Sums that overflow give NaN where they are folded and infinity elsewhere: rstd is NaN or 0. A row
 * with NaN or infinity becomes NaN under any scale; a group need not see that 256 times. */
static inline real better_scale(row_stats stats, real eps)
{
    if (!(stats.rstd > 0))
        return stats.hopeless ? 1 : SCALE_DOWN;
    const bool tiny = eps < SCALE_DOWN && stats.rstd > TINY_RSTD && fabs(stats.hi) < TINY_MEAN;
    return tiny ? SCALE_UP : 1;
}

static inline void normalize_row(global Y_TYPE *y, const global X_TYPE *x,
                                 const global PARAM_TYPE *weight, const global PARAM_TYPE *bias,
                                 uint cols, const global X_TYPE *next_x,
                                 row_stats stats, bool stream)
{
    uint c = VEC * GROUP_LANE;
    FOR_VECTORS(c, cols, GROUP_SIZE) {
        realv out = (centered(x + c, stats.scale, stats.hi) - stats.lo) * stats.rstd;
        if (weight)
            out *= LOAD(PARAM_TYPE)(weight + c);
        if (bias)
            out += LOAD(PARAM_TYPE)(bias + c);
        if (stream)
            STREAM(Y_TYPE)(out, y + c);
        else
            STORE(Y_TYPE)(out, y + c);
        PREFETCH(next_x + c);
    }
    if (c < cols) {
        const uint left = cols - c;
        realv out = (centered_tail(x + c, left, stats.scale, stats.hi) - stats.lo) * stats.rstd;
        if (weight)
            out *= param_tail(weight + c, left);
        if (bias)
            out += param_tail(bias + c, left);
        store_tail(out, y + c, left);
    }
}

/* x, y             rows x cols, row r at offset + r * stride (elements); y may be x
 * weight, bias     cols, or NULL: 1 and 0
 * mean, rstd       rows, or NULL: not wanted
 * A group takes `rows_per_group` rows; `stream` lets y go past the cache. Neither changes a bit. */
__attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) kernel void
row_norm_forward(global Y_TYPE *y, global real *mean, global real *rstd, const global X_TYPE *x,
                 const global PARAM_TYPE *weight, const global PARAM_TYPE *bias, ulong y_offset,
                 ulong mean_offset, ulong rstd_offset, ulong x_offset, ulong weight_offset,
                 ulong bias_offset, ulong y_stride, ulong x_stride, ulong rows, uint cols,
                 uint rows_per_group, uint stream, real eps)
{
    local real4 scratch[GROUP_SIZE];
    const global PARAM_TYPE *w = weight ? weight + weight_offset : 0;
    const global PARAM_TYPE *b = bias ? bias + bias_offset : 0;
    const ulong first = get_group_id(0) * (ulong)rows_per_group;
    const ulong end = min(first + rows_per_group, rows);
    for (ulong row = first; row < end; row++) {
        const global X_TYPE *x_row = x + x_offset + row * x_stride;
        global Y_TYPE *y_row = y + y_offset + row * y_stride;
        row_stats stats = group_stats(x_row, cols, eps, scratch);
        const real scale = better_scale(stats, eps);
        if (scale != 1)
            stats = rescued_stats(x_row, cols, eps, scale);
        if (GROUP_SIZE > 1)
            barrier(CLK_GLOBAL_MEM_FENCE); /* y may be x, and all have read the row now */
        normalize_row(y_row, x_row, w, b, cols, x_row + x_stride, stats,
                      stream && STREAMABLE(y_row));
        if (mean && GROUP_LANE == 0) {
            const real unscale = stats.scale > 1 ? SCALE_DOWN : stats.scale < 1 ? SCALE_UP : 1;
            mean[mean_offset + row] = (stats.hi + stats.lo) * unscale;
        }
        if (rstd && GROUP_LANE == 0)
            rstd[rstd_offset + row] = stats.rstd * stats.scale;
    }
}

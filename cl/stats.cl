/* SPDX-License-Identifier: MIT */
/* Mean and rstd of a set. The mean is kept as hi + lo: hi is rounded, and a second pass over s - hi
 * finds what the rounding lost, so that y is right whatever the mean is.
 *
 *   CENTER     1: the mean is subtracted: LayerNorm, arXiv:1607.06450 eq. 3 and 4;
 *              0: it is 0: RMSNorm, arXiv:1910.07467
 *   POWER      of the values that are added up: 2, 1, or 0 for any other, given as `power`
 *   EPS_MODE   0: rstd = 1 / sqrt(v + eps), 1: 1 / (sqrt(v) + eps), 2: 1 / max(sqrt(v), eps)
 *   NO_SCALE   1: rstd = 1
 *   ZERO_NORM  1: a norm of 0 gives rstd = 0
 *   STATS      0: computed, 1: mean and rstd are given, 2: running mean and variance are
 *   SAVED      1: mean and rstd of the forward pass are there
 *   FROM_OUTPUT  1: so is rstd, and x^ is found from y */
#ifndef CENTER
#define CENTER 1
#endif
#ifndef POWER
#define POWER 2
#endif
#ifndef EPS_MODE
#define EPS_MODE 0
#endif
#ifndef NO_SCALE
#define NO_SCALE 0
#endif
#ifndef ZERO_NORM
#define ZERO_NORM 0
#endif
#ifndef STATS
#define STATS 0
#endif
#ifndef SAVED
#define SAVED 0
#endif
#ifndef FROM_OUTPUT
#define FROM_OUTPUT 0
#endif

/* Squares of f32 overflow above 2^64 and vanish below 2^-75 (f64: 2^512 and 2^-537). Such sets are
 * done again on s * SCALE_DOWN or s * SCALE_UP; the limits leave room for 2^31 columns. */
#if ARITHMETIC == 64
#define SCALE_UP 0x1p700
#define SCALE_DOWN 0x1p-700
#define TINY_RSTD 0x1p350
#define WIDE_RSTD 0x1p-512
#define TINY_MEAN 0x1p-233
#define MOST_EXPONENT 1022
#define ROUNDING 0x1p-53
#else
#define SCALE_UP 0x1p90f
#define SCALE_DOWN 0x1p-90f
#define TINY_RSTD 0x1p45f
#define WIDE_RSTD 0x1p-64f
#define TINY_MEAN 0x1p-30f
#define MOST_EXPONENT 126
#define ROUNDING 0x1p-24f
#endif

typedef struct {
    real scale, hi, lo, rstd; /* of s * scale: its mean is hi + lo */
    real shift;               /* lo * rstd */
    real variance;            /* of s * scale, divided by N */
    int hopeless;             /* s has NaN or infinity, and all of the statistics are NaN */
} set_stats;

/* How many columns of a segment the statistics are taken of, and what the sums are divided by. */
typedef struct {
    ulong segments;
    uint cols;
    real count, divisor, eps, power;
} set_shape;

/* s * scale - shift. scale is a power of two, so the product is exact, fused or not. Past the last
 * column it is 0, which changes no sum. */
static inline realv centered(realv s, uint n, real scale, real shift)
{
    return first_lanes(s * scale - shift, n);
}

/* Where x^ is found from y, x need not be there. */
static inline realv s_at(const set_inputs *in, ulong segment, uint c, uint n)
{
    return FROM_OUTPUT ? 0 : fetch(in, segment, c, n);
}

/* Work-items of a team share the columns; one alone has all of them. `alone` is a literal: rusticl
 * 22.3 ends a loop early whose step is not a constant. */
#define LANE_IF(alone) ((alone) ? 0u : TEAM_LANE)
#define SIZE_IF(alone) ((alone) ? 1u : (uint)TEAM_SIZE)

/* The values of this work-item's columns, where it HOLDs them. */
#if HOLD
#define FIND_HELD(held, in, cols)                                                                  \
    realv held[HOLD];                                                                              \
    hold_values(held, in, cols);

static inline void hold_values(realv *values, const set_inputs *in, uint cols)
{
#define STEP(k, c, n) values[k] = s_at(in, 0, c, n)
    FOR_HELD(cols, STEP)
#undef STEP
}
#else
#define FIND_HELD(held, in, cols) const realv *held = 0;
#endif

/* This work-item's part of the sum of s * scale - shift. */
static inline real sum_part(const set_inputs *in, const set_shape *shape, real scale, real shift,
                            const realv *held, bool alone)
{
    sums total = {{0, 0}, {0, 0}, {0, 0}};
    if (HOLD && !alone) {
#define STEP(k, c, n) total.a.hi += centered(held[k], n, scale, shift)
        FOR_HELD(shape->cols, STEP)
#undef STEP
        return own_total(total.a);
    }
#define STEP(part, c, n) (part)->a += centered(fetch(in, segment, c, n), n, scale, shift)
    for (ulong segment = 0; segment < shape->segments; segment++)
        ADD_SEGMENT_OF_SET(total, shape->cols, LANE_IF(alone), SIZE_IF(alone), STEP)
#undef STEP
    return own_total(total.a);
}

static inline void add_deviation(parts *part, realv e, realv s, real power)
{
    part->a += e;
    part->b += POWER == 2 ? e * e : POWER == 1 ? fabs(e) : pow(fabs(e), (realv)(power));
    if (TEAM_SIZE > 1)
        part->c += s * 0;
}

/* This work-item's part of the sums over s * scale - hi: (sum, powers, 0, 0). Where others share the
 * set the third is NaN instead if s is not finite. */
static inline real4 deviations_part(const set_inputs *in, const set_shape *shape, real scale,
                                    real hi, const realv *held, bool alone)
{
    sums total = {{0, 0}, {0, 0}, {0, 0}};
    if (HOLD && !alone) {
        parts held_part = {0, 0, 0};
#define STEP(k, c, n)                                                                              \
    add_deviation(&held_part, centered(held[k], n, scale, hi),                                     \
                  centered(held[k], n, 1, 0), shape->power)
        FOR_HELD(shape->cols, STEP)
#undef STEP
        fold_parts(&total, &held_part);
        return own_totals(&total);
    }
#define STEP(part, c, n)                                                                           \
    {                                                                                              \
        const realv s = fetch(in, segment, c, n);                                                  \
        add_deviation(part, centered(s, n, scale, hi), centered(s, n, 1, 0), shape->power);        \
    }
    for (ulong segment = 0; segment < shape->segments; segment++)
        ADD_SEGMENT_OF_SET(total, shape->cols, LANE_IF(alone), SIZE_IF(alone), STEP)
#undef STEP
    return own_totals(&total);
}

static inline real norm_of(real v, real power)
{
    return POWER == 2 ? sqrt(v) : POWER == 1 ? v : pow(v, 1 / power);
}

static inline real rstd_of(real v, real eps, real power, real scale)
{
    if (POWER == 2 && EPS_MODE == 0)
        return ZERO_NORM && v + eps * scale * scale == 0 ? 0 : rsqrt(v + eps * scale * scale);
    const real norm = norm_of(v, power);
    const real divisor = EPS_MODE == 1   ? norm + eps * scale
                         : EPS_MODE == 2 ? (norm < eps * scale ? eps * scale : norm)
                                         : norm;
    return ZERO_NORM && divisor == 0 ? 0 : 1 / divisor;
}

/* Structs are filled through pointers: Oclgrind cannot take functions that return them in loops. */
static inline void finish_stats(set_stats *stats, real4 d, const set_shape *shape, real scale,
                                real hi)
{
    const real sum = d.x, powers = d.y;
    const real lo = CENTER ? sum / shape->count : 0;
    const real total = powers - (CENTER ? sum * lo : 0);
    const real positive = total < 0 ? 0 : total; /* fmax would hide a NaN */
    stats->scale = scale;
    stats->hi = hi;
    stats->lo = lo;
    stats->variance = positive / shape->count;
    stats->hopeless = isnan(d.z);
    stats->rstd = NO_SCALE ? (isfinite(hi + lo) ? 1 / scale : (real)NAN)
                           : rstd_of(positive / shape->divisor, shape->eps, shape->power, scale);
    stats->shift = CENTER ? lo * stats->rstd : 0;
}

/* The first vectors, which a first guess of the mean is taken of; 0: there is none. They are a quarter
 * of all of narrow rows, and 4, 2 or 1, so that the guess is exact for constant sets. */
static inline uint guess_vectors(uint cols)
{
    if (!NARROW)
        return cols >= 4 * VEC ? 4 : 0;
    return cols >= 16 * VEC ? 4 : cols >= 8 * VEC ? 2 : cols >= VEC;
}

static inline realv guess_sum(const set_inputs *in, uint vectors, real scale)
{
    realv sum = 0;
    UNROLLED(4) for (uint k = 0; k < vectors; k++)
        sum += fetch(in, 0, k * VEC, VEC) * scale;
    return sum;
}

/* The guess, or s[0], which cannot overflow. Part of a vector is slow to load, so s[0] is only taken
 * where it is needed. */
static inline real guess_of(const set_inputs *in, real mean, real scale)
{
    return isfinite(mean) ? mean : first_lane(fetch(in, 0, 0, 1)) * scale;
}

static inline real guessed_mean(const set_inputs *in, const set_shape *shape, real scale)
{
    const uint vectors = guess_vectors(shape->cols);
    real mean = NAN;
    if (vectors > 0)
        mean = lane_total(guess_sum(in, vectors, scale)) / (vectors * VEC);
    return guess_of(in, mean, scale);
}

#if TEAM_SIZE == 1
/* The variance is what squares leave over of the square of this: a second pass finds more digits. */
static inline bool is_off_center(const set_stats *stats)
{
    return CENTER && stats->lo * stats->lo > stats->variance;
}
#else
static inline void team_stats(set_stats *stats, const set_inputs *in, const set_shape *shape,
                              real scale, const realv *held, local real4 *scratch)
{
    real hi = 0;
    if (CENTER) {
        const real guess = guessed_mean(in, shape, scale);
        const real sum = sum_part(in, shape, scale, guess, held, false);
        hi = guess + team_total((real4)(sum, 0, 0, 0), scratch).x / shape->count;
    }
    const real4 part = deviations_part(in, shape, scale, hi, held, false);
    finish_stats(stats, team_total(part, scratch), shape, scale, hi);
}
#endif

/* Sums that overflow give NaN where they are folded and infinity elsewhere: rstd is NaN or 0. A set
 * with NaN or infinity becomes NaN under any scale; a group need not see that 256 times. */
static inline real better_scale(const set_stats *stats, real eps)
{
    if (POWER == 0)
        return stats->scale;
    if (ZERO_NORM && stats->rstd == 0 && stats->variance == 0)
        return SCALE_UP; /* of zeros, or of values whose powers vanish */
    if (!(stats->rstd > 0))
        return stats->hopeless ? 1 : SCALE_DOWN;
    const bool tiny = eps < SCALE_DOWN && stats->rstd > TINY_RSTD && fabs(stats->hi) < TINY_MEAN;
    return tiny && !NO_SCALE ? SCALE_UP : 1;
}

/* For powers other than 1 and 2: a power of two that makes all values less than 1. */
static inline real scale_of_largest(const set_inputs *in, const set_shape *shape,
                                    local real4 *scratch)
{
    realv most = 0;
#define STEP(c, n) most = larger_size(most, centered(fetch(in, segment, c, n), n, 1, 0))
    for (ulong segment = 0; segment < shape->segments; segment++)
        FOR_SEGMENT(shape->cols, TEAM_LANE, TEAM_SIZE, STEP)
#undef STEP
    const real size = team_largest((real4)(largest_lane(most), 0, 0, 0), scratch).x;
    if (!(size > 0) || isinf(size))
        return 1;
    return ldexp((real)1, min(-ilogb(size) - 1, MOST_EXPONENT));
}

#if TEAM_SIZE == 1
/* Nothing is left to be done for a set whose statistics were found at a scale of 1. */
static inline bool is_settled(const set_stats *stats, real eps)
{
    return better_scale(stats, eps) == 1 && !is_off_center(stats);
}
#endif

/* ---- all together ---- */

/* A set that was out of range is done again. In a team each work-item does it alone, as it is rare:
 * no barrier stands under a condition, which some compilers get wrong even where all of the group
 * take the same way. A work-item by itself takes the same code twice, which is less to compile.
 * Compilers must not make a function of it where a program has two kernels: all that it is given
 * would be in memory. */
#define INTO_KERNEL static inline __attribute__((always_inline))
#if TEAM_SIZE == 1
INTO_KERNEL void computed_stats(set_stats *stats, const set_inputs *in, const set_shape *shape,
                                const realv *held, local real4 *scratch)
{
    const real first = POWER == 0 ? scale_of_largest(in, shape, scratch) : 1;
    real scale = first, hi = CENTER ? guessed_mean(in, shape, scale) : 0;
    for (uint try = 0; try < 4; try++) {
        finish_stats(stats, deviations_part(in, shape, scale, hi, held, false), shape, scale, hi);
        const real better = scale == first ? better_scale(stats, shape->eps) : scale;
        if (better == scale && !is_off_center(stats))
            break;
        hi = CENTER && better != scale ? guessed_mean(in, shape, better) : hi + stats->lo;
        scale = better;
    }
}
#else
static inline void rescued_stats(set_stats *stats, const set_inputs *in, const set_shape *shape,
                                 real scale)
{
    real hi = 0;
    if (CENTER) {
        const real guess = guessed_mean(in, shape, scale);
        hi = guess + sum_part(in, shape, scale, guess, 0, true) / shape->count;
    }
    finish_stats(stats, deviations_part(in, shape, scale, hi, 0, true), shape, scale, hi);
}

INTO_KERNEL void computed_stats(set_stats *stats, const set_inputs *in, const set_shape *shape,
                                const realv *held, local real4 *scratch)
{
    const real first = POWER == 0 ? scale_of_largest(in, shape, scratch) : 1;
    team_stats(stats, in, shape, first, held, scratch);
    const real scale = better_scale(stats, shape->eps);
    if (scale != first)
        rescued_stats(stats, in, shape, scale);
}
#endif

/* What turns a value of s * scale into one of s. */
static inline real unscale(const set_stats *stats)
{
    return POWER == 0 ? 1 / stats->scale
                      : stats->scale > 1 ? SCALE_DOWN : stats->scale < 1 ? SCALE_UP : 1;
}

/* The same for a set that has them already. Where rstd is very small, s - mean could overflow. */
static inline void given_stats(set_stats *stats, real mean, real rstd)
{
    const bool wide = fabs(rstd) < WIDE_RSTD;
    stats->scale = wide ? SCALE_DOWN : 1;
    stats->hi = mean * stats->scale;
    stats->lo = stats->shift = 0;
    stats->rstd = wide ? rstd * SCALE_UP : rstd;
    stats->variance = 0;
}

/* Those of set q, of the kernel's arguments or of its elements. */
#if FROM_OUTPUT
#define FIND_STATS(stats, in, shape, q) given_stats(&stats, 0, rstd[rstd_offset + (q)]);
#elif STATS == 2
#define FIND_STATS(stats, in, shape, q)                                                            \
    given_stats(&stats, running_mean[running_mean_offset + (q)],                                   \
                rstd_of(running_var[running_var_offset + (q)], eps, 2, 1));
#elif STATS == 1 || SAVED
#define FIND_STATS(stats, in, shape, q)                                                            \
    given_stats(&stats, CENTER ? mean[mean_offset + (q)] : 0, rstd[rstd_offset + (q)]);
#else
#define FIND_STATS(stats, in, shape, q) computed_stats(&stats, &in, &shape, own_held, scratch);
#endif

static inline real mean_of(const set_stats *stats)
{
    return (stats->hi + stats->lo) * unscale(stats);
}

/* x^, not yet multiplied by anything. */
static inline realv normalized(const set_stats *stats, realv s)
{
    return (s * stats->scale - stats->hi) * stats->rstd - stats->shift;
}

/* The factor of the gradient's last term that depends on where eps is. What it is multiplied with is
 * of the size of (1 - eps * rstd), so it may be cut off where only rounding is left. */
static inline real kappa_of(real rstd, real eps)
{
    const real rest = 1 - eps * rstd;
    if (EPS_MODE == 0)
        return 1;
    return rest <= 4 * ROUNDING ? 0 : EPS_MODE == 1 ? 1 / rest : 1;
}

/* The derivative of the norm by x^: x^ for a power of 2. */
static inline realv direction(realv xhat, real power)
{
    if (POWER == 2)
        return xhat;
    if (POWER == 1)
        return sign(xhat);
    return copysign(pow(fabs(xhat), (realv)(power - 1)), xhat);
}

/* SPDX-License-Identifier: MIT */
/* Gradients. With h = dy * weight and a set of N elements (docs/numerics.md):
 *
 *   ds = rstd * (h - sum(h) / N - x^ * kappa * sum(h * x^) / (N - ddof)) + dsum
 *
 * and from there through the branch to x and the residual. Gradients of parameters are sums over
 * rows: a group adds up those of a slab, and leaves them in a line, or its part of one, for sums.cl.
 *
 *   DY_TYPE, DX_TYPE, DPARAM_TYPE   storage of dy and dsum; of dx, dresidual, dz; of gradients of
 *                  parameters that are complete here
 *   PARAM_ROWS     1: a weight for each row
 *   MOD_ROWS       1: gate, scale and shift for each row
 *   SLABS          1: a team takes a slab of rows, with a line; 0: it takes `sets_per_group` sets
 *   PARTIAL        1: the statistics are those of the first stats_cols columns */
#ifndef DY_TYPE
#define DY_TYPE f32
#endif
#ifndef DX_TYPE
#define DX_TYPE f32
#endif
#ifndef DPARAM_TYPE
#define DPARAM_TYPE f32
#endif
#ifndef PARAM_ROWS
#define PARAM_ROWS 0
#endif
#ifndef MOD_ROWS
#define MOD_ROWS 0
#endif
#ifndef SLABS
#define SLABS 1
#endif
#ifndef PARTIAL
#define PARTIAL 0
#endif

/* Where a gradient's lines begin in the workspace; not wanted. */
#define NOT_WANTED (~(ulong)0)

#if PRENORM
#define PRENORM_GRADS , MATRIX(DX_TYPE, dresidual), ulong dx_bias_lines
#else
#define PRENORM_GRADS
#endif
#if GATE
#define GATE_GRADS , MATRIX(DPARAM_TYPE, dgate), ulong dgate_lines
#else
#define GATE_GRADS
#endif
#if MODULATION
#define MODULATION_GRADS                                                                           \
    , MATRIX(DPARAM_TYPE, dscale), MATRIX(DPARAM_TYPE, dshift), ulong dscale_lines,                \
        ulong dshift_lines
#else
#define MODULATION_GRADS
#endif
#if ACT_GATE
#define ACT_GRADS , MATRIX(DX_TYPE, dz)
#else
#define ACT_GRADS
#endif
#if FROM_OUTPUT
#define OUTPUT_ARGS , const MATRIX(Y_TYPE, y)
#else
#define OUTPUT_ARGS
#endif
#if STATS == 1
#define STATS_GRADS , VECTOR(real, dmean), VECTOR(real, drstd)
#elif STATS == 2
#define STATS_GRADS , const VECTOR(real, running_mean), const VECTOR(real, running_var)
#else
#define STATS_GRADS
#endif
#if PARAM_ROWS
#define ROW_GRADS , VECTOR(DPARAM_TYPE, dweight)
#else
#define ROW_GRADS
#endif
#define BACKWARD_ARGS                                                                              \
    PRENORM_GRADS GATE_GRADS MODULATION_GRADS ACT_GRADS OUTPUT_ARGS STATS_GRADS ROW_GRADS

typedef struct {
    const global DY_TYPE *dy, *dsum;
    const global Y_TYPE *y;
    ulong dy_segment, dsum_segment;
} grad_inputs;

/* NULL: not wanted. */
typedef struct {
    global DX_TYPE *dx, *dresidual, *dz;
    global DPARAM_TYPE *dgate, *dscale, *dshift; /* rows of them, if each row has its own */
    global real *dweight_line, *dbias_line, *dx_bias_line, *dgate_line, *dscale_line, *dshift_line;
    ulong dx_segment, line_length; /* of dweight and dbias */
    bool past_cache;
} grad_outputs;

/* What the sums over a set say about the gradient. */
typedef struct {
    real c1, c2; /* mean of h, and sum of h * x^ by the divisor */
    real kappa;
    real rstd; /* of s */
} grad_sums;

/* One chunk on its way back. */
typedef struct {
    realv xhat, s, u, dv, du, h;
} chunk;

static inline realv xhat_of(const set_inputs *in, const grad_inputs *grad, const set_stats *stats,
                            realv s, ulong segment, uint c, uint n)
{
    if (!FROM_OUTPUT)
        return first_lanes(normalized(stats, s), n);
    realv y = TAKE(Y_TYPE)(grad->y + c, n);
    if (IS_GIVEN(GIVEN_BIAS, in->bias))
        y -= param(in->bias, in, segment, c, n);
    return first_lanes(y / weight_at(in, segment, c, n), n);
}

static inline realv dy_at(const grad_inputs *grad, ulong segment, uint c, uint n)
{
    return TAKE(DY_TYPE)(grad->dy + segment * grad->dy_segment + c, n);
}

/* Everything that follows from s and dy. */
static inline void find_chunk(chunk *k, const set_inputs *in, const grad_inputs *grad,
                              const set_stats *stats, realv s, realv dy, ulong segment, uint c,
                              uint n)
{
    k->s = s;
    k->xhat = xhat_of(in, grad, stats, s, segment, c, n);
    k->dv = dy;
    k->u = affine(in, k->xhat, segment, c, n);
    if (ACT_GATE == 1) {
        const realv z = z_at(in, c, n);
        k->dv *= z * sigmoid(z);
    }
    k->du = MODULATION ? k->dv * scale_at(in, c, n) : k->dv;
    k->h = k->du * weight_at(in, segment, c, n);
}

static inline void add_gradient(parts *part, const chunk *k, const set_stats *stats)
{
    part->a += k->xhat;
    part->b += k->h;
    part->c += k->h * (STATS == 1 ? k->s * stats->scale - stats->hi : k->xhat);
}

static inline real4 own_gradients(sums *total)
{
    keep_infinity(&total->a);
    keep_infinity(&total->b);
    keep_infinity(&total->c);
    return own_totals(total);
}

/* `own_dy`: beside `held`. */
static inline real4 gradient_part(const set_inputs *in, const grad_inputs *grad,
                                  const set_stats *stats, ulong segments, uint cols,
                                  const realv *held, const realv *own_dy)
{
    sums total = {{0, 0}, {0, 0}, {0, 0}};
    chunk k;
    if (HOLD) {
        parts held_part = {0, 0, 0};
#define STEP(i, c, n)                                                                              \
    {                                                                                              \
        find_chunk(&k, in, grad, stats, held[i], own_dy[i], 0, c, n);                              \
        add_gradient(&held_part, &k, stats);                                                       \
    }
        FOR_HELD(cols, STEP)
#undef STEP
        fold_parts(&total, &held_part);
        return own_gradients(&total);
    }
#define STEP(part, c, n)                                                                           \
    {                                                                                              \
        find_chunk(&k, in, grad, stats, s_at(in, segment, c, n), dy_at(grad, segment, c, n),       \
                   segment, c, n);                                                                 \
        add_gradient(part, &k, stats);                                                             \
    }
    for (ulong segment = 0; segment < segments; segment++)
        ADD_SEGMENT(total, cols, TEAM_LANE, TEAM_SIZE, STEP)
#undef STEP
    return own_gradients(&total);
}

/* Saved means are rounded: the rest of the mean is in x^ until here. */
static inline void finish_gradient(grad_sums *g, real4 total, set_stats *stats,
                                   const set_shape *shape)
{
    const real lo = SAVED && CENTER && !FROM_OUTPUT ? total.x / shape->count : 0;
    g->c1 = g->c2 = g->kappa = 0;
    g->rstd = stats->rstd * stats->scale;
    if (STATS != 0)
        return;
    stats->shift += lo;
    g->c1 = CENTER ? total.y / shape->count : 0;
    g->c2 = NO_SCALE ? 0 : (total.z - lo * total.y) / shape->divisor;
    g->kappa = kappa_of(stats->rstd, shape->eps * stats->scale);
    if (POWER == 2)
        g->c2 *= g->kappa;
}

/* The gradient of s. Columns from stats_cols on have no part in the statistics. */
static inline realv gradient_of_s(const chunk *k, const grad_sums *g, const set_shape *shape, uint c)
{
    if (STATS != 0) /* a NaN among the x stays where it is */
        return k->h * g->rstd; /* as it was given */
    realv spread = (POWER == 2 ? k->xhat : direction(k->xhat * g->kappa, shape->power)) * g->c2;
    if (PARTIAL)
        spread = c < shape->cols ? first_lanes(spread, min(shape->cols - c, (uint)VEC)) : 0;
    return (k->h - g->c1 - spread) * g->rstd;
}

/* A row of a slab, or a segment of a block of them, joins the line. */
static inline void add_to_line(bool given, global real *line, ulong at, realv v, uint n, bool fresh)
{
    if (!given)
        return;
    const realv before = fresh ? 0 : TAKE(REAL_TYPE)((const global REAL_TYPE *)line + at, n);
    PUT(REAL_TYPE)(before + v, (global REAL_TYPE *)line + at, n, false);
}

static inline void put_param(global DPARAM_TYPE *row, global real *line, realv v, uint c, uint n,
                             bool fresh)
{
    if (MOD_ROWS && row)
        PUT(DPARAM_TYPE)(v, row + c, n, false);
    if (!MOD_ROWS)
        add_to_line(line != 0, line, c, v, n, fresh);
}

static inline void back_through_output(const grad_outputs *out, const set_inputs *in,
                                       const grad_inputs *grad, const chunk *k, ulong segment,
                                       uint c, uint n, bool fresh)
{
    if (PARAM_AXIS == 0) {
        const ulong at = segment / BLOCK_LENGTH * out->line_length + c;
        add_to_line(IS_GIVEN(GIVEN_DWEIGHT, out->dweight_line), out->dweight_line, at,
                    k->du * k->xhat, n, fresh);
        add_to_line(IS_GIVEN(GIVEN_DBIAS, out->dbias_line), out->dbias_line, at, k->du, n, fresh);
    }
    if (MODULATION) {
        put_param(out->dscale, out->dscale_line, k->dv * k->u, c, n, fresh);
        put_param(out->dshift, out->dshift_line, k->dv, c, n, fresh);
    }
    if (ACT_GATE == 1 && out->dz) {
        const realv z = z_at(in, c, n), gate = sigmoid(z);
        const realv dy = TAKE(DY_TYPE)(grad->dy + c, n);
        PUT(DX_TYPE)(dy * modulate(in, k->u, c, n) * (gate * (1 + z * (1 - gate))), out->dz + c, n,
                     false);
    }
}

static inline void back_through_sum(const grad_outputs *out, const set_inputs *in, realv ds,
                                    ulong segment, uint c, uint n, bool fresh)
{
    realv dx = ds;
    if (RESIDUAL && out->dresidual)
        PUT(DX_TYPE)(in->alpha * ds, out->dresidual + c, n, out->past_cache);
    if (GATE) {
        if (out->dgate || out->dgate_line)
            put_param(out->dgate, out->dgate_line, ds * branch(in, segment, c, n), c, n, fresh);
        dx *= TAKE(PARAM_TYPE)(in->gate + c, n);
    }
    if (DROPOUT)
        dx = drop(dx, in, c);
    if (ACT_GATE == 2) {
        const realv z = z_at(in, c, n), gate = sigmoid(z);
        const realv x = TAKE(X_TYPE)(in->x + c, n);
        if (out->dz)
            PUT(DX_TYPE)(dx * x * (gate * (1 + z * (1 - gate))), out->dz + c, n, false);
        dx *= z * gate;
    }
    if (X_BIAS)
        add_to_line(out->dx_bias_line != 0, out->dx_bias_line, c, dx, n, fresh);
    if (IS_GIVEN(GIVEN_DX, out->dx))
        PUT(DX_TYPE)(dx, out->dx + segment * out->dx_segment + c, n, out->past_cache);
}

static inline void put_sums(const grad_outputs *out, real4 sum, ulong at, bool fresh)
{
    if (out->dweight_line && TEAM_LANE == 0)
        out->dweight_line[at] = (fresh ? 0 : out->dweight_line[at]) + sum.x;
    if (out->dbias_line && TEAM_LANE == 0)
        out->dbias_line[at] = (fresh ? 0 : out->dbias_line[at]) + sum.y;
}

/* ---- where the kernel's arguments begin for a set ---- */

#define LINE_OF(name, length, q)                                                                   \
    (name##_lines == NOT_WANTED ? 0 : lines + name##_lines + line * (length) + PARAM_OFFSET(q))

#if PRENORM
#define FIND_PRENORM_GRADS(out, in, q)                                                             \
    in.sum = SET_OF(sum, q);                                                                       \
    out.dresidual = SET_OF(dresidual, q);                                                          \
    out.dx_bias_line = LINE_OF(dx_bias, row_cols, q);
#else
#define FIND_PRENORM_GRADS(out, in, q)
#endif
#if GATE
#define FIND_GATE_GRADS(out, q)                                                                    \
    out.dgate = MOD_OF(dgate, q);                                                                  \
    out.dgate_line = LINE_OF(dgate, row_cols, q);
#else
#define FIND_GATE_GRADS(out, q)
#endif
#if MODULATION
#define FIND_MODULATION_GRADS(out, q)                                                              \
    out.dscale = MOD_OF(dscale, q);                                                                \
    out.dshift = MOD_OF(dshift, q);                                                                \
    out.dscale_line = LINE_OF(dscale, row_cols, q);                                                \
    out.dshift_line = LINE_OF(dshift, row_cols, q);
#else
#define FIND_MODULATION_GRADS(out, q)
#endif
#if ACT_GATE
#define FIND_ACT_GRADS(out, q) out.dz = SET_OF(dz, q);
#else
#define FIND_ACT_GRADS(out, q)
#endif
#if FROM_OUTPUT
#define FIND_OUTPUT(grad, q) grad.y = SET_OF(y, q);
#else
#define FIND_OUTPUT(grad, q)
#endif
#define FIND_GRADS(grad, out, in, q)                                                               \
    grad_inputs grad = {SET_OF(dy, q), SET_OF(dsum, q), 0, SEGMENT_OF(dy_stride),                  \
                        SEGMENT_OF(dsum_stride)};                                                  \
    grad_outputs out = {0};                                                                        \
    out.dx = SET_OF(dx, q);                                                                        \
    out.dx_segment = SEGMENT_OF(dx_stride);                                                        \
    out.dweight_line = LINE_OF(dweight, params, q);                                                \
    out.dbias_line = LINE_OF(dbias, params, q);                                                    \
    out.line_length = params;                                                                      \
    FIND_PRENORM_GRADS(out, in, q)                                                                 \
    FIND_GATE_GRADS(out, q)                                                                        \
    FIND_MODULATION_GRADS(out, q)                                                                  \
    FIND_ACT_GRADS(out, q)                                                                         \
    FIND_OUTPUT(grad, q)                                                                           \
    out.past_cache = stream && out.dx_segment % VEC == 0 && STREAMABLE(out.dx) &&                  \
                     STREAMABLE(out.dresidual);

#if HOLD
#define FIND_HELD_DY(own, grad, cols)                                                              \
    realv own[HOLD];                                                                               \
    hold_dy(own, grad, cols);

static inline void hold_dy(realv *values, const grad_inputs *grad, uint cols)
{
#define STEP(k, c, n) values[k] = dy_at(grad, 0, c, n)
    FOR_HELD(cols, STEP)
#undef STEP
}
#else
#define FIND_HELD_DY(own, grad, cols) const realv *own = 0;
#endif

/* ---- the kernel ---- */

/* dy, x and so on    elements of sets: see set.cl; dx may be dy or dsum
 * mean, rstd         of the forward pass if SAVED or given
 * lines              workspace
 * Each output may be NULL. `params` is the length of a line of weights, `row_cols` of others. */
#define BACKWARD_KERNEL_ARGS                                                                       \
    MATRIX(DX_TYPE, dx), const MATRIX(DY_TYPE, dy), const MATRIX(DY_TYPE, dsum),                   \
        const MATRIX(X_TYPE, x), const VECTOR(real, mean), const VECTOR(real, rstd),               \
        const VECTOR(PARAM_TYPE, weight), const VECTOR(PARAM_TYPE, bias), VECTOR(real, lines),     \
        ulong dweight_lines, ulong dbias_lines, ulong params, ulong row_cols, ulong sets,          \
        uint cols, uint stats_cols, uint stream, real count, real divisor, real eps, real power,   \
        real weight_shift, ulong first_line, ulong sets_per_group, ulong sets_per_mod,             \
        ulong slabs_per_mod, ulong slab_rows, ulong lines_per_slab SET_ARGS BACKWARD_ARGS

#if !NARROW
__attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) SUBGROUP_SIZE_ATTRIBUTE kernel void
backward_norm(BACKWARD_KERNEL_ARGS)
{
    local real4 scratch[GROUP_SIZE];
    const set_shape shape = {SET_SEGMENTS, stats_cols, count, divisor, eps, power};
    const ulong team = get_group_id(0) * TEAMS + OWN_TEAM;
#if SLABS
    const ulong mod_set = team / slabs_per_mod * sets_per_mod;
    const ulong first = mod_set + REST(team, slabs_per_mod) * sets_per_group;
    const ulong end = min(min(first + sets_per_group, mod_set + sets_per_mod), sets);
#else
    const ulong first = team * sets_per_group;
    const ulong end = min(first + sets_per_group, sets);
#endif
    /* the teams of a group go through the same barriers, however long their slabs are */
    const ulong round_end = TEAMS > 1 ? first + sets_per_group : end;
    lines += lines_offset;
    for (ulong round = first; round < round_end; round++) {
        const bool idle = TEAMS > 1 && round >= end;
        const ulong q = idle ? sets - 1 : round;
        const ulong line = first_line + (SLABS ? team : SET_ROW(q) / slab_rows * lines_per_slab);
        const bool fresh_row =
            SLABS ? SET_ROW(q) == SET_ROW(first) : REST(SET_ROW(q), slab_rows) == 0;
        FIND_SET(in, q)
        FIND_GRADS(grad, out, in, q)
        FIND_HELD(own_held, &in, cols)
        FIND_HELD_DY(own_dy, &grad, cols)
        set_stats stats;
        FIND_STATS(stats, in, shape, q)
        const real4 own =
            gradient_part(&in, &grad, &stats, shape.segments, cols, own_held, own_dy);
        const real4 total = team_total(own, scratch);
        grad_sums g;
        finish_gradient(&g, total, &stats, &shape);
        if (TEAM_SIZE > 1)
            barrier(CLK_GLOBAL_MEM_FENCE); /* dx may be dy, and all have read the set now */
#if !HOLD
        sums part_total = {{0, 0}, {0, 0}, {0, 0}};
#endif
/* Outputs, and in `part` the sums of parameters that a set has one of. No function: PoCL 3.1 would
 * keep its structs in memory, at half of the speed. */
#define WRITE(part, s_here, dy_here, c, n)                                                         \
    {                                                                                              \
        chunk k;                                                                                   \
        find_chunk(&k, &in, &grad, &stats, s_here, dy_here, segment, c, n);                        \
        PREFETCH_NEXT(in.x, x_stride, c);                                                          \
        PREFETCH_NEXT(grad.dy, dy_stride, c);                                                      \
        realv ds = gradient_of_s(&k, &g, &shape, c);                                               \
        if (IS_GIVEN(GIVEN_DSUM, grad.dsum))                                                       \
            ds += TAKE(DY_TYPE)(grad.dsum + segment * grad.dsum_segment + c, n);                   \
        back_through_output(&out, &in, &grad, &k, segment, c, n, fresh);                           \
        back_through_sum(&out, &in, ds, segment, c, n, fresh);                                     \
        if (PARAM_AXIS > 0) {                                                                      \
            (part)->a += k.du * k.xhat;                                                            \
            (part)->b += k.du;                                                                     \
        }                                                                                          \
    }
#define STEP(part, c, n)                                                                           \
    WRITE(part, s_at(&in, segment, c, n), dy_at(&grad, segment, c, n), c, n)
#define STEP_HELD(i, c, n) WRITE(&unused, own_held[i], own_dy[i], c, n)
#if HOLD
        if (!idle) {
            const ulong segment = 0;
            const bool fresh = fresh_row;
            parts unused;
            FOR_HELD(cols, STEP_HELD)
        }
#else
        for (ulong segment = 0; segment < (idle ? 0 : shape.segments); segment++) {
            const bool fresh = fresh_row && segment % BLOCK_LENGTH == 0;
            ADD_SEGMENT(part_total, cols, TEAM_LANE, TEAM_SIZE, STEP)
#if PARAM_AXIS == 1
            put_sums(&out, team_total(own_gradients(&part_total), scratch),
                     segment * in.param_segment, fresh_row);
            const sums none = {{0, 0}, {0, 0}, {0, 0}};
            part_total = none;
#endif
        }
#endif
#undef STEP_HELD
#undef STEP
#undef WRITE
#if PARAM_AXIS == 2
        const real4 sum = team_total(own_gradients(&part_total), scratch);
        put_sums(&out, sum, 0, fresh_row);
#endif
#if PARAM_ROWS
        if (dweight && TEAM_LANE == 0)
            PUT(DPARAM_TYPE)((realv)(sum.x), dweight + dweight_offset + q, 1, false);
#endif
#if STATS == 1
        if (dmean && !idle && TEAM_LANE == 0)
            dmean[dmean_offset + q] = -(stats.rstd * stats.scale) * total.y;
        if (drstd && !idle && TEAM_LANE == 0)
            drstd[drstd_offset + q] = total.z * unscale(&stats);
#endif
    }
}
#endif

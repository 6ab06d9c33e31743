/* SPDX-License-Identifier: MIT */
/* A step backward, before its matrix product: from the gradient of h and c to that of the projection
 * of h, and to what gradients of parameters are made of once all steps are done. */

typedef struct {
    real c1, c2, rstd; /* as in backward.cl */
} norm_sums;

static inline void add_norm(parts *part, realv xhat, realv h)
{
    part->a += xhat;
    part->b += h;
    part->c += h * xhat;
}

static inline real4 own_norm(sums *total)
{
    keep_infinity(&total->a);
    keep_infinity(&total->b);
    keep_infinity(&total->c);
    return own_totals(total);
}

/* Saved means are rounded: the rest of the mean is in x^ until here. */
static inline void finish_norm(norm_sums *g, set_stats *stats, real4 total, real count)
{
    const real lo = total.x / count;
    stats->shift += lo;
    g->c1 = total.y / count;
    g->c2 = (total.z - lo * total.y) / count;
    g->rstd = stats->rstd * stats->scale;
}

static inline realv back_through_norm(const norm_sums *g, realv xhat, realv h)
{
    return (h - g->c1 - xhat * g->c2) * g->rstd;
}

/* Gradients that a row gets from later steps, or from h_n and c_n if it is its last; NULL: 0. */
typedef struct {
    const global f32 *dy, *dh, *dc;
    bool live, ends;
} cell_gradients;

static inline realv dh_at(const cell_gradients *in, uint c, uint n)
{
    return take_or_zero(in->dy, c, n) + take_or_zero(in->dh, c, n);
}

/* What a row gets that has no step left to give it to: its initial state. */
static inline realv passed_on(const cell_gradients *in, const global f32 *p, uint c, uint n)
{
    return in->ends ? take_or_zero(p, c, n) : 0;
}

/* dp, dn, du   gradients of what the norms give: of all gates, and for a gru's candidate of its part
 *              of h; of the projection of h. Without norms, du, and dp of a gru. All of this step, as
 *              are dq (of what the norm of c gives), dh_before, dc, u, v, c and y
 * dh, dc       [batch, hidden] from the step after, and in their place for the one before: dh gets
 *              what does not go through du; dh_before NULL: that is 0 for all rows
 * dc_before    where dc goes: dc, or another place, or NULL */
__attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) SUBGROUP_SIZE_ATTRIBUTE kernel void
recurrent_backward(VECTOR(f32, dp), VECTOR(f32, dn), VECTOR(f32, du), VECTOR(f32, dq),
                   VECTOR(f32, dh_before), VECTOR(f32, dc_before), const VECTOR(f32, dy),
                   const VECTOR(f32, dh), const VECTOR(f32, dc), const VECTOR(f32, dh_n),
                   const VECTOR(f32, dc_n), const VECTOR(f32, u), const VECTOR(f32, v),
                   const VECTOR(real, saved), const VECTOR(f32, c), const VECTOR(f32, c_before),
                   const VECTOR(f32, y), const VECTOR(f32, h_before), const VECTOR(uint, lengths),
                   PARAMETER_ARGS, ulong step, ulong steps, ulong rows, uint hidden)
{
    local real4 scratch[GROUP_SIZE];
    const ulong group = get_group_id(0), row = step * get_num_groups(0) + group;
    const ulong length = lengths ? lengths[lengths_offset + group] : steps;
    const bool live = step < length, ends = step + 1 == length || (step == 0 && length == 0);
    FIND_ROW(r)
    const cell_gradients in = {ROW_OF(dy, group, hidden),
                               ends ? ROW_OF(dh_n, group, hidden) : ROW_OF(dh, group, hidden),
                               ends ? ROW_OF(dc_n, group, hidden) : ROW_OF(dc, group, hidden), live,
                               ends};
    global f32 *dp_row = ROW_OF(dp, group, GATES * hidden);
    global f32 *du_row = ROW_OF(du, group, GATES * hidden);
    global f32 *direct = ROW_OF(dh_before, group, hidden);
    set_stats stats[STATS_OF_C + 1];
    if (NORM)
        for (uint k = 0; k < STATS_OF_C + (CELL == 1); k++)
            given_stats(&stats[k], SAVED_MEAN(k), SAVED_RSTD(k));
#if CELL == 0
    const global f32 *h = ROW_OF(y, group, hidden);
    global f32 *out = NORM ? dp_row : du_row;
#define STEP(c, n)                                                                                 \
    {                                                                                              \
        const realv value = TAKE(f32)(h + c, n), g = dh_at(&in, c, n);                             \
        const realv dz = RELU ? select((realv)(0), g, value > 0) : g * (1 - value * value);        \
        PUT(f32)(live ? dz : 0, out + c, n, false);                                                \
        if (direct)                                                                                \
            PUT(f32)(live ? 0 : passed_on(&in, in.dh, c, n), direct + c, n, false);                \
    }
#elif CELL == 1
    const global f32 *state = ROW_OF(c, group, hidden), *before = ROW_OF(c_before, group, hidden);
    const global f32 *weight_of_c = ROW_OF(weight_c, 0, 0), *bias_of_c = ROW_OF(bias_c, 0, 0);
    global f32 *dq_row = ROW_OF(dq, group, hidden), *dc_row = ROW_OF(dc_before, group, hidden);
    global f32 *out = NORM ? dp_row : du_row;
    set_stats *of_c = &stats[STATS_OF_C];
    norm_sums norm_c = {0, 0, 0};
    if (NORM) {
        sums total = {{0, 0}, {0, 0}, {0, 0}};
#define STEP(part, c, n)                                                                           \
    {                                                                                              \
        const realv xhat = first_lanes(normalized(of_c, TAKE(f32)(state + c, n)), n);              \
        const realv q = tanh(scaled(xhat, weight_of_c, bias_of_c, c, n));                          \
        const realv o = sigmoid(gate_of(&r, stats, 2, c, n));                                      \
        const realv d = live ? dh_at(&in, c, n) * o * (1 - q * q) : 0;                             \
        PUT(f32)(d, dq_row + c, n, false);                                                         \
        add_norm(part, xhat, weighted(d, weight_of_c, c, n));                                      \
    }
        ADD_SEGMENT(total, hidden, TEAM_LANE, TEAM_SIZE, STEP)
#undef STEP
        finish_norm(&norm_c, of_c, team_total(own_norm(&total), scratch), hidden);
    }
#define STEP(c, n)                                                                                 \
    {                                                                                              \
        const realv s = TAKE(f32)(state + c, n), last = take_or_zero(before, c, n);                \
        const realv xhat = NORM ? normalized(of_c, s) : s;                                         \
        const realv q = tanh(NORM ? scaled(xhat, weight_of_c, bias_of_c, c, n) : s);               \
        const realv f = sigmoid(gate_of(&r, stats, 0, c, n));                                      \
        const realv i = sigmoid(gate_of(&r, stats, 1, c, n));                                      \
        const realv o = sigmoid(gate_of(&r, stats, 2, c, n));                                      \
        const realv g = tanh(gate_of(&r, stats, 3, c, n)), d = dh_at(&in, c, n);                   \
        const realv through =                                                                      \
            NORM ? back_through_norm(&norm_c, xhat,                                                \
                                     weighted(TAKE(f32)(dq_row + c, n), weight_of_c, c, n))        \
                 : d * o * (1 - q * q);                                                            \
        const realv dcell = take_or_zero(in.dc, c, n) + through;                                   \
        PUT(f32)(live ? dcell * last * f * (1 - f) : 0, out + c, n, false);                        \
        PUT(f32)(live ? dcell * g * i * (1 - i) : 0, out + hidden + c, n, false);                  \
        PUT(f32)(live ? d * q * o * (1 - o) : 0, out + 2 * hidden + c, n, false);                  \
        PUT(f32)(live ? dcell * i * (1 - g * g) : 0, out + 3 * hidden + c, n, false);              \
        if (dc_row)                                                                                \
            PUT(f32)(live ? dcell * f : passed_on(&in, in.dc, c, n), dc_row + c, n, false);        \
        if (direct)                                                                                \
            PUT(f32)(live ? 0 : passed_on(&in, in.dh, c, n), direct + c, n, false);                \
    }
#else
    const global f32 *before = ROW_OF(h_before, group, hidden);
    global f32 *dn_row = NORM ? ROW_OF(dn, group, hidden) : du_row + 2 * hidden;
#define STEP(c, n)                                                                                 \
    {                                                                                              \
        const realv z = sigmoid(gate_of(&r, stats, 0, c, n));                                      \
        const realv reset = sigmoid(gate_of(&r, stats, 1, c, n));                                  \
        const realv l = gate_of_h(&r, stats, 2, c, n);                                             \
        const realv candidate = tanh(candidate_of(&r, stats, reset, l, c, n));                     \
        const realv d = dh_at(&in, c, n), last = take_or_zero(before, c, n);                       \
        const realv dk = live ? d * z * (1 - candidate * candidate) : 0;                           \
        const realv dz = live ? d * (candidate - last) * z * (1 - z) : 0;                          \
        const realv dreset = live ? dk * l * reset * (1 - reset) : 0;                              \
        PUT(f32)(dz, dp_row + c, n, false);                                                        \
        PUT(f32)(dreset, dp_row + hidden + c, n, false);                                           \
        PUT(f32)(dk, dp_row + 2 * hidden + c, n, false);                                           \
        PUT(f32)(live ? dk * reset : 0, dn_row + c, n, false);                                     \
        if (!NORM) {                                                                               \
            PUT(f32)(dz, du_row + c, n, false);                                                    \
            PUT(f32)(dreset, du_row + hidden + c, n, false);                                       \
        }                                                                                          \
        if (direct)                                                                                \
            PUT(f32)(live ? d * (1 - z) : passed_on(&in, in.dh, c, n), direct + c, n, false);      \
    }
#endif
    FOR_SEGMENT(hidden, TEAM_LANE, TEAM_SIZE, STEP)
#undef STEP
    if (!NORM)
        return;
    if (TEAM_SIZE > 1)
        barrier(CLK_GLOBAL_MEM_FENCE); /* columns have other owners now */
#pragma unroll 1
    for (uint k = 0; k < BUNDLES; k++) {
        const uint at = BUNDLE_FIRST(k) * hidden, cols = BUNDLE_SIZE(k) * hidden;
        const global f32 *from =
            CELL == 2 && k + 1 == BUNDLES ? ROW_OF(dn, group, hidden) : dp_row + at;
        const global f32 *weight = r.weight_h ? r.weight_h + at : 0;
        set_stats *of_u = &stats[k];
        sums total = {{0, 0}, {0, 0}, {0, 0}};
        norm_sums norm;
#define STEP(part, c, n)                                                                           \
    add_norm(part, first_lanes(normalized(of_u, TAKE(f32)(r.u + at + c, n)), n),                   \
             weighted(TAKE(f32)(from + c, n), weight, c, n))
        ADD_SEGMENT(total, cols, TEAM_LANE, TEAM_SIZE, STEP)
#undef STEP
        finish_norm(&norm, of_u, team_total(own_norm(&total), scratch), cols);
#define STEP(c, n)                                                                                 \
    PUT(f32)(back_through_norm(&norm, normalized(of_u, TAKE(f32)(r.u + at + c, n)),                \
                               weighted(TAKE(f32)(from + c, n), weight, c, n)),                    \
             du_row + at + c, n, false)
        FOR_SEGMENT(cols, TEAM_LANE, TEAM_SIZE, STEP)
#undef STEP
    }
}

/* Rows of x, and zeros where a row's length is over: a NaN there is in no product. A group for each
 * row of all steps. */
__attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) SUBGROUP_SIZE_ATTRIBUTE kernel void
keep_live_rows(VECTOR(f32, out), const VECTOR(f32, x), const VECTOR(uint, lengths), ulong batch,
               uint cols)
{
    const ulong row = get_group_id(0), step = row / batch;
    const bool live = step < lengths[lengths_offset + REST(row, batch)];
    const global f32 *from = ROW_OF(x, row, cols);
    global f32 *to = ROW_OF(out, row, cols);
#define STEP(c, n) PUT(f32)(live ? TAKE(f32)(from + c, n) : 0, to + c, n, false)
    FOR_SEGMENT(cols, TEAM_LANE, TEAM_SIZE, STEP)
#undef STEP
}

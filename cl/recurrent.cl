/* SPDX-License-Identifier: MIT */
/* A step forward, behind its matrix products: norms, gates and states. A group has a row. */

INTO_KERNEL void cell_stats(set_stats *stats, const global f32 *from, uint hidden, real eps,
                            local real4 *scratch)
{
#pragma unroll 1 /* the text of one is long */
    for (uint k = 0; k < BUNDLES; k++) {
        const uint cols = BUNDLE_SIZE(k) * hidden;
        const set_shape shape = {1, cols, cols, cols, eps, 2};
        set_inputs in = {0};
        in.x = from + BUNDLE_FIRST(k) * hidden;
        computed_stats(&stats[k], &in, &shape, 0, scratch);
    }
}

/* What a row leaves behind. A row whose length is over leaves zeros, and its state to the one that
 * it had when it began, if that is its last. */
typedef struct {
    global f32 *y, *h_n, *c_n; /* NULL: not wanted, or not the row's last step */
    const global f32 *h_before, *c_before;
    bool live;
} cell_outputs;

static inline void put_state(global f32 *p, realv state, const global f32 *before, bool live,
                             uint c, uint n)
{
    if (p)
        PUT(f32)(live ? state : take_or_zero(before, c, n), p + c, n, false);
}

static inline void put_h(const cell_outputs *out, realv h, uint c, uint n)
{
    PUT(f32)(out->live ? h : 0, out->y + c, n, false);
    put_state(out->h_n, h, out->h_before, out->live, c, n);
}

static inline void zero_row(global f32 *row, uint cols)
{
#define STEP(c, n) PUT(f32)(0, row + (c), n, false)
    FOR_SEGMENT(cols, TEAM_LANE, TEAM_SIZE, STEP)
#undef STEP
}

/* y, c, u, v           the rows of this step; c: lstm only; v is not there if SUMMED
 * h_before, c_before   those of the step before; NULL: 0
 * h_n, c_n             [batch, hidden], or NULL
 * saved                statistics, or NULL: nothing is saved
 * lengths              steps of each row, or NULL: all have `steps` */
__attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) SUBGROUP_SIZE_ATTRIBUTE kernel void
recurrent_forward(VECTOR(f32, y), VECTOR(f32, h_n), VECTOR(f32, c_n), VECTOR(f32, c),
                  VECTOR(f32, u), VECTOR(f32, v), VECTOR(real, saved),
                  const VECTOR(f32, h_before), const VECTOR(f32, c_before),
                  const VECTOR(uint, lengths), PARAMETER_ARGS, ulong step, ulong steps, ulong rows,
                  uint hidden, real eps)
{
    local real4 scratch[GROUP_SIZE];
    const ulong group = get_group_id(0), row = step * get_num_groups(0) + group;
    const ulong length = lengths ? lengths[lengths_offset + group] : steps;
    const bool live = step < length, ends = step + 1 == length || (step == 0 && length == 0);
    FIND_ROW(r)
    const cell_outputs out = {ROW_OF(y, group, hidden),
                              ends ? ROW_OF(h_n, group, hidden) : 0,
                              ends ? ROW_OF(c_n, group, hidden) : 0,
                              ROW_OF(h_before, group, hidden),
                              ROW_OF(c_before, group, hidden),
                              live};
    set_stats stats[STATS_OF_C + 1];
    if (NORM)
        cell_stats(stats, r.u, hidden, eps, scratch);
    if (NORM && !SUMMED)
        cell_stats(stats + BUNDLES, r.v, hidden, eps, scratch);
#if CELL == 0
#define STEP(c, n)                                                                                 \
    {                                                                                              \
        const realv z = gate_of(&r, stats, 0, c, n);                                               \
        put_h(&out, RELU ? select(z, (realv)(0), z < 0) : tanh(z), c, n);                          \
    }
#elif CELL == 1
    global f32 *state = ROW_OF(c, group, hidden);
/* y holds the output gate until the norm of c is there */
#define STEP(c, n)                                                                                 \
    {                                                                                              \
        const realv kept = sigmoid(gate_of(&r, stats, 0, c, n)) *                                  \
                           take_or_zero(out.c_before, c, n);                                       \
        const realv added =                                                                        \
            sigmoid(gate_of(&r, stats, 1, c, n)) * tanh(gate_of(&r, stats, 3, c, n));              \
        PUT(f32)(live ? kept + added : 0, state + c, n, false);                                    \
        PUT(f32)(sigmoid(gate_of(&r, stats, 2, c, n)), out.y + c, n, false);                       \
    }
    FOR_SEGMENT(hidden, TEAM_LANE, TEAM_SIZE, STEP)
#undef STEP
    const global f32 *weight_of_c = ROW_OF(weight_c, 0, 0), *bias_of_c = ROW_OF(bias_c, 0, 0);
    if (NORM) {
        const set_shape shape = {1, hidden, hidden, hidden, eps, 2};
        set_inputs in = {0};
        in.x = state;
        if (TEAM_SIZE > 1)
            barrier(CLK_GLOBAL_MEM_FENCE); /* each has written a part of c */
        computed_stats(&stats[STATS_OF_C], &in, &shape, 0, scratch);
    }
#define STEP(c, n)                                                                                 \
    {                                                                                              \
        const realv s = TAKE(f32)(state + c, n), gate = TAKE(f32)(out.y + c, n);                   \
        const realv q =                                                                            \
            NORM ? scaled(normalized(&stats[STATS_OF_C], s), weight_of_c, bias_of_c, c, n) : s;    \
        put_h(&out, gate * tanh(q), c, n);                                                         \
        put_state(out.c_n, s, out.c_before, live, c, n);                                           \
    }
#else
#define STEP(c, n)                                                                                 \
    {                                                                                              \
        const realv z = sigmoid(gate_of(&r, stats, 0, c, n));                                      \
        const realv reset = sigmoid(gate_of(&r, stats, 1, c, n));                                  \
        const realv l = gate_of_h(&r, stats, 2, c, n);                                             \
        const realv candidate = tanh(candidate_of(&r, stats, reset, l, c, n));                     \
        put_h(&out, (1 - z) * take_or_zero(out.h_before, c, n) + z * candidate, c, n);             \
    }
#endif
    FOR_SEGMENT(hidden, TEAM_LANE, TEAM_SIZE, STEP)
#undef STEP
    if (NORM && saved && TEAM_LANE == 0)
        for (uint k = 0; k < STATS_OF_C + (CELL == 1); k++) {
            SAVED_MEAN(k) = live ? mean_of(&stats[k]) : 0;
            SAVED_RSTD(k) = live ? stats[k].rstd * stats[k].scale : 0;
        }
    if (TEAM_SIZE > 1)
        barrier(CLK_GLOBAL_MEM_FENCE); /* all have read the row */
    /* gradients of weights take all rows: what x holds beyond a length must not be there */
    if (NORM && saved && !live) {
        zero_row(u + u_offset + group * GATES * hidden, GATES * hidden);
        if (!SUMMED)
            zero_row(v + v_offset + group * GATES * hidden, GATES * hidden);
    }
}

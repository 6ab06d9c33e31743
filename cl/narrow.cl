/* SPDX-License-Identifier: MIT */
/* Forward for rows of few columns. What a row costs, beside its vectors, is a chain of lane totals,
 * divisions and a root: those of BLOCK_ROWS rows go on side by side. The statistics of a block are
 * found while the block before is written, a row of each at a time, so that reads and writes go on
 * side by side too. A row's bits do not depend on its place in a block.
 *
 * Plain sets of x alone, statistics of all columns, POWER 1 or 2. A block is read before it is
 * written, and each row again by vectors: y may be x. */
#if NARROW
/* All of a row of a block of which statistics are known. */
static inline void normalize_row(const set_outputs *out, const set_inputs *in,
                                 const set_stats *stats, uint cols)
{
#define STEP(c, n)                                                                                 \
    {                                                                                              \
        PREFETCH(in->x + in->x_next + (c));                                                        \
        normalize(out, in, stats, fetch(in, 0, c, n), 0, c, n);                                    \
    }
    FOR_SEGMENT(cols, 0, 1, STEP)
#undef STEP
}

static inline parts narrow_deviations(const set_inputs *in, const set_shape *shape, real hi)
{
    parts part = {0, 0, 0};
#define STEP(part, c, n)                                                                           \
    add_deviation(part, centered(fetch(in, 0, c, n), n, 1, hi), 0, shape->power)
    ADD_BLOCK_IN_PAIRS(part, 0, shape->cols, 0, 1, STEP)
#undef STEP
    return part;
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void forward_norm(FORWARD_ARGS)
{
    const set_shape shape = {1, cols, count, divisor, eps, power};
    const ulong first = get_group_id(0) * (ulong)sets_per_group;
    const ulong end = min(first + sets_per_group, sets);
    const uint guessed = guess_vectors(cols);
    FIND_SET(in, first)
    FIND_OUTPUTS(out, first)
    out.past_cache = out.past_cache && y_stride % VEC == 0;
    in.x_next = 2 * BLOCK_ROWS * x_stride;
    const global X_TYPE *const first_x = in.x;
    global Y_TYPE *const first_y = out.y;
    rowv sums[BLOCK_ROWS], powers[BLOCK_ROWS];
    row_lanes hi, sum, squares;
    set_stats stats[BLOCK_ROWS];
    hi.v = 0;
    for (uint r = 0; r < BLOCK_ROWS; r++)
        sums[r] = powers[r] = 0;
    /* `rows` of the block before have their statistics, and are to be written */
    for (ulong block = first, rows = 0; block < end || rows > 0; block += BLOCK_ROWS) {
        const ulong next_rows = block < end ? min(end - block, (ulong)BLOCK_ROWS) : 0;
        const global X_TYPE *const next_x = first_x + (block - first) * x_stride;
        const global X_TYPE *const block_x = next_x - BLOCK_ROWS * x_stride;
        global Y_TYPE *const block_y = first_y + (block - BLOCK_ROWS - first) * y_stride;
        if (CENTER) {
            for (ulong r = 0; r < next_rows; r++) {
                in.x = next_x + r * x_stride;
                sums[r] = half_total(guess_sum(&in, guessed, 1));
            }
            hi.v = lane_totals(sums) / (guessed * VEC);
            if (!all(isfinite(hi.v)))
                for (ulong r = 0; r < next_rows; r++) {
                    in.x = next_x + r * x_stride;
                    hi.lane[r] = guess_of(&in, hi.lane[r], 1);
                }
        }
        for (ulong r = 0; r < BLOCK_ROWS; r++) {
            if (r < next_rows) {
                in.x = next_x + r * x_stride;
                const parts part = narrow_deviations(&in, &shape, hi.lane[r]);
                sums[r] = half_total(part.a);
                powers[r] = half_total(part.b);
            }
            if (r < rows) {
                in.x = block_x + r * x_stride;
                out.y = block_y + r * y_stride;
                normalize_row(&out, &in, &stats[r], cols);
            }
        }
        for (ulong r = 0; mean && r < rows; r++)
            mean[mean_offset + block - BLOCK_ROWS + r] = mean_of(&stats[r]);
        for (ulong r = 0; rstd && r < rows; r++)
            rstd[rstd_offset + block - BLOCK_ROWS + r] = stats[r].rstd * stats[r].scale;
        sum.v = lane_totals(sums);
        squares.v = lane_totals(powers);
        bool settled = true;
        for (ulong r = 0; r < next_rows; r++) {
            finish_stats(&stats[r], (real4)(sum.lane[r], squares.lane[r], 0, 0), &shape, 1,
                         hi.lane[r]);
            settled &= is_settled(&stats[r], eps);
        }
        for (ulong r = 0; r < next_rows && !settled; r++)
            if (!is_settled(&stats[r], eps)) {
                in.x = next_x + r * x_stride;
                computed_stats(&stats[r], &in, &shape, 0, 0);
            }
        rows = next_rows;
    }
}
#endif

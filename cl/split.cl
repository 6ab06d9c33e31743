/* SPDX-License-Identifier: MIT */
/* Forward for rows of many columns: parts of a row have statistics of their own, which are merged. So
 * several groups can work on a row, each on a part: find_parts leaves the statistics of all parts in
 * the workspace, and forward_norm merges those of its row and writes its part. Where there are rows
 * enough for all groups, forward_norm alone finds and merges them, and writes the row. The bits are
 * the same: parts are cut by columns alone, and merged in one order.
 *
 * Plain sets, statistics of all of a row's columns, POWER 1 or 2, one team in a group, nothing held.
 * No group reads x outside its part after find_parts, so that y may be x. */
#if SPLIT
#define MOST_PARTS 256

/* The statistics of a part: hi, lo, variance, scale; a scale of 0: not found yet. */
static inline real4 part_of(const set_stats *stats)
{
    return (real4)(stats->hi, stats->lo, stats->variance, stats->scale);
}

#define PARTS_OF(cols) (((cols)-1) / part_cols + 1)
#define PART_END(c) ((cols) - (c) < part_cols ? (cols) : (c) + part_cols)

/* From column c on; NULLs stay NULL. */
#define MOVE(p, c) (p) = (p) ? (p) + (c) : 0
static inline void begin_at(set_inputs *in, uint c)
{
    MOVE(in->x, c);
    MOVE(in->z, c);
    MOVE(in->residual, c);
    MOVE(in->x_bias, c);
    MOVE(in->gate, c);
    MOVE(in->weight, c);
    MOVE(in->bias, c);
    MOVE(in->scale, c);
    MOVE(in->shift, c);
    in->column += c;
}

/* The part of set q from column c on, as a set. What is found of the kernel's arguments each time
 * takes no registers between. */
#define FIND_PART(part, part_shape, q, c)                                                          \
    FIND_SET(part, q)                                                                              \
    set_shape part_shape = shape;                                                                  \
    begin_at(&part, c);                                                                            \
    part_shape.cols = PART_END(c) - (c);                                                           \
    part_shape.count = part_shape.cols;

/* What turns a value of s * from into one of s * to, where to <= from, or `from` is 1. */
static inline real rescale(real from, real to)
{
    return from == to ? 1 : from == 1 ? to : to == 1 ? SCALE_DOWN : 0;
}

/* This work-item's sums over the parts of a row: of deviations from hi, and of powers of them. */
static inline real4 sums_of_parts(const local real4 *parts, uint part_cols, uint cols, real scale,
                                  real hi)
{
    real4 total = 0, lost = 0;
#pragma unroll 1 /* else GPUs run out of registers */
    for (uint p = TEAM_LANE; p < PARTS_OF(cols); p += TEAM_SIZE) {
        const real4 part = parts[p];
        const real n = min(part_cols, cols - p * part_cols), factor = rescale(part.w, scale);
        const real d = CENTER ? (part.x * factor - hi) + part.y * factor : 0;
        const real powers = part.z * factor * (POWER == 2 ? factor : 1);
        real4 own = 0;
        own.x = n * d;
        own.y = n * (powers + d * d);
        const real4 sum = total + own; /* as in fold_block */
        const real4 added = sum - total;
        lost += (total - (sum - added)) + (own - added);
        total = sum;
    }
    return total + lost;
}

/* Statistics of the row. What the parts have in sum may be out of range where none of them is: then
 * they are merged at another scale, and at the same again where it was right. */
static inline void merged_stats(set_stats *stats, const local real4 *parts, uint part_cols,
                                const set_shape *shape, local real4 *scratch)
{
    const real4 first = parts[0];
    const uint cols = shape->cols;
    real scale = first.w;
#pragma unroll 1
    for (uint p = 1; p < PARTS_OF(cols); p++)
        scale = min(scale, parts[p].w);
    for (uint try = 0; try < 2; try++) {
        real hi = 0;
        if (CENTER) {
            const real guess = first.x * rescale(first.w, scale);
            const real4 part = sums_of_parts(parts, part_cols, cols, scale, guess);
            hi = guess + team_total(part, scratch).x / shape->count;
        }
        const real4 part = sums_of_parts(parts, part_cols, cols, scale, hi);
        finish_stats(stats, team_total(part, scratch), shape, scale, hi);
        const real better = scale == 1 ? better_scale(stats, shape->eps) : scale;
        if (TEAM_SIZE == 1 && better == scale)
            break;
        scale = better;
    }
}

/* ---- the kernels ---- */

/* found        statistics of the parts of all sets: four numbers for each
 * part_cols    columns of a part; the last one of a set may have fewer
 * group_cols   those that a group writes, whole parts: a matter of speed alone */
#define SPLIT_ARGS FORWARD_ARGS, VECTOR(real, found), uint part_cols, uint group_cols

/* A group for each part. */
__attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) SUBGROUP_SIZE_ATTRIBUTE kernel void
find_parts(SPLIT_ARGS)
{
    local real4 scratch[GROUP_SIZE];
    const realv *own_held = 0;
    const set_shape shape = {1, stats_cols, count, divisor, eps, power};
    const ulong id = get_group_id(0), q = id / PARTS_OF(cols);
    const uint c = (uint)REST(id, PARTS_OF(cols)) * part_cols;
    set_stats stats;
    FIND_PART(part, part_shape, q, c)
    computed_stats(&stats, &part, &part_shape, own_held, scratch);
    if (TEAM_LANE == 0)
        vstore4(part_of(&stats), id, found + found_offset);
}

/* `found`: NULL where a group takes whole sets. */
__attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) SUBGROUP_SIZE_ATTRIBUTE kernel void
forward_norm(SPLIT_ARGS)
{
    local real4 scratch[GROUP_SIZE], parts[MOST_PARTS];
    const realv *own_held = 0;
    const set_shape shape = {1, stats_cols, count, divisor, eps, power};
    const ulong group = get_group_id(0), groups_of_set = (cols - 1) / group_cols + 1;
    const ulong first = found ? group / groups_of_set : group * sets_per_group;
    const ulong end = found ? first + 1 : min(first + sets_per_group, sets);
    const uint from = found ? (uint)REST(group, groups_of_set) * group_cols : 0;
    const uint to = found && cols - from > group_cols ? from + group_cols : cols;
    const uint all = PARTS_OF(cols);
    for (uint p = TEAM_LANE; p < all; p += TEAM_SIZE)
        parts[p] = found ? vload4(first * all + p, found + found_offset) : 0;
    for (ulong q = first; q < end; q++) {
        set_stats stats;
        for (uint c = found ? cols : 0; c < cols; c = PART_END(c)) {
            if (OVERLAP && parts[c / part_cols].w > 0) /* found while the row before was written */
                continue;
            FIND_PART(part, part_shape, q, c)
            computed_stats(&stats, &part, &part_shape, own_held, scratch);
            if (TEAM_LANE == 0)
                parts[c / part_cols] = part_of(&stats);
        }
        if (TEAM_SIZE > 1)
            barrier(CLK_LOCAL_MEM_FENCE);
        merged_stats(&stats, parts, part_cols, &shape, scratch);
        if (TEAM_SIZE > 1) /* y may be x; and the next set has other parts */
            barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
        if (mean && from == 0 && TEAM_LANE == 0)
            mean[mean_offset + q] = mean_of(&stats);
        if (rstd && from == 0 && TEAM_LANE == 0)
            rstd[rstd_offset + q] = stats.rstd * stats.scale;
        for (uint c = from; c < to; c = PART_END(c)) {
            FIND_PART(part, part_shape, q, c)
            FIND_OUTPUTS(out, q)
            MOVE(out.y, c);
            MOVE(out.sum, c);
#if OVERLAP
            if (q + 1 < end) {
                set_stats ahead;
                FIND_SET(next, q + 1)
                begin_at(&next, c);
                normalize_and_look_ahead(&out, &part, &stats, &next, &ahead, &part_shape);
                parts[c / part_cols] = part_of(&ahead);
                if (!is_settled(&ahead, eps))
                    parts[c / part_cols].w = 0;
                continue;
            }
#endif
            normalize_set(&out, &part, &stats, 1, part_shape.cols, own_held);
        }
    }
}
#endif

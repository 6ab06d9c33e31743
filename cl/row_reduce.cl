/* SPDX-License-Identifier: MIT */
/* Sums over a set of elements, and the largest of them, by one work-item (sequential rows) or a
 * work-group (cooperative rows).
 *
 *   GROUP_SIZE    work-items of a group: 1 = sequential, else a power of two
 *   TEAM_SIZE     those that share a set; divides GROUP_SIZE
 *   SUBGROUPS     work-items of a sub-group, which add up their numbers first, and divide TEAM_SIZE:
 *                 cl_intel_subgroups; 1: as many as there are, cl_khr_subgroups, for teams of a whole
 *                 group; 0: local memory only
 *   HOLD          vectors of a set that a work-item keeps in registers; 0: it reads them again
 *   NARROW        1: rows have few columns, and a work-item adds up those of BLOCK_ROWS at once;
 *                 CPU_HINTS, VEC 8 or 16
 *
 * The order of the additions depends on the set's size, VEC, TEAM_SIZE and HOLD alone, so the bits of
 * a row do not depend on how many rows there are. At most BLOCK_LENGTH additions follow one another
 * before a block is folded into a compensated sum; beyond, the rounding error does not grow. */
#ifndef GROUP_SIZE
#define GROUP_SIZE 1
#endif

#ifndef TEAM_SIZE
#define TEAM_SIZE GROUP_SIZE
#endif
#ifndef HOLD
#define HOLD 0
#endif
#ifndef SUBGROUPS
#define SUBGROUPS 0
#endif
#ifndef NARROW
#define NARROW 0
#endif
#if SUBGROUPS > 1
#pragma OPENCL EXTENSION cl_intel_subgroups : enable
#define SUBGROUP_SIZE_ATTRIBUTE __attribute__((intel_reqd_sub_group_size(SUBGROUPS)))
#else
#define SUBGROUP_SIZE_ATTRIBUTE
#endif
#if SUBGROUPS == 1
#pragma OPENCL EXTENSION cl_khr_subgroups : enable
#endif

#define BLOCK_LENGTH 64

/* A set is worked on by `size` work-items, of which this one is number `lane`: a team, or a work-item
 * alone (0, 1). Each has the same columns of every segment. */
#define TEAMS (GROUP_SIZE / TEAM_SIZE)
#define TEAM_LANE (TEAM_SIZE > 1 ? (uint)get_local_id(0) % TEAM_SIZE : 0u)
#define OWN_TEAM (TEAMS > 1 ? (uint)get_local_id(0) / TEAM_SIZE : 0u)

#define FOR_BLOCKS(first, cols, size)                                                              \
    for (uint first = 0; first < (cols); first += BLOCK_LENGTH * VEC * (size))
#define BLOCK_END(first, cols, size) min(first + BLOCK_LENGTH * VEC * (size), cols)

/* Loops over the vectors of a narrow row are most of its cost if they are not unrolled. */
#if NARROW
#define UNROLLED(times) TEXT_PRAGMA(unroll times)
#define TEXT_PRAGMA(text) _Pragma(#text)
#else
#define UNROLLED(times)
#endif

/* Whole vectors only. Afterwards c < end in the one work-item that has the last few columns. */
#define FOR_VECTORS(c, end, size) UNROLLED(4) for (; c + VEC <= (end); c += VEC * (size))

typedef struct {
    realv hi, lo;
} blocked_sum;

/* Two-sum (Knuth, The Art of Computer Programming 2, 4.2.2): hi + lo loses nothing of `block`. */
static inline void fold_block(blocked_sum *sum, realv block)
{
    const realv total = sum->hi + block;
    const realv added = total - sum->hi;
    sum->lo += (sum->hi - (total - added)) + (block - added);
    sum->hi = total;
}

/* For gradients. An infinity makes lo NaN, which statistics want, and sums of gradients do not. */
static inline void keep_infinity(blocked_sum *sum)
{
    sum->lo = select(sum->lo, (realv)(0), isinf(sum->hi));
}

/* In halves. Lanes of an array go through memory on CPUs; Oclgrind cannot follow parts of vectors. */
#if CPU_HINTS
static inline real lane_total2(VECTOR_OF(2) v) { return v.lo + v.hi; }
static inline real lane_total4(VECTOR_OF(4) v) { return lane_total2(v.lo + v.hi); }
static inline real lane_total8(VECTOR_OF(8) v) { return lane_total4(v.lo + v.hi); }
static inline real lane_total16(VECTOR_OF(16) v) { return lane_total8(v.lo + v.hi); }
#define lane_total VN(lane_total)
#else
static inline real lane_total(realv v)
{
    lanes total;
    total.v = v;
    for (uint width = VEC / 2; width > 0; width /= 2)
        for (uint k = 0; k < width; k++)
            total.lane[k] += total.lane[k + width];
    return total.lane[0];
}
#endif

#if NARROW
/* A block of rows: a lane for each. */
#define BLOCK_ROWS 8
typedef VECTOR_OF(8) rowv;
typedef union {
    rowv v;
    real lane[BLOCK_ROWS];
} row_lanes;

#if VEC == 16
static inline rowv half_total(realv v) { return v.lo + v.hi; }
#else
static inline rowv half_total(realv v) { return v; }
#endif

static inline rowv join_halves(rowv a, rowv b)
{
    return (rowv)(a.lo, b.lo) + (rowv)(a.hi, b.hi);
}

static inline rowv join_quarters(rowv a, rowv b)
{
    return (rowv)(a.s01, b.s01, a.s45, b.s45) + (rowv)(a.s23, b.s23, a.s67, b.s67);
}

/* The lane_total of each row, with the same bits, of what half_total left of it. A step is for two
 * rows, four, eight at once, and one after the other would wait for themselves. */
static inline rowv lane_totals(const rowv *row)
{
    const rowv even = join_quarters(join_halves(row[0], row[4]), join_halves(row[1], row[5]));
    const rowv odd = join_quarters(join_halves(row[2], row[6]), join_halves(row[3], row[7]));
    return (rowv)(even.s02, odd.s02, even.s46, odd.s46) +
           (rowv)(even.s13, odd.s13, even.s57, odd.s57);
}
#endif

/* What this work-item adds to the total. */
static inline real own_total(blocked_sum sum) { return lane_total(sum.hi + sum.lo); }

/* The sums, each by itself, of four numbers that the work-items of the team have. All of the group
 * must call this, and all of a team get the same bits. `scratch` holds GROUP_SIZE elements; a team of
 * one does not touch it. */
#if SUBGROUPS
static inline real4 team_total(real4 own, local real4 *scratch)
{
    const uint size = SUBGROUPS > 1 ? SUBGROUPS : get_max_sub_group_size();
    const uint all = (TEAM_SIZE + size - 1) / size, first = OWN_TEAM * all;
    const real4 part = {sub_group_reduce_add(own.x), sub_group_reduce_add(own.y),
                        sub_group_reduce_add(own.z), 0};
    if (SUBGROUPS == TEAM_SIZE)
        return part;
    barrier(CLK_LOCAL_MEM_FENCE); /* readers of the previous total are done */
    if (get_sub_group_local_id() == 0)
        scratch[get_sub_group_id()] = part;
    barrier(CLK_LOCAL_MEM_FENCE);
    real4 total = scratch[first];
    for (uint k = 1; k < all; k++)
        total += scratch[first + k];
    return total;
}
#else
static inline real4 team_total(real4 own, local real4 *scratch)
{
    if (TEAM_SIZE == 1)
        return own;
    const uint id = get_local_id(0), lane = TEAM_LANE;
    barrier(CLK_LOCAL_MEM_FENCE); /* readers of the previous total are done */
    scratch[id] = own;
    for (uint width = TEAM_SIZE / 2; width > 0; width /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (lane < width)
            scratch[id] += scratch[id + width];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    return scratch[id - lane];
}
#endif

/* Up to three sums that one pass over a set adds up. */
typedef struct {
    realv a, b, c;
} parts;

typedef struct {
    blocked_sum a, b, c;
} sums;

static inline void fold_parts(sums *total, const parts *block)
{
    fold_block(&total->a, block->a);
    fold_block(&total->b, block->b);
    fold_block(&total->c, block->c);
}

static inline real4 own_totals(const sums *total)
{
    real4 own = 0; /* and not undefined, before its parts are put in: Oclgrind would complain */
    own.x = own_total(total->a);
    own.y = own_total(total->b);
    own.z = own_total(total->c);
    return own;
}

static inline void join_parts(parts *part, const parts *other)
{
    part->a += other->a;
    part->b += other->b;
    part->c += other->c;
}

/* One segment of a pass: STEP(&part, c, n) adds columns c to c + n to `part`, of type parts. It is an
 * expression that may use the variables around it. */
#define ADD_SEGMENT(total, cols, lane, size, STEP)                                                 \
    FOR_BLOCKS(block_, cols, size)                                                                 \
    {                                                                                              \
        const uint end_ = BLOCK_END(block_, cols, size);                                           \
        uint c_ = block_ + VEC * (lane);                                                           \
        parts part_ = {0, 0, 0};                                                                   \
        FOR_VECTORS(c_, end_, size)                                                                \
            STEP(&part_, c_, VEC);                                                                 \
        if (c_ < end_)                                                                             \
            STEP(&part_, c_, end_ - c_);                                                           \
        fold_parts(&total, &part_);                                                                \
    }

/* The same with two chains of additions at once, as one would wait for its own results; where there
 * are registers for it. */
#define ADD_SEGMENT_IN_PAIRS(total, cols, lane, size, STEP)                                        \
    FOR_BLOCKS(block_, cols, size)                                                                 \
    {                                                                                              \
        parts part_ = {0, 0, 0};                                                                   \
        ADD_BLOCK_IN_PAIRS(part_, block_, BLOCK_END(block_, cols, size), lane, size, STEP)         \
        fold_parts(&total, &part_);                                                                \
    }
#define ADD_BLOCK_IN_PAIRS(part, first, end, lane, size, STEP)                                     \
    {                                                                                              \
        const uint end_ = end, next_ = VEC * (size);                                               \
        uint c_ = (first) + VEC * (lane);                                                          \
        parts other_ = {0, 0, 0};                                                                  \
        UNROLLED(2) for (; c_ + next_ + VEC <= end_; c_ += 2 * next_) {                            \
            STEP(&part, c_, VEC);                                                                  \
            STEP(&other_, c_ + next_, VEC);                                                        \
        }                                                                                          \
        if (c_ + VEC <= end_) {                                                                    \
            STEP(&part, c_, VEC);                                                                  \
            c_ += next_;                                                                           \
        }                                                                                          \
        if (c_ < end_)                                                                             \
            STEP(&other_, c_, end_ - c_);                                                          \
        join_parts(&part, &other_);                                                                \
    }

/* A set of which values are held is only read to be done again. */
#if HOLD
#define ADD_SEGMENT_OF_SET ADD_SEGMENT
#else
#define ADD_SEGMENT_OF_SET ADD_SEGMENT_IN_PAIRS
#endif

/* What a work-item holds of a row: vector k_, which begins at column c_ and has n_ columns. As no
 * fewer than HOLD vectors hold the row, all but the last are whole, and their loads wait for no test.
 * No array is indexed by what is not a constant, or it would be in memory. */
#define HELD_COLUMN(k) (VEC * (TEAM_LANE + (k)*TEAM_SIZE))
#define FOR_HELD(cols, STEP)                                                                       \
    {                                                                                              \
        _Pragma("unroll") for (uint k_ = 0; k_ + 1 < HOLD; k_++)                                   \
            STEP(k_, HELD_COLUMN(k_), VEC);                                                        \
        const uint c_ = HELD_COLUMN(HOLD - 1);                                                     \
        if (c_ < (cols))                                                                           \
            STEP(HOLD - 1, c_, min((cols)-c_, (uint)VEC));                                         \
    }

/* Columns of a segment, a vector or the last few at a time, in the order of a sum. */
#define FOR_COLUMNS(from, to, lane, size, STEP)                                                    \
    {                                                                                              \
        uint c_ = (from) + VEC * (lane);                                                           \
        FOR_VECTORS(c_, to, size)                                                                  \
            STEP(c_, VEC);                                                                         \
        if (c_ < (to))                                                                             \
            STEP(c_, (to)-c_);                                                                     \
    }
#define FOR_SEGMENT(cols, lane, size, STEP) FOR_COLUMNS(0, cols, lane, size, STEP)

/* ---- the largest value ---- */

/* The larger one, and NaN if one of them is. */
static inline realv larger(realv a, realv b) { return select(a, b, b > a || b != b); }

/* The same of sizes: a is none less than 0, b may be. Their bits have the same order, NaN last. */
static inline realv larger_size(realv a, realv b)
{
#if ARITHMETIC == 64
    return VN(as_double)(max(VN(as_long)(a), VN(as_long)(b) & LONG_MAX));
#else
    return VN(as_float)(max(VN(as_int)(a), VN(as_int)(b) & INT_MAX));
#endif
}

static inline real largest_lane(realv v)
{
    lanes part;
    part.v = v;
    real most = part.lane[0];
    for (uint k = 1; k < VEC; k++)
        most = part.lane[k] > most || isnan(part.lane[k]) ? part.lane[k] : most;
    return most;
}

/* The largest of each of four numbers that the work-items of the team have; as team_total. */
static inline real4 team_largest(real4 own, local real4 *scratch)
{
    if (TEAM_SIZE == 1)
        return own;
    const uint id = get_local_id(0), lane = TEAM_LANE;
    barrier(CLK_LOCAL_MEM_FENCE);
    scratch[id] = own;
    for (uint width = TEAM_SIZE / 2; width > 0; width /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (lane < width) {
            const real4 a = scratch[id], b = scratch[id + width];
            scratch[id] = select(a, b, b > a || isnan(b));
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    return scratch[id - lane];
}

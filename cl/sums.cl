/* SPDX-License-Identifier: MIT */
/* The second stage of gradients of parameters: sums of lines, in a fixed order. */
#ifndef DPARAM_TYPE
#define DPARAM_TYPE f32
#endif

/* A gradient, and numbers about it: how many elements before its first (OFFSET) and from a row to the
 * next (STRIDE), where its lines begin (FIRST), how many of them a row of it is the sum of (PER_ROW)
 * and how many there are in all (LINES), the length of a line (COLS), and the work-items that it
 * takes (ITEMS), each for VEC columns of one row. One that is not wanted takes none. */
#define GRADIENT(k) global DPARAM_TYPE *out##k, ulong8 at##k
#define OFFSET s0
#define STRIDE s1
#define FIRST s2
#define PER_ROW s3
#define LINES s4
#define COLS s5
#define ITEMS s6

/* For work-items behind those of the gradient that is looked at: the next one. */
#define SKIP_TO(k)                                                                                 \
    if (id >= at.ITEMS) {                                                                          \
        id -= at.ITEMS;                                                                            \
        out = out##k;                                                                              \
        at = at##k;                                                                                \
    }

kernel void add_lines(GRADIENT(0), GRADIENT(1), GRADIENT(2), GRADIENT(3), GRADIENT(4), GRADIENT(5),
                      const VECTOR(real, lines))
{
    ulong id = get_global_id(0);
    global DPARAM_TYPE *out = out0;
    ulong8 at = at0;
    SKIP_TO(1)
    SKIP_TO(2)
    SKIP_TO(3)
    SKIP_TO(4)
    SKIP_TO(5)
    if (id >= at.ITEMS)
        return;
    const ulong vectors = (at.COLS + VEC - 1) / VEC;
    const ulong row = id / vectors, c = REST(id, vectors) * VEC;
    const uint n = (uint)min(at.COLS - c, (ulong)VEC);
    const ulong first = row * at.PER_ROW;
    const ulong count = first < at.LINES ? min(at.PER_ROW, at.LINES - first) : 0;
    const global REAL_TYPE *from =
        (const global REAL_TYPE *)lines + lines_offset + at.FIRST + first * at.COLS + c;
    blocked_sum total = {0, 0};
    for (ulong line = 0; line < count;) {
        const ulong end = min(line + BLOCK_LENGTH, count);
        realv part = 0;
        for (; line < end; line++)
            part += TAKE(REAL_TYPE)(from + line * at.COLS, n);
        fold_block(&total, part);
    }
    keep_infinity(&total);
    PUT(DPARAM_TYPE)(total.hi + total.lo, out + at.OFFSET + row * at.STRIDE + c, n, false);
}

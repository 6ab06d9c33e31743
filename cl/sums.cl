/* SPDX-License-Identifier: MIT */
/* The second stage of gradients of parameters: sums of lines, in a fixed order. */
#ifndef DPARAM_TYPE
#define DPARAM_TYPE f32
#endif

/* Row m of `out` is the sum of lines m * lines_per_row to (m + 1) * lines_per_row, of which there are
 * no more than all_lines, each `cols` long. A work-item adds up VEC columns of one row. */
kernel void add_lines(MATRIX(DPARAM_TYPE, out), const VECTOR(real, lines), ulong lines_per_row,
                      ulong all_lines, ulong rows, ulong cols, ulong vectors)
{
    const ulong id = get_global_id(0), row = id / vectors;
    if (row >= rows)
        return;
    const ulong c = REST(id, vectors) * VEC;
    const uint n = (uint)min(cols - c, (ulong)VEC);
    const ulong first = row * lines_per_row;
    const ulong count = first < all_lines ? min(lines_per_row, all_lines - first) : 0;
    const global REAL_TYPE *from = (const global REAL_TYPE *)lines + lines_offset + first * cols + c;
    blocked_sum total = {0, 0};
    for (ulong line = 0; line < count;) {
        const ulong end = min(line + BLOCK_LENGTH, count);
        realv part = 0;
        for (; line < end; line++)
            part += TAKE(REAL_TYPE)(from + line * cols, n);
        fold_block(&total, part);
    }
    keep_infinity(&total);
    PUT(DPARAM_TYPE)(total.hi + total.lo, out + out_offset + row * out_stride + c, n, false);
}

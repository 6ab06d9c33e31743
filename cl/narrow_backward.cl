/* SPDX-License-Identifier: MIT */
/* Gradients for rows of few columns, of which mean and rstd are saved: what follows from the sums over
 * a row is found for BLOCK_ROWS rows side by side. (To write a block by columns, with lines of
 * parameters read and written once for all of its rows, was slower.)
 *
 * Plain sets of x alone, statistics of all columns. A block is read before it is written, and each
 * row again by vectors: dx may be dy or dsum. */
#if NARROW
#define ROW(r) (block - first + (r))
#define FIND_BLOCK_ROW(r)                                                                          \
    in.x = first_x + ROW(r) * x_stride;                                                            \
    grad.dy = first_dy + ROW(r) * dy_stride;

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void backward_norm(BACKWARD_KERNEL_ARGS)
{
    const set_shape shape = {1, stats_cols, count, divisor, eps, power};
    const ulong first = get_group_id(0) * sets_per_group, line = first_line + get_group_id(0);
    const ulong end = min(first + sets_per_group, sets);
    lines += lines_offset;
    FIND_SET(in, first)
    FIND_GRADS(grad, out, in, first)
    const bool past_cache = out.past_cache && dx_stride % VEC == 0;
    const global X_TYPE *const first_x = in.x;
    const global DY_TYPE *const first_dy = grad.dy;
    rowv xhats[BLOCK_ROWS], hs[BLOCK_ROWS], products[BLOCK_ROWS];
    row_lanes xhat, h, product;
    set_stats stats[BLOCK_ROWS];
    grad_sums g[BLOCK_ROWS];
    chunk k;
    for (uint r = 0; r < BLOCK_ROWS; r++)
        xhats[r] = hs[r] = products[r] = 0;
    for (ulong block = first; block < end; block += BLOCK_ROWS) {
        const ulong rows = min(end - block, (ulong)BLOCK_ROWS);
        for (ulong r = 0; r < rows; r++) {
            parts part = {0, 0, 0};
            FIND_BLOCK_ROW(r)
            FIND_STATS(stats[r], in, shape, block + r)
#define STEP(c, n)                                                                                 \
    {                                                                                              \
        find_chunk(&k, &in, &grad, &stats[r], fetch(&in, 0, c, n), dy_at(&grad, 0, c, n), 0, c,    \
                   n);                                                                             \
        add_gradient(&part, &k, &stats[r]);                                                        \
    }
            FOR_SEGMENT(cols, 0, 1, STEP)
#undef STEP
            xhats[r] = half_total(part.a);
            hs[r] = half_total(part.b);
            products[r] = half_total(part.c);
        }
        xhat.v = lane_totals(xhats);
        h.v = lane_totals(hs);
        product.v = lane_totals(products);
        for (ulong r = 0; r < rows; r++)
            finish_gradient(&g[r], (real4)(xhat.lane[r], h.lane[r], product.lane[r], 0), &stats[r],
                            &shape);
        for (ulong r = 0; r < rows; r++) {
            const bool fresh = block + r == first;
            FIND_BLOCK_ROW(r)
#define STEP(c, n)                                                                                 \
    {                                                                                              \
        find_chunk(&k, &in, &grad, &stats[r], fetch(&in, 0, c, n), dy_at(&grad, 0, c, n), 0, c,    \
                   n);                                                                             \
        PREFETCH(in.x + BLOCK_ROWS * x_stride + (c));                                              \
        PREFETCH(grad.dy + BLOCK_ROWS * dy_stride + (c));                                          \
        realv ds = gradient_of_s(&k, &g[r], &shape, c);                                            \
        if (IS_GIVEN(GIVEN_DSUM, grad.dsum))                                                       \
            ds += TAKE(DY_TYPE)(grad.dsum + ROW(r) * dsum_stride + (c), n);                        \
        back_through_output(&out, &in, &grad, &k, 0, c, n, fresh);                                 \
        if (IS_GIVEN(GIVEN_DX, out.dx))                                                            \
            PUT(DX_TYPE)(ds, out.dx + ROW(r) * dx_stride + (c), n, past_cache);                    \
    }
            FOR_SEGMENT(cols, 0, 1, STEP)
#undef STEP
        }
    }
}
#endif

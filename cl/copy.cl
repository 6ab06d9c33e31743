/* SPDX-License-Identifier: MIT */
/* The companion copy: the same bytes as a normalization, walked in the same way, and no arithmetic.
 * What it reaches on a device is the most that a normalization can reach there. */

/* dst[i] = src[i] for `vectors` vectors of VEC f32; a group takes `vectors_per_group` of them. */
__attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) kernel void
copy_forward(global f32 *dst, const global f32 *src, ulong vectors, uint vectors_per_group,
             uint stream)
{
    const ulong first = get_group_id(0) * (ulong)vectors_per_group;
    const ulong end = min(first + vectors_per_group, vectors);
    const bool past_cache = stream && STREAMABLE(dst);
    for (ulong i = first + TEAM_LANE; i < end; i += GROUP_SIZE) {
        const realv v = TAKE(f32)(src + i * VEC, VEC);
        if (past_cache)
            PUT(f32)(v, dst + i * VEC, VEC, true);
        else
            PUT(f32)(v, dst + i * VEC, VEC, false);
    }
}

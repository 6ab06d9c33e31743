/* SPDX-License-Identifier: MIT */
/* What an operation is measured beside: the same streams of bytes, and no arithmetic to speak of.
 *
 * Set by the host (the defaults let this file compile alone):
 *   INS, OUTS     streams that are read, 1 to 4, and written, 1 to 3
 *   IN_0 .. OUT_2 an unsigned type as wide as an element of each
 *   WIDTH         elements of a vector: 4 or 16
 */
#ifndef INS
#define INS 1
#define OUTS 1
#define WIDTH 16
#define IN_0 uint
#define OUT_0 uint
#endif
#ifndef IN_1
#define IN_1 uint
#endif
#ifndef IN_2
#define IN_2 uint
#endif
#ifndef IN_3
#define IN_3 uint
#endif
#ifndef OUT_1
#define OUT_1 uint
#endif
#ifndef OUT_2
#define OUT_2 uint
#endif

#define GLUE_(a, b) a##b
#define GLUE(a, b) GLUE_(a, b)
#define VECTOR(type) GLUE(type, WIDTH)
#define CONVERTED(type, v) GLUE(convert_, VECTOR(type))(v)

#ifdef __has_builtin
#if __has_builtin(__builtin_nontemporal_store)
#define STORE_PAST_CACHE(value, to) __builtin_nontemporal_store(value, to)
#endif
#endif
#ifndef STORE_PAST_CACHE
#define STORE_PAST_CACHE(value, to) (*(to) = (value))
#endif
#define STORE_PLAIN(value, to) (*(to) = (value))

/* Streams that the operation does not have are others again, and not touched. All begin at vector
 * `origin`. Work-item i takes `per` of `n` vectors, from i * first on, `step` apart: a block each,
 * or all of them in turns. (Some drivers end loops whose step they do not know.) */
#define MOVE(name, STORE)                                                                          \
    kernel void name(global const VECTOR(IN_0) *a, global const VECTOR(IN_1) *b,                   \
                     global const VECTOR(IN_2) *c, global const VECTOR(IN_3) *d,                   \
                     global VECTOR(OUT_0) *x, global VECTOR(OUT_1) *y, global VECTOR(OUT_2) *z,    \
                     ulong origin, ulong n, ulong first, ulong step, ulong per)                    \
    {                                                                                              \
        ulong at = get_global_id(0) * first;                                                       \
        for (ulong k = 0; k < per && at < n; k++) {                                                \
            const ulong i = origin + at;                                                           \
            VECTOR(uint) v = CONVERTED(uint, a[i]);                                                \
            if (INS > 1)                                                                           \
                v += CONVERTED(uint, b[i]);                                                        \
            if (INS > 2)                                                                           \
                v += CONVERTED(uint, c[i]);                                                        \
            if (INS > 3)                                                                           \
                v += CONVERTED(uint, d[i]);                                                        \
            STORE(CONVERTED(OUT_0, v), x + i);                                                     \
            if (OUTS > 1)                                                                          \
                STORE(CONVERTED(OUT_1, v), y + i);                                                 \
            if (OUTS > 2)                                                                          \
                STORE(CONVERTED(OUT_2, v), z + i);                                                 \
            at += step;                                                                            \
        }                                                                                          \
    }
MOVE(move_plain, STORE_PLAIN)
MOVE(move_past_cache, STORE_PAST_CACHE)

/* What a launch costs by itself. */
kernel void move_nothing(void) {}

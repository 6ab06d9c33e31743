/* SPDX-License-Identifier: MIT */
/* In front of each program of ex_program. With -DVEC, elements that are taken at once, and
 * -DSTRETCHES, both of ex_build_options: 1 where a work-item owns a long stretch (CPUs), 0 where
 * neighbours take neighbours (GPUs). */

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define vec JOIN(float, VEC)
#define load JOIN(vload, VEC)
#define store JOIN(vstore, VEC)

/* for each i below n */
#if STRETCHES
#define FIRST(id, n) ((uint)((ulong)(n) * (id) / get_global_size(0)))
#define EACH(i, n)                                                                                 \
    for (uint i = FIRST(get_global_id(0), n), i##_end = FIRST(get_global_id(0) + 1, n);            \
         i < i##_end; i++)
#else
#define EACH(i, n) for (uint i = get_global_id(0); i < (n); i += get_global_size(0))
#endif

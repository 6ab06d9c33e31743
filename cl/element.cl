/* SPDX-License-Identifier: MIT */
/* Storage types: what a tensor's elements are in memory, and how they become numbers.
 *
 * Set by the host (the defaults let this file compile alone):
 *   VEC           columns that a work-item handles at once: 2, 4, 8 or 16
 *   ARITHMETIC    32 or 64: bits of the arithmetic; 64 needs cl_khr_fp64 and f64 tensors
 *   CPU_HINTS     1 on a CPU whose compiler is clang: __builtin_nontemporal_store, _prefetch
 *   X_TYPE, Y_TYPE, PARAM_TYPE   storage of input, output, and of weight and bias: f32 f16 bf16,
 *                 or all f64
 *
 * A storage type is one typedef and five conversions: load, store and stream VEC elements, load and
 * store one.
 * Pointers need the alignment of one element only. Arithmetic is never done in a 16-bit type. */
#ifndef VEC
#define VEC 16
#endif
#ifndef ARITHMETIC
#define ARITHMETIC 32
#endif
#ifndef CPU_HINTS
#define CPU_HINTS 0
#endif
#ifndef X_TYPE
#define X_TYPE f32
#endif
#ifndef Y_TYPE
#define Y_TYPE f32
#endif
#ifndef PARAM_TYPE
#define PARAM_TYPE f32
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VN(name) JOIN(name, VEC)
#define LOAD(type) JOIN(load_, type)
#define LOAD1(type) JOIN(load1_, type)
#define STORE(type) JOIN(store_, type)
#define STORE1(type) JOIN(store1_, type)
#define STREAM(type) JOIN(stream_, type)

/* STREAM stores past the cache: it saves reading the line that a plain store overwrites, and needs
 * the alignment of a whole vector. */
#if CPU_HINTS
#define STREAM_VECTOR(type, v, p) __builtin_nontemporal_store(v, (global VN(type) *)(p))
#define STREAMABLE(p) ((ulong)(p) % (VEC * sizeof(*(p))) == 0)
#define PREFETCH(p) __builtin_prefetch((const global char *)(p), 0, 3)
#else
#define STREAM_VECTOR(type, v, p) VN(vstore)(v, 0, p)
#define STREAMABLE(p) false
#define PREFETCH(p) ((void)(p))
#endif

#if ARITHMETIC == 64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable

typedef double real;
typedef double4 real4;
typedef VN(double) realv;

typedef double f64;
static inline realv load_f64(const global f64 *p) { return VN(vload)(0, p); }
static inline real load1_f64(const global f64 *p) { return *p; }
static inline void store_f64(realv v, global f64 *p) { VN(vstore)(v, 0, p); }
static inline void stream_f64(realv v, global f64 *p) { STREAM_VECTOR(double, v, p); }
static inline void store1_f64(real v, global f64 *p) { *p = v; }

#else

typedef float real;
typedef float4 real4;
typedef VN(float) realv;

typedef float f32;
static inline realv load_f32(const global f32 *p) { return VN(vload)(0, p); }
static inline real load1_f32(const global f32 *p) { return *p; }
static inline void store_f32(realv v, global f32 *p) { VN(vstore)(v, 0, p); }
static inline void stream_f32(realv v, global f32 *p) { STREAM_VECTOR(float, v, p); }
static inline void store1_f32(real v, global f32 *p) { *p = v; }

/* Core OpenCL C reads and writes half without cl_khr_fp16; _rte rounds to nearest even. Vectors go
 * through a private copy: PoCL 3.1 takes the pointer of vstore_half16 for one to a whole vector, and
 * faults where it is aligned to an element only. */
typedef ushort f16;
static inline realv load_f16(const global f16 *p)
{
    const VN(ushort) bits = VN(vload)(0, p);
    return VN(vload_half)(0, (const private half *)&bits);
}
static inline real load1_f16(const global f16 *p) { return vload_half(0, (const global half *)p); }
static inline VN(ushort) round_f16(realv v)
{
    VN(ushort) bits;
    JOIN(VN(vstore_half), _rte)(v, 0, (private half *)&bits);
    return bits;
}
static inline void store_f16(realv v, global f16 *p) { VN(vstore)(round_f16(v), 0, p); }
static inline void stream_f16(realv v, global f16 *p) { STREAM_VECTOR(ushort, round_f16(v), p); }
static inline void store1_f16(real v, global f16 *p) { vstore_half_rte(v, 0, (global half *)p); }

/* bf16 is the upper half of a float. Adding 0x7fff and the lowest bit that stays rounds to nearest
 * even; a NaN would carry over into infinity there, so it is cut and made quiet instead. */
typedef ushort bf16;
static inline realv load_bf16(const global bf16 *p)
{
    return VN(as_float)(VN(convert_uint)(VN(vload)(0, p)) << 16);
}
static inline real load1_bf16(const global bf16 *p) { return as_float((uint)*p << 16); }
static inline VN(ushort) round_bf16(realv v)
{
    const VN(uint) bits = VN(as_uint)(v);
    const VN(uint) even = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return VN(convert_ushort)(select(even, bits >> 16 | 0x40, isnan(v)));
}
static inline void store_bf16(realv v, global bf16 *p) { VN(vstore)(round_bf16(v), 0, p); }
static inline void stream_bf16(realv v, global bf16 *p) { STREAM_VECTOR(ushort, round_bf16(v), p); }
static inline void store1_bf16(real v, global bf16 *p)
{
    const uint bits = as_uint(v);
    *p = (bf16)(isnan(v) ? bits >> 16 | 0x40 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
#endif

/* Only for the last columns of a row and the end of a sum: on the hot path a loop over lanes costs
 * a factor of five. */
typedef union {
    realv v;
    real lane[VEC];
} lanes;

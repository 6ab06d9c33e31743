/* SPDX-License-Identifier: MIT */
/* Storage types: what a tensor's elements are in memory, and how they become numbers.
 *
 * Set by the host (the defaults let this file compile alone):
 *   VEC           columns that a work-item handles at once: 2, 4, 8 or 16
 *   ARITHMETIC    32 or 64: bits of the arithmetic; 64 needs cl_khr_fp64 and f64 tensors
 *   CPU_HINTS     1 on a CPU whose compiler is clang: __builtin_nontemporal_store, _prefetch
 *   PAIRED        1: all tensors are bf16, and lanes are columns 0, 2, 4 ... 1, 3, 5 ...: two bf16
 *                 are taken from a number of 32 bits, and put there, and stay in their lanes
 *   ALIGNED       1: rows are whole vectors, and aligned to their size: only then NVIDIA's compiler
 *                 makes one access of a vector
 *
 * A storage type is one typedef and two conversions of VEC elements; STORAGE gives it the rest.
 * Else pointers need the alignment of one element only. Arithmetic is never done in a 16-bit type.
 */
#ifndef VEC
#define VEC 16
#endif
#ifndef ARITHMETIC
#define ARITHMETIC 32
#endif
#ifndef CPU_HINTS
#define CPU_HINTS 0
#endif
#ifndef PAIRED
#define PAIRED 0
#endif
#ifndef ALIGNED
#define ALIGNED 0
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VN(name) JOIN(name, VEC)
#if VEC == 16
#define HALF(name) JOIN(name, 8)
#elif VEC == 8
#define HALF(name) JOIN(name, 4)
#else
#define HALF(name) JOIN(name, 2)
#endif

/* With `n` elements, 1 to VEC, of which VEC is a whole vector: TAKE gives them and zeros, PUT
 * stores them, ROUND makes numbers what they will be once stored; SPLAT gives one element in all
 * lanes. Only the last columns of a row are fewer than VEC: on the hot path n is a constant. */
#define IS_WHOLE(n) (ALIGNED || (n) >= VEC)
#define TAKE(type) JOIN(take_, type)
#define PUT(type) JOIN(put_, type)
#define SPLAT(type) JOIN(splat_, type)
#define ROUND(type) JOIN(round_, type)

/* A store past the cache saves reading the line that a plain store overwrites, and needs the
 * alignment of a whole vector. */
#if CPU_HINTS
#define STREAM_VECTOR(v, p) __builtin_nontemporal_store(v, p)
#define STREAMABLE(p) ((ulong)(p) % (VEC * sizeof(*(p))) == 0)
/* This many elements before they are read. */
#define AHEAD(type) (1024 / sizeof(type))
#define PREFETCH(p) __builtin_prefetch((const global char *)(p), 0, 3)
#else
#define STREAM_VECTOR(v, p) (*(p) = (v))
#define STREAMABLE(p) false
#define AHEAD(type) 0
#define PREFETCH(p) ((void)(p))
#endif

#if ARITHMETIC == 64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
typedef double real;
#define VECTOR_OF(n) JOIN(double, n)
#define REAL_TYPE f64
#else
typedef float real;
#define VECTOR_OF(n) JOIN(float, n)
#define REAL_TYPE f32
#endif
typedef VECTOR_OF(4) real4;
typedef VECTOR_OF(VEC) realv;

/* a % b, next to a / b of the same numbers: compilers make `freeze` instructions of the two, which
 * Oclgrind cannot take. */
#define REST(a, b) ((a) - (a) / (b) * (b))

/* vload and vstore of 16-bit vectors are a store an element in PoCL 3.1; packed ones are one. */
#if CPU_HINTS
#define LOAD_VECTOR(type, p) (((const global packed_##type *)(p))->v)
#define STORE_VECTOR(type, vec, p) (((global packed_##type *)(p))->v = (vec))
#elif ALIGNED
#define LOAD_VECTOR(type, p) (((const global lanes_##type *)(p))->v)
#define STORE_VECTOR(type, vec, p) (((global lanes_##type *)(p))->v = (vec))
#else
#define LOAD_VECTOR(type, p) VN(vload)(0, p)
#define STORE_VECTOR(type, vec, p) VN(vstore)(vec, 0, p)
#endif

/* Tensors among a kernel's arguments; offsets and strides are in elements. */
#define VECTOR(type, name) global type *name, ulong name##_offset
#define MATRIX(type, name) VECTOR(type, name), ulong name##_stride

/* Lanes one by one: a loop over them on the hot path costs a factor of five. Elsewhere long ones
 * stay loops, to spare the compiler; short ones are on GPUs, which keep no arrays in registers. */
#if VEC > 4
#define FEW_LANES _Pragma("unroll 1")
#else
#define FEW_LANES _Pragma("unroll")
#endif
typedef union {
    realv v;
    real lane[VEC];
} lanes;

#if PAIRED
#define COLUMN_OF(lane) ((lane) < VEC / 2 ? 2 * (lane) : 2 * (lane)-VEC + 1)
#else
#define COLUMN_OF(lane) (lane)
#endif

/* v, and zeros from column n on. */
static inline realv first_lanes(realv v, uint n)
{
    lanes part;
    if (n >= VEC)
        return v;
    part.v = v;
    FEW_LANES
    for (uint k = 0; k < VEC; k++)
        part.lane[k] = COLUMN_OF(k) < n ? part.lane[k] : 0;
    return part.v;
}

#define STORAGE(type, bits)                                                                        \
    typedef union {                                                                                \
        VN(bits) v;                                                                                \
        bits lane[VEC];                                                                            \
    } lanes_##type;                                                                                \
    typedef struct __attribute__((packed)) {                                                       \
        VN(bits) v;                                                                                \
    } packed_##type;                                                                               \
    static inline realv take_##type(const global type *p, uint n)                                  \
    {                                                                                              \
        lanes_##type part;                                                                         \
        if (IS_WHOLE(n))                                                                           \
            return decode_##type(LOAD_VECTOR(type, p));                                            \
        FEW_LANES                                                                                  \
        for (uint k = 0; k < VEC; k++)                                                             \
            part.lane[k] = k < n ? p[k] : 0;                                                       \
        return decode_##type(part.v);                                                              \
    }                                                                                              \
    static inline realv splat_##type(const global type *p)                                         \
    {                                                                                              \
        return decode_##type((VN(bits))(*p));                                                      \
    }                                                                                              \
    static inline void put_##type(realv v, global type *p, uint n, bool stream)                    \
    {                                                                                              \
        lanes_##type part;                                                                         \
        part.v = encode_##type(v);                                                                 \
        if (IS_WHOLE(n) && stream)                                                                 \
            STREAM_VECTOR(part.v, (global VN(bits) *)p);                                           \
        else if (IS_WHOLE(n))                                                                      \
            STORE_VECTOR(type, part.v, p);                                                         \
        else {                                                                                     \
            FEW_LANES                                                                              \
            for (uint k = 0; k < VEC; k++)                                                         \
                if (k < n)                                                                         \
                    p[k] = part.lane[k];                                                           \
        }                                                                                          \
    }                                                                                              \
    static inline realv round_##type(realv v) { return decode_##type(encode_##type(v)); }

#if ARITHMETIC == 64
typedef double f64;
static inline realv decode_f64(realv v) { return v; }
static inline realv encode_f64(realv v) { return v; }
STORAGE(f64, double)
#else
typedef float f32;
static inline realv decode_f32(realv v) { return v; }
static inline realv encode_f32(realv v) { return v; }
STORAGE(f32, float)

/* Core OpenCL C reads and writes half without cl_khr_fp16; _rte rounds to nearest even. Vectors go
 * through a private copy: PoCL 3.1 takes the pointer of vstore_half16 for one to a whole vector,
 * and faults where it is aligned to an element only. */
typedef ushort f16;
static inline realv decode_f16(VN(ushort) bits)
{
    return VN(vload_half)(0, (const private half *)&bits);
}
static inline VN(ushort) encode_f16(realv v)
{
    VN(ushort) bits = 0;
    JOIN(VN(vstore_half), _rte)(v, 0, (private half *)&bits);
    return bits;
}
STORAGE(f16, ushort)

/* bf16 is the upper half of a float. Adding 0x7fff and the lowest bit that stays rounds to nearest
 * even; there a NaN could carry over into zero. */
typedef ushort bf16;
static inline VN(uint) rounded_to_bf16(realv v)
{
    const VN(uint) bits = VN(as_uint)(v);
    return select(bits + 0x7fff + (bits >> 16 & 1), (VN(uint))(0x7fc00000), v != v);
}
#if PAIRED
static inline realv decode_bf16(VN(ushort) bits)
{
    const HALF(uint) pairs = HALF(as_uint)(bits);
    return (realv)(HALF(as_float)(pairs << 16), HALF(as_float)(pairs & 0xffff0000));
}
static inline VN(ushort) encode_bf16(realv v)
{
    const VN(uint) bits = rounded_to_bf16(v);
    return VN(as_ushort)(bits.lo >> 16 | (bits.hi & 0xffff0000));
}
#else
static inline realv decode_bf16(VN(ushort) bits)
{
    return VN(as_float)(VN(convert_uint)(bits) << 16);
}
static inline VN(ushort) encode_bf16(realv v)
{
    return VN(convert_ushort)(rounded_to_bf16(v) >> 16);
}
#endif
STORAGE(bf16, ushort)

/* Quantised outputs saturate; a NaN has no int8. */
typedef char i8;
static inline realv decode_i8(VN(char) bits) { return VN(convert_float)(bits); }
/* Added to a number of less than 2^22, 1.5 * 2^23 leaves an integer in the lowest bits: PoCL's rint
 * takes 25 instructions. */
static inline VN(char) encode_i8(realv v)
{
    const realv shifted = clamp(v, (realv)(-128.0f), (realv)(127.0f)) + (realv)(0x1.8p23f);
    const VN(int) code = VN(as_int)(shifted) - VN(as_int)((realv)(0x1.8p23f));
    return VN(convert_char)(select(code, (VN(int))(0), v != v));
}
STORAGE(i8, char)

/* fp8: OCP 8-bit floating point specification. Bits of the float move right with rounding to
 * nearest even, and the exponent's bias changes; subnormal numbers are multiples of `quantum`
 * instead. In Oclgrind, min of a vector and a scalar is wrong. */
static inline VN(uchar) encode_fp8(realv v, uint mantissa, uint bias, uint largest, real quantum)
{
    const VN(uint) size = VN(as_uint)(v) & 0x7fffffff;
    const uint shift = 23 - mantissa;
    const VN(uint) even = (size + (1u << (shift - 1)) - 1 + (size >> shift & 1)) >> shift;
    const VN(uint) small = VN(convert_uint)(rint(min(fabs(v), (realv)(1.0f)) / quantum));
    const VN(uint) code =
        select(even - ((127 - bias) << mantissa), small, size < (128 - bias) << 23);
    const VN(uint) number = select(min(code, (VN(uint))(largest)), (VN(uint))(0x7f), v != v);
    return VN(convert_uchar)(number | (VN(as_uint)(v) >> 24 & 0x80));
}

typedef uchar e4m3;
static inline VN(uchar) encode_e4m3(realv v) { return encode_fp8(v, 3, 7, 0x7e, 0x1p-9f); }
/* The codes 1111.111 are NaN. */
static inline realv decode_e4m3(VN(uchar) bits)
{
    const VN(uint) code = VN(convert_uint)(bits), size = code & 0x7f;
    const realv normal = VN(as_float)((size << 20) + (120u << 23));
    const realv small = VN(convert_float)(size) * 0x1p-9f;
    const realv number = select(normal, small, size < 8);
    const realv value = select(number, (realv)(NAN), size == 0x7f);
    return VN(as_float)(VN(as_uint)(value) | (code & 0x80) << 24);
}
STORAGE(e4m3, uchar)

typedef uchar e5m2;
static inline VN(uchar) encode_e5m2(realv v) { return encode_fp8(v, 2, 15, 0x7b, 0x1p-16f); }
static inline realv decode_e5m2(VN(uchar) bits)
{
    return decode_f16(VN(convert_ushort)(bits) << (VN(ushort))(8));
}
STORAGE(e5m2, uchar)
#endif

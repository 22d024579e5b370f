// Arithmetic that CUDA has beside <cmath>: fast functions (here exact ones), bits of numbers, products' upper halves,
// loads with a cache hint.
#pragma once

#include <math.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

// ---- float functions without a name in <cmath> ----
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }
inline float __expf(float x) { return expf(x); }
inline float __exp10f(float x) { return powf(10.0f, x); }
inline float __logf(float x) { return logf(x); }
inline float __log2f(float x) { return log2f(x); }
inline float __powf(float x, float y) { return powf(x, y); }
inline float __sinf(float x) { return sinf(x); }
inline float __cosf(float x) { return cosf(x); }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float __saturatef(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }
/// x / y; 0 for 2^126 < |y| < 2^128, NaN where x is infinite too. CUDA Math API, __fdividef.
inline float __fdividef(float x, float y) {
  const float size = fabsf(y);
  if (size > 0x1p126f && !std::isinf(y)) return std::isinf(x) ? NAN : 0.0f * std::copysign(1.0f, x) * y / size;
  return x / y;
}
// Never contracted into a multiply-add.
[[gnu::optimize("fp-contract=off")]] inline float __fmul_rn(float x, float y) { return x * y; }
[[gnu::optimize("fp-contract=off")]] inline float __fadd_rn(float x, float y) { return x + y; }
[[gnu::optimize("fp-contract=off")]] inline float __fsub_rn(float x, float y) { return x - y; }
[[gnu::optimize("fp-contract=off")]] inline double __dmul_rn(double x, double y) { return x * y; }
[[gnu::optimize("fp-contract=off")]] inline double __dadd_rn(double x, double y) { return x + y; }
inline float __fdiv_rn(float x, float y) { return x / y; }
inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }

// ---- the smaller and the larger of two numbers of one type ----
#define SLIPWAY_EXTREMA(T)                            \
  constexpr T min(T a, T b) { return b < a ? b : a; } \
  constexpr T max(T a, T b) { return a < b ? b : a; }
SLIPWAY_EXTREMA(int)
SLIPWAY_EXTREMA(unsigned)
SLIPWAY_EXTREMA(long)
SLIPWAY_EXTREMA(unsigned long)
SLIPWAY_EXTREMA(long long)
SLIPWAY_EXTREMA(unsigned long long)
#undef SLIPWAY_EXTREMA
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

// ---- bits ----
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return std::countl_zero(static_cast<unsigned long long>(x)); }
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline unsigned __brev(unsigned x) {
  unsigned y = 0;
  for (int bit = 0; bit < 32; ++bit) y |= (x >> bit & 1u) << (31 - bit);
  return y;
}

// ---- products ----
inline int __mulhi(int a, int b) { return static_cast<int>(static_cast<int64_t>(a) * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(static_cast<uint64_t>(a) * b >> 32); }
inline long long __mul64hi(long long a, long long b) {
  return static_cast<long long>(static_cast<__int128>(a) * b >> 64);
}
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return static_cast<unsigned long long>(static_cast<unsigned __int128>(a) * b >> 64);
}

// ---- conversions ----
inline int __float2int_rn(float x) { return static_cast<int>(rintf(x)); }
inline int __float2int_rz(float x) { return static_cast<int>(x); }
inline int __float2int_rd(float x) { return static_cast<int>(floorf(x)); }
inline int __float2int_ru(float x) { return static_cast<int>(ceilf(x)); }
inline float __int2float_rn(int x) { return static_cast<float>(x); }
inline float __uint2float_rn(unsigned x) { return static_cast<float>(x); }
inline float __double2float_rn(double x) { return static_cast<float>(x); }

// ---- loads and stores with a cache hint ----
template <typename T>
T __ldg(const T* from) {
  return *from;
}
template <typename T>
T __ldcg(const T* from) {
  return *from;
}
template <typename T>
T __ldcs(const T* from) {
  return *from;
}
template <typename T>
void __stcg(T* to, std::type_identity_t<T> value) {
  *to = value;
}
template <typename T>
void __stcs(T* to, std::type_identity_t<T> value) {
  *to = value;
}

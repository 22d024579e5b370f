// One vector of float32 lanes, written with the compiler's vector extension and compiled once per instruction set.
//
// Every `_simd.cc` file is compiled with SLIPWAY_ISA set to the namespace (baseline, avx2, avx512, neon) and
// SLIPWAY_LANES to its width. It includes this, ops/call.h for the types of its arguments, and nothing else that could
// emit shared code: a template of the standard library compiled with AVX-512 may be the copy that the linker keeps.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if !defined(SLIPWAY_ISA) || !defined(SLIPWAY_LANES)
#error "this header is only for _simd.cc files, which CMake compiles once per instruction set"
#endif

namespace slipway::SLIPWAY_ISA {

inline constexpr int64_t kLanes = SLIPWAY_LANES;

typedef float Vec __attribute__((vector_size(SLIPWAY_LANES * 4)));
typedef int32_t VecInt __attribute__((vector_size(SLIPWAY_LANES * 4)));
typedef float VecUnaligned __attribute__((vector_size(SLIPWAY_LANES * 4), aligned(4), may_alias));

[[gnu::always_inline]] static inline Vec load(const float* p) noexcept {
  return *reinterpret_cast<const VecUnaligned*>(p);
}
[[gnu::always_inline]] static inline void store(float* p, Vec v) noexcept { *reinterpret_cast<VecUnaligned*>(p) = v; }
#if defined(__x86_64__) && SLIPWAY_LANES == 16
/// The forms without a mask are warned of: they begin with a vector that is undefined.
inline constexpr __mmask16 kAllLanes = 0xffff;
#endif
/// kLanes numbers as float32, from bfloat16 or from int8. Compilers make single elements of the portable forms.
#if defined(__x86_64__) && SLIPWAY_LANES == 16
[[gnu::always_inline]] static inline Vec load_bfloat16(const uint16_t* p) noexcept {
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return reinterpret_cast<Vec>(_mm512_maskz_slli_epi32(kAllLanes, _mm512_maskz_cvtepu16_epi32(kAllLanes, bits), 16));
}
[[gnu::always_inline]] static inline Vec load_int8(const int8_t* p) noexcept {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm512_maskz_cvtepi32_ps(kAllLanes, _mm512_maskz_cvtepi8_epi32(kAllLanes, bytes));
}
#elif defined(__x86_64__) && SLIPWAY_LANES == 8
[[gnu::always_inline]] static inline Vec load_bfloat16(const uint16_t* p) noexcept {
  const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return reinterpret_cast<Vec>(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
[[gnu::always_inline]] static inline Vec load_int8(const int8_t* p) noexcept {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
#else
[[gnu::always_inline]] static inline Vec load_bfloat16(const uint16_t* p) noexcept {
  VecInt bits{};
  for (int64_t i = 0; i < kLanes; ++i) bits[i] = static_cast<int32_t>(static_cast<uint32_t>(p[i]) << 16);
  return reinterpret_cast<Vec>(bits);
}
[[gnu::always_inline]] static inline Vec load_int8(const int8_t* p) noexcept {
  Vec v{};
  for (int64_t i = 0; i < kLanes; ++i) v[i] = static_cast<float>(p[i]);
  return v;
}
#endif
/// Minus zero, unlike plus zero, keeps -0 and costs no instruction.
[[gnu::always_inline]] static inline Vec broadcast(float x) noexcept { return x - Vec{}; }
/// First n lanes, or lanes [begin, end), from memory, the others zero; no other byte is read.
#if defined(__x86_64__) && SLIPWAY_LANES == 16
[[gnu::always_inline]] static inline __mmask16 first_lanes(int64_t n) noexcept {
  return static_cast<__mmask16>((1U << n) - 1);
}
[[gnu::always_inline]] static inline Vec load_first(const float* p, int64_t n) noexcept {
  return _mm512_maskz_loadu_ps(first_lanes(n), p);
}
[[gnu::always_inline]] static inline Vec load_between(const float* p, int64_t begin, int64_t end) noexcept {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>(first_lanes(end) & ~first_lanes(begin)), p);
}
[[gnu::always_inline]] static inline void store_first(float* p, Vec v, int64_t n) noexcept {
  _mm512_mask_storeu_ps(p, first_lanes(n), v);
}
#elif defined(__x86_64__) && SLIPWAY_LANES == 8
[[gnu::always_inline]] static inline __m256i first_lanes(int64_t n) noexcept {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
[[gnu::always_inline]] static inline Vec load_first(const float* p, int64_t n) noexcept {
  return _mm256_maskload_ps(p, first_lanes(n));
}
[[gnu::always_inline]] static inline Vec load_between(const float* p, int64_t begin, int64_t end) noexcept {
  return _mm256_maskload_ps(p, _mm256_andnot_si256(first_lanes(begin), first_lanes(end)));
}
/// Not by a mask, which takes dozens of cycles on some processors.
[[gnu::always_inline]] static inline void store_first(float* p, Vec v, int64_t n) noexcept {
  if (n >= kLanes) return store(p, v);
  __m128 left = _mm256_castps256_ps128(v);
  if ((n & 4) != 0) {
    _mm_storeu_ps(p, left);
    left = _mm256_extractf128_ps(v, 1);
    p += 4;
  }
  if ((n & 2) != 0) {
    _mm_storel_pi(reinterpret_cast<__m64*>(p), left);
    left = _mm_movehl_ps(left, left);
    p += 2;
  }
  if ((n & 1) != 0) _mm_store_ss(p, left);
}
#else
[[gnu::always_inline]] static inline Vec load_first(const float* p, int64_t n) noexcept {
  Vec v{};
  for (int64_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
}
[[gnu::always_inline]] static inline Vec load_between(const float* p, int64_t begin, int64_t end) noexcept {
  Vec v{};
  for (int64_t i = begin; i < end; ++i) v[i] = p[i];
  return v;
}
[[gnu::always_inline]] static inline void store_first(float* p, Vec v, int64_t n) noexcept {
  for (int64_t i = 0; i < n; ++i) p[i] = v[i];
}
#endif
/// row[start...], zero outside [0, size).
[[gnu::always_inline]] static inline Vec load_inside(const float* row, int64_t start, int64_t size) noexcept {
  if (start >= 0 && start + kLanes <= size) return load(row + start);
  const int64_t begin = start < 0 ? -start : 0;
  const int64_t end = size - start < kLanes ? size - start : kLanes;
  return begin < end ? load_between(row + start, begin, end) : Vec{};
}
/// a0 b0 a1 b1 ... of the lower halves; and of the upper ones. The other way round, a0 a2 ... b0 b2 ...
#if SLIPWAY_LANES == 16
[[gnu::always_inline]] static inline Vec evens(Vec a, Vec b) noexcept {
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
[[gnu::always_inline]] static inline Vec interleave_low(Vec a, Vec b) noexcept {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
[[gnu::always_inline]] static inline Vec interleave_high(Vec a, Vec b) noexcept {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
#elif SLIPWAY_LANES == 8
[[gnu::always_inline]] static inline Vec evens(Vec a, Vec b) noexcept {
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
}
[[gnu::always_inline]] static inline Vec interleave_low(Vec a, Vec b) noexcept {
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
[[gnu::always_inline]] static inline Vec interleave_high(Vec a, Vec b) noexcept {
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
#else
[[gnu::always_inline]] static inline Vec evens(Vec a, Vec b) noexcept {
  return __builtin_shufflevector(a, b, 0, 2, 4, 6);
}
[[gnu::always_inline]] static inline Vec interleave_low(Vec a, Vec b) noexcept {
  return __builtin_shufflevector(a, b, 0, 4, 1, 5);
}
[[gnu::always_inline]] static inline Vec interleave_high(Vec a, Vec b) noexcept {
  return __builtin_shufflevector(a, b, 2, 6, 3, 7);
}
#endif
/// Lane i becomes lane i ^ Distance.
template <int Distance>
[[nodiscard, gnu::always_inline]] inline Vec swap_lanes(Vec v) noexcept {
#if defined(__clang__)  // has no __builtin_shuffle, and makes a shuffle of the loop
  Vec swapped{};
  for (int i = 0; i < kLanes; ++i) swapped[i] = v[i ^ Distance];
  return swapped;
#else
  VecInt places{};
  for (int i = 0; i < kLanes; ++i) places[i] = i ^ Distance;
  return __builtin_shuffle(v, places);
#endif
}
/// Lane i becomes lane places[i].
[[nodiscard, gnu::always_inline]] inline Vec take_lanes(Vec v, VecInt places) noexcept {
#if defined(__x86_64__) && SLIPWAY_LANES == 16
  return _mm512_maskz_permutexvar_ps(kAllLanes, reinterpret_cast<__m512i>(places), v);
#elif defined(__x86_64__) && SLIPWAY_LANES == 8
  return _mm256_permutevar8x32_ps(v, reinterpret_cast<__m256i>(places));
#else
  Vec taken{};
  for (int i = 0; i < kLanes; ++i) taken[i] = v[places[i]];
  return taken;
#endif
}
/// Every lane becomes f of all lanes, in pairs, pairs of pairs and so on.
template <typename F>
[[nodiscard, gnu::always_inline]] inline Vec join_lanes(Vec v, const F& f) noexcept {
#if SLIPWAY_LANES == 16
  v = f(v, swap_lanes<8>(v));
#endif
#if SLIPWAY_LANES >= 8
  v = f(v, swap_lanes<4>(v));
#endif
  v = f(v, swap_lanes<2>(v));
  return f(v, swap_lanes<1>(v));
}
/// rows[i][j] becomes rows[j][i].
[[gnu::always_inline]] static inline void transpose(Vec (&rows)[kLanes]) noexcept {
  for (int64_t step = 1; step < kLanes; step *= 2) {
    Vec next[kLanes];
#pragma GCC unroll 8
    for (int64_t i = 0; i < kLanes / 2; ++i) {
      next[2 * i] = interleave_low(rows[i], rows[i + kLanes / 2]);
      next[2 * i + 1] = interleave_high(rows[i], rows[i + kLanes / 2]);
    }
#pragma GCC unroll 16
    for (int64_t i = 0; i < kLanes; ++i) rows[i] = next[i];
  }
}
/// The lower half, where half a vector is half the work.
#if SLIPWAY_LANES == 16
typedef float Half __attribute__((vector_size(32)));
typedef float HalfUnaligned __attribute__((vector_size(32), aligned(4), may_alias));
[[gnu::always_inline]] static inline Half load_half(const float* p) noexcept {
  return *reinterpret_cast<const HalfUnaligned*>(p);
}
/// The upper half becomes zero.
[[gnu::always_inline]] static inline Vec widen(Half v) noexcept {
  return __builtin_shufflevector(v, Half{}, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
#else
typedef Vec Half;
[[gnu::always_inline]] static inline Half load_half(const float* p) noexcept { return load(p); }
[[gnu::always_inline]] static inline Vec widen(Half v) noexcept { return v; }
#endif
/// a * b + c; one rounding where the instruction set has fused multiply-add.
[[gnu::always_inline]] static inline Vec fma(Vec a, Vec b, Vec c) noexcept { return a * b + c; }
/// a < b ? b : a, and a > b ? b : a: NaN in `a` stays NaN, and of equal numbers `a` is taken. That is what one
/// instruction of x86 does with the operands exchanged, which compilers do not see.
#if defined(__x86_64__) && SLIPWAY_LANES == 16
[[gnu::always_inline]] static inline Vec max(Vec a, Vec b) noexcept { return _mm512_mask_max_ps(a, kAllLanes, b, a); }
[[gnu::always_inline]] static inline Vec min(Vec a, Vec b) noexcept { return _mm512_mask_min_ps(a, kAllLanes, b, a); }
#elif defined(__x86_64__) && SLIPWAY_LANES == 8
[[gnu::always_inline]] static inline Vec max(Vec a, Vec b) noexcept { return _mm256_max_ps(b, a); }
[[gnu::always_inline]] static inline Vec min(Vec a, Vec b) noexcept { return _mm256_min_ps(b, a); }
#elif defined(__x86_64__)
[[gnu::always_inline]] static inline Vec max(Vec a, Vec b) noexcept { return _mm_max_ps(b, a); }
[[gnu::always_inline]] static inline Vec min(Vec a, Vec b) noexcept { return _mm_min_ps(b, a); }
#else
[[gnu::always_inline]] static inline Vec max(Vec a, Vec b) noexcept { return a < b ? b : a; }
[[gnu::always_inline]] static inline Vec min(Vec a, Vec b) noexcept { return a > b ? b : a; }
#endif
[[gnu::always_inline]] static inline Vec abs(Vec x) noexcept {
  return reinterpret_cast<Vec>(reinterpret_cast<VecInt>(x) & 0x7fffffff);
}
[[gnu::always_inline]] static inline Vec sqrt(Vec x) noexcept {
#if defined(__x86_64__) && SLIPWAY_LANES == 16
  return _mm512_mask_sqrt_ps(x, kAllLanes, x);
#elif defined(__x86_64__) && SLIPWAY_LANES == 8
  return _mm256_sqrt_ps(x);
#elif defined(__x86_64__)
  return _mm_sqrt_ps(x);
#else
  for (int64_t i = 0; i < kLanes; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}
/// The largest whole number that is not above x; minus zero and NaN stay.
[[gnu::always_inline]] static inline Vec floor(Vec x) noexcept {
#if defined(__x86_64__) && SLIPWAY_LANES == 16
  return _mm512_mask_roundscale_ps(x, kAllLanes, x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
#elif defined(__x86_64__) && SLIPWAY_LANES == 8
  return _mm256_floor_ps(x);
#else
  for (int64_t i = 0; i < kLanes; ++i) x[i] = __builtin_floorf(x[i]);
  return x;
#endif
}
/// 1 / x for x whose reciprocal is a normal number, or NaN; within two roundings.
[[gnu::always_inline]] static inline Vec reciprocal(Vec x) noexcept {
#if SLIPWAY_LANES == 16
  const Vec y = _mm512_mask_rcp14_ps(x, kAllLanes, x);
  return fma(y, fma(-x, y, broadcast(1.0f)), y);
#else
  return broadcast(1.0f) / x;
#endif
}

}  // namespace slipway::SLIPWAY_ISA

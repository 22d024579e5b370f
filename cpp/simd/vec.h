// One vector of float32 lanes, written with the compiler's vector extension and compiled once per instruction set.
//
// Every `_simd.cc` file is compiled with SLIPWAY_ISA set to the namespace (baseline, avx2, avx512, neon) and
// SLIPWAY_LANES to its width. It includes this, ops/call.h for the types of its arguments, and nothing else that could
// emit shared code: a template of the standard library compiled with AVX-512 may be the copy that the linker keeps.
#pragma once

#include <cstdint>

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
/// Minus zero, unlike plus zero, keeps -0 and costs no instruction.
[[gnu::always_inline]] static inline Vec broadcast(float x) noexcept { return x - Vec{}; }
/// First n lanes from memory, the others zero; reads no byte beyond them.
[[gnu::always_inline]] static inline Vec load_first(const float* p, int64_t n) noexcept {
  Vec v{};
  for (int64_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
}
[[gnu::always_inline]] static inline void store_first(float* p, Vec v, int64_t n) noexcept {
  for (int64_t i = 0; i < n; ++i) p[i] = v[i];
}
/// a * b + c; one rounding where the instruction set has fused multiply-add.
[[gnu::always_inline]] static inline Vec fma(Vec a, Vec b, Vec c) noexcept { return a * b + c; }
/// NaN in `a` stays NaN.
[[gnu::always_inline]] static inline Vec max(Vec a, Vec b) noexcept { return a < b ? b : a; }
[[gnu::always_inline]] static inline Vec min(Vec a, Vec b) noexcept { return a > b ? b : a; }

}  // namespace slipway::SLIPWAY_ISA

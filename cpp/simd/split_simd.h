// Splits vectors (simd/split.h). Of the column whose vectors have the unit's sixteen lanes.
#pragma once

#include "simd/split.h"
#include "simd/vec.h"

#if SLIPWAY_LANES == 16 && defined(SLIPWAY_HAS_AMX)
#define SLIPWAY_SPLITS

namespace slipway::SLIPWAY_ISA {

/// split_first() of all lanes.
[[gnu::always_inline]] static inline Vec split_first(Vec x) noexcept {
  const VecInt bits = reinterpret_cast<VecInt>(x) + 0x8000;
  return reinterpret_cast<Vec>(bits & static_cast<int32_t>(0xffff0000));
}

/// The parts of sixteen terms, kSplitTile apart.
[[gnu::always_inline]] static inline void store_split(uint16_t* to, Vec x) noexcept {
#pragma GCC unroll 3
  for (int part = 0; part < kSplitParts; ++part, to += kSplitTile) {
    const Vec first = split_first(x);
    x -= first;
    const __m512i bits = _mm512_maskz_srli_epi32(kAllLanes, reinterpret_cast<__m512i>(first), 16);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_maskz_cvtepi32_epi16(kAllLanes, bits));
  }
}

/// Row i of A becomes row i of `out` (blocks of rows); the largest magnitude, or NaN's bits, of the row.
[[nodiscard]] float split_row(const float* a, int64_t k, int64_t i, uint16_t* out) noexcept;

/// The unit's registers belong to the thread while this lives.
class SplitUnit final {
 public:
  SplitUnit() noexcept;
  ~SplitUnit();
  SplitUnit(const SplitUnit&) = delete;
  SplitUnit& operator=(const SplitUnit&) = delete;

  /// Every element is summed in one order, whatever is computed with it.
  void multiply(const SplitProduct& product) const noexcept;
};

}  // namespace slipway::SLIPWAY_ISA
#endif

// Sums of squares of float32 that neither overflow nor vanish on the way.
#pragma once

#include "ops/reduce_simd.h"

namespace slipway::SLIPWAY_ISA {
namespace {

/// sum times unit^2, where unit is a power of two.
template <typename Result>
struct Squares {
  Result sum;
  Result unit;
};

/// The power of two at or below x >= 0, between 2^-126 and 2^126.
[[gnu::always_inline]] inline Vec power_below(Vec x) noexcept {
  VecInt exponent = reinterpret_cast<VecInt>(x) >> 23;
  exponent = exponent < 1 ? VecInt{} + 1 : exponent;
  exponent = exponent > 253 ? VecInt{} + 253 : exponent;
  return reinterpret_cast<Vec>(exponent << 23);
}

/// In units of 1, or of about the largest x where squares have overflowed, or may have lost digits below the least
/// normal number: less than 2^-24 of a sum that is above `count` times 2^-100.
template <typename Terms>
[[nodiscard, gnu::always_inline]] inline auto squares_of(const Terms& terms) noexcept {
  const Vec least = broadcast(0x1p-100f * static_cast<float>(terms.reduced.count()));
  const auto is_far = [&](Vec sum) { return !(sum >= least && sum <= 0x1.fffffep127f); };
  auto sum = terms.template fold<Total>([](Vec x, int) { return x * x; });
  using Result = decltype(sum);
  Squares<Result> squares{sum, each([](Vec) { return broadcast(1.0f); }, sum)};
  Vec far{};
  for (int v = 0; v < Result::kCount; ++v) far = is_far(sum.v[v]) ? broadcast(1.0f) : far;
  if (join_lanes(far, [](Vec a, Vec b) { return max(a, b); })[0] == 0.0f) return squares;
  const auto largest = terms.template fold<Larger>([](Vec x, int) { return abs(x); });
  const auto unit = each([](Vec x) { return power_below(x); }, largest);
  const auto inverse = each([](Vec x) { return broadcast(1.0f) / x; }, unit);
  const auto scaled = terms.template fold<Total>([&](Vec x, int place) {
    const Vec part = x * inverse.at(place);
    return part * part;
  });
  for (int v = 0; v < Result::kCount; ++v) {
    squares.sum.v[v] = is_far(sum.v[v]) ? scaled.v[v] : sum.v[v];
    squares.unit.v[v] = is_far(sum.v[v]) ? unit.v[v] : squares.unit.v[v];
  }
  return squares;
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA

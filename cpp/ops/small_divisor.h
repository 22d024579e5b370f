// Division by sizes that are known before a kernel runs: a multiplication and a shift instead of some forty
// instructions, each of which waits for the one before it.
#pragma once

#include <cstdint>

#include "base/both.h"

namespace slipway {

/// n / size = (high half of n * magic + n) >> shift, for n in [0, 2^31). Granlund and Montgomery, Division by Invariant
/// Integers using Multiplication, 1994, figure 4.1.
struct SmallDivisor {
  int size = 1;
  uint32_t magic = 1;
  int shift = 0;
};

/// `size` in [1, 2^31).
[[nodiscard]] inline SmallDivisor small_divisor(int size) noexcept {
  SmallDivisor divisor{size, 0, 0};
  const auto divided_by = static_cast<uint64_t>(size);
  while (uint64_t{1} << divisor.shift < divided_by) ++divisor.shift;
  const uint64_t rest = (uint64_t{1} << divisor.shift) - divided_by;
  divisor.magic = static_cast<uint32_t>((rest << 32) / divided_by + 1);
  return divisor;
}

[[nodiscard]] SLIPWAY_BOTH inline int divide(int n, const SmallDivisor& by) {
  const auto number = static_cast<uint32_t>(n);
  const auto high = static_cast<uint32_t>(static_cast<uint64_t>(number) * by.magic >> 32);
  return static_cast<int>((high + number) >> by.shift);
}

struct Quotient {
  int whole;
  int rest;
};

[[nodiscard]] SLIPWAY_BOTH inline Quotient divide_with_rest(int n, const SmallDivisor& by) {
  const int whole = divide(n, by);
  return {whole, n - whole * by.size};
}

}  // namespace slipway

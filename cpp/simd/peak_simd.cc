// What this processor can do at most: multiply-adds from registers, reads from memory, sigmoids and tanhs.
//
// Loops for measuring, each declared and timed in exec/peak.cc. Nothing here computes something useful.
#include "simd/math.h"
#include "simd/vec.h"

namespace slipway::SLIPWAY_ISA {

namespace {

/// Independent chains: more than latency times issue width of any x86 or ARM core, and they fit in 16 registers.
constexpr int64_t kChains = 12;
constexpr int64_t kSums = 8;

}  // namespace

/// Returns the floating-point operations done in `steps` steps. `state` [3]: factor, addend, and a
/// place for the sum, which the compiler must not drop.
int64_t peak_multiply_add(float* state, int64_t steps) noexcept {
  const Vec factor = broadcast(state[0]);
  const Vec addend = broadcast(state[1]);
  Vec chain[kChains];
#pragma GCC unroll 12
  for (int64_t i = 0; i < kChains; ++i) chain[i] = broadcast(static_cast<float>(i));
  for (int64_t step = 0; step < steps; ++step) {
#pragma GCC unroll 12
    for (int64_t i = 0; i < kChains; ++i) chain[i] = fma(chain[i], factor, addend);
  }
  Vec sum{};
#pragma GCC unroll 12
  for (int64_t i = 0; i < kChains; ++i) sum += chain[i];
  state[2] = sum[0];
  return 2 * kLanes * kChains * steps;
}

/// Adds up `count` values, a multiple of 8 * kLanes; returns the bytes read.
int64_t peak_read(float* x, int64_t count) noexcept {
  Vec sums[kSums] = {};
  for (int64_t i = 0; i < count; i += kSums * kLanes) {
#pragma GCC unroll 8
    for (int64_t j = 0; j < kSums; ++j) sums[j] += load(x + i + j * kLanes);
  }
  Vec sum{};
#pragma GCC unroll 8
  for (int64_t j = 0; j < kSums; ++j) sum += sums[j];
  if (sum[0] == 1.0f) x[0] = sum[1];  // never: the values are zeros; but the compiler must not know
  return count * static_cast<int64_t>(sizeof(float));
}

/// Writes sigmoids of x [count] over y, which follows x; count is a multiple of kLanes. Returns their number.
int64_t peak_sigmoid(float* x, int64_t count) noexcept {
  float* y = x + count;
  for (int64_t i = 0; i < count; i += kLanes) store(y + i, sigmoid(load(x + i)));
  return count;
}

/// The same for tanh.
int64_t peak_tanh(float* x, int64_t count) noexcept {
  float* y = x + count;
  for (int64_t i = 0; i < count; i += kLanes) store(y + i, tanh(load(x + i)));
  return count;
}

}  // namespace slipway::SLIPWAY_ISA

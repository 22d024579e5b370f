// GRU with its default activations. A row of sums is [h, z, r], with linear_before_reset [h, z, r, H R_h' + Rb_h].
#include "ops/recurrent_simd.h"

namespace slipway::SLIPWAY_ISA {

namespace {

/// (1 - z) n + z h.
[[gnu::always_inline]] inline Vec mix(Vec z, Vec n, Vec h) noexcept { return fma(z, h - n, n); }

void advance_linear(const RecurrentGroup& group, int64_t rows, float* sums) noexcept {
  const int64_t padded = group.at.padded;
  for (int64_t row = 0; row < rows; ++row) {
    copy(group.weights + group.at.state_bias, padded, sums + row * group.at.sums + 3 * padded);
  }
  group.add_states(group.h, rows, sums, group.at.r, 3, 1);
  for (int64_t row = 0; row < rows; ++row) {
    const float* s = sums + row * group.at.sums;
    float* h = group.h + row * padded;
    for (int64_t j = 0; j < padded; j += kLanes) {
      const Vec z = sigmoid(load(s + padded + j));
      const Vec r = sigmoid(load(s + 2 * padded + j));
      const Vec n = tanh(fma(r, load(s + 3 * padded + j), load(s + j)));
      store(h + j, mix(z, n, load(h + j)));
    }
  }
}

/// Without linear_before_reset R_h meets r * H, which takes the place of C.
void advance_reset(const RecurrentGroup& group, int64_t rows, float* sums) noexcept {
  const int64_t padded = group.at.padded;
  group.add_states(group.h, rows, sums, group.at.r, 2, 1);
  for (int64_t row = 0; row < rows; ++row) {
    const float* s = sums + row * group.at.sums;
    for (int64_t j = 0; j < padded; j += kLanes) {
      store(group.c + row * padded + j, sigmoid(load(s + 2 * padded + j)) * load(group.h + row * padded + j));
    }
  }
  group.add_states(group.c, rows, sums, group.at.r_last, 1, 0);
  for (int64_t row = 0; row < rows; ++row) {
    const float* s = sums + row * group.at.sums;
    float* h = group.h + row * padded;
    for (int64_t j = 0; j < padded; j += kLanes) {
      store(h + j, mix(sigmoid(load(s + padded + j)), tanh(load(s + j)), load(h + j)));
    }
  }
}

}  // namespace

void gru(const OpCall& call) noexcept {
  const auto& plan = call.as<RecurrentPlan>();
  if (!plan.is_vectorised) return scalar::gru(call);
  run_recurrent(call, plan.sizes.linear_before_reset ? advance_linear : advance_reset);
}

}  // namespace slipway::SLIPWAY_ISA

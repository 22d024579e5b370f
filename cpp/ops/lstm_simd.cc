// LSTM with its default activations, without peepholes, clip and input_forget. A row of sums is [i, o, f, c].
#include "ops/recurrent_simd.h"

namespace slipway::SLIPWAY_ISA {

namespace {

void advance_lstm(const RecurrentGroup& group, int64_t rows, float* sums) noexcept {
  const int64_t padded = group.at.padded;
  group.add_states(group.h, rows, sums, group.at.r, 4, 0);
  for (int64_t row = 0; row < rows; ++row) {
    const float* s = sums + row * group.at.sums;
    float* h = group.h + row * padded;
    float* c = group.c + row * padded;
    for (int64_t j = 0; j < padded; j += kLanes) {
      const Vec i = sigmoid(load(s + j));
      const Vec f = sigmoid(load(s + 2 * padded + j));
      const Vec cell = fma(f, load(c + j), i * tanh(load(s + 3 * padded + j)));
      store(c + j, cell);
      store(h + j, sigmoid(load(s + padded + j)) * tanh(cell));
    }
  }
}

}  // namespace

void lstm(const OpCall& call) noexcept {
  if (!call.as<RecurrentPlan>().is_vectorised) return scalar::lstm(call);
  run_recurrent(call, advance_lstm);
}

}  // namespace slipway::SLIPWAY_ISA

// RNN with Tanh or Relu. A row of sums is [h].
#include "ops/recurrent_simd.h"

namespace slipway::SLIPWAY_ISA {

namespace {

void advance_rnn(const RecurrentGroup& group, int64_t rows, float* sums) noexcept {
  const int64_t padded = group.at.padded;
  const bool is_relu = group.sizes.activations[group.direction][0].kind == ActivationKind::kRelu;
  group.add_states(group.h, rows, sums, group.at.r, 1, 0);
  for (int64_t i = 0; i < rows * padded; i += kLanes) {
    const Vec sum = load(sums + i);
    store(group.h + i, is_relu ? max(sum, Vec{}) : tanh(sum));
  }
}

}  // namespace

void rnn(const OpCall& call) noexcept {
  if (!call.as<RecurrentPlan>().is_vectorised) return scalar::rnn(call);
  run_recurrent(call, advance_rnn);
}

}  // namespace slipway::SLIPWAY_ISA

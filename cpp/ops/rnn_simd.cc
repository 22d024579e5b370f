// RNN with Tanh or Relu.
#include "ops/recurrent_gates.h"
#include "ops/recurrent_simd.h"

namespace slipway::SLIPWAY_ISA {

namespace {

void advance_rnn(const RecurrentGroup& group, int64_t rows) noexcept {
  const RecurrentPacking& at = group.at;
  const bool is_relu = group.sizes.activations[group.direction][0].kind == ActivationKind::kRelu;
  multiply_states(group, at.gates, group.weights + at.r, group.h, 0, rows,
                  [&](const GateSums& gates, int64_t row, int64_t unit, int64_t) {
                    const Vec sum = gates.sum(0);
                    store(group.next + row * at.padded + unit, is_relu ? max(sum, Vec{}) : gate_tanh(sum));
                  });
}

}  // namespace

void rnn(const OpCall& call) noexcept {
  if (!call.as<RecurrentPlan>().is_vectorised) return scalar::rnn(call);
  run_recurrent(call, advance_rnn);
}

}  // namespace slipway::SLIPWAY_ISA

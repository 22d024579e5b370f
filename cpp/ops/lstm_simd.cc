// LSTM with its default activations, without peepholes, clip and input_forget.
#include "ops/recurrent_gates.h"
#include "ops/recurrent_simd.h"

namespace slipway::SLIPWAY_ISA {

namespace {

void advance_lstm(const RecurrentGroup& group, int64_t rows) noexcept {
  const RecurrentPacking& at = group.at;
  multiply_states(group, at.gates, group.weights + at.r, group.h, 0, rows,
                  [&](const GateSums& gates, int64_t row, int64_t unit, int64_t) {
                    const int64_t place = row * at.padded + unit;
                    const Vec cell = next_cell(gates.sum(0), gates.sum(2), gates.sum(3), load(group.c + place));
                    store(group.c + place, cell);
                    store(group.next + place, sigmoid_times_tanh(gates.sum(1), cell));
                  });
}

}  // namespace

void lstm(const OpCall& call) noexcept {
  if (!call.as<RecurrentPlan>().is_vectorised) return scalar::lstm(call);
  run_recurrent(call, advance_lstm);
}

}  // namespace slipway::SLIPWAY_ISA

// GRU with its default activations.
#include "ops/recurrent_gates.h"
#include "ops/recurrent_simd.h"

namespace slipway::SLIPWAY_ISA {

namespace {

void advance_linear(const RecurrentGroup& group, int64_t rows) noexcept {
  const RecurrentPacking& at = group.at;
  const float* bias = group.weights + at.state_bias;
  multiply_states(group, at.gates, group.weights + at.r, group.h, 0, rows,
                  [&](const GateSums& gates, int64_t row, int64_t unit, int64_t column) {
                    const int64_t place = row * at.padded + unit;
                    const Vec state = gates.state(2) + load(bias + column + 2 * gates.stride);
                    const Vec r = gate_sigmoid(gates.sum(1));
                    const Vec h = mix(gates.sum(0), fma(r, state, gates.input(2)), load(group.h + place));
                    store(group.next + place, h);
                  });
}

/// Without linear_before_reset R_h meets r * H, which takes the place of C; z waits in the place of the next H.
void advance_reset(const RecurrentGroup& group, int64_t rows) noexcept {
  const RecurrentPacking& at = group.at;
  multiply_states(group, at.gates, group.weights + at.r, group.h, 0, rows,
                  [&](const GateSums& gates, int64_t row, int64_t unit, int64_t) {
                    const int64_t place = row * at.padded + unit;
                    store(group.next + place, gates.sum(0));
                    store(group.c + place, gate_sigmoid(gates.sum(1)) * load(group.h + place));
                  });
  multiply_states(group, at.last, group.weights + at.r_last, group.c, at.gates.columns(), rows,
                  [&](const GateSums& gates, int64_t row, int64_t unit, int64_t) {
                    const int64_t place = row * at.padded + unit;
                    store(group.next + place, mix(load(group.next + place), gates.sum(0), load(group.h + place)));
                  });
}

}  // namespace

void gru(const OpCall& call) noexcept {
  const auto& plan = call.as<RecurrentPlan>();
  if (!plan.is_vectorised) return scalar::gru(call);
  run_recurrent(call, plan.sizes.linear_before_reset ? advance_linear : advance_reset);
}

}  // namespace slipway::SLIPWAY_ISA

// RNN:  H = f(X W' + H R' + Wb + Rb).
//
// ONNX RNN, opsets 13 to 24. X [T, N, D], W [directions, H, D], R [directions, H, H], B [directions, 2H],
// sequence_lens [N], initial_h [directions, N, H]; Y [T, directions, N, H], Y_h [directions, N, H]; with layout = 1 as
// in recurrent.h. float32, float64. Affine and ScaledTanh need their alpha and beta, for which ONNX has no default.
#include "ops/recurrent_rules.h"
#include "ops/recurrent_walk.h"

namespace slipway {

void infer_rnn(InferContext& context) { infer_recurrent(context, kRnnKind); }

std::shared_ptr<const void> prepare_rnn(PrepareContext& context) { return prepare_recurrent(context, kRnnKind); }

namespace scalar {

namespace {

template <typename T>
void step_rnn(const RecurrentCell<T>& cell, const T* x, const RecurrentState& state) noexcept {
  const int64_t hidden = cell.sizes.hidden;
  double* next = state.work;
  for (int64_t j = 0; j < hidden; ++j) {
    next[j] = cell.activate_clipped(0, cell.input_sum(0, j, x) + cell.state_sum(0, j, state.h));
  }
  std::copy_n(next, hidden, state.h);
}

}  // namespace

void rnn(const OpCall& call) noexcept {
  const auto& sizes = call.as<RecurrentPlan>().sizes;
  if (call.inputs[kW].dtype == DType::kFloat32) return walk_batch<float>(call, sizes, step_rnn<float>);
  walk_batch<double>(call, sizes, step_rnn<double>);
}

}  // namespace scalar
}  // namespace slipway

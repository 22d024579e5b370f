// LSTM:  i = f(X W_i' + H R_i' + P_i * C + Wb_i + Rb_i),  F = f(X W_f' + H R_f' + P_f * C + Wb_f + Rb_f),
//        c = g(X W_c' + H R_c' + Wb_c + Rb_c),            C = F * C + i * c,
//        o = f(X W_o' + H R_o' + P_o * C + Wb_o + Rb_o),  H = o * h(C);   with input_forget  F = 1 - i.
//
// ONNX LSTM, opsets 13 to 24. X [T, N, D], W [directions, 4H, D], R [directions, 4H, H], B [directions, 8H],
// sequence_lens [N], initial_h and initial_c [directions, N, H], P [directions, 3H]; Y [T, directions, N, H], Y_h and
// Y_c [directions, N, H]; with layout = 1 as in recurrent.h. Gates in the order i, o, f, c, peepholes i, o, f. float32,
// float64. `clip` bounds the sums of the four gates and not the C that h sees, as onnxruntime reads it. Affine and
// ScaledTanh need their alpha and beta, for which ONNX has no default.
#include "ops/recurrent_rules.h"
#include "ops/recurrent_walk.h"

namespace slipway {

void infer_lstm(InferContext& context) { infer_recurrent(context, kLstmKind); }

std::shared_ptr<const void> prepare_lstm(PrepareContext& context) { return prepare_recurrent(context, kLstmKind); }

namespace scalar {

namespace {

enum Gate : int64_t { kInput, kOutput, kForget, kCell };

template <typename T>
void step_lstm(const RecurrentCell<T>& cell, const T* x, const RecurrentState& state) noexcept {
  const int64_t hidden = cell.sizes.hidden;
  double* c = state.c;
  double* o = state.work;
  const auto sum = [&](Gate gate, int64_t j) { return cell.input_sum(gate, j, x) + cell.state_sum(gate, j, state.h); };
  for (int64_t j = 0; j < hidden; ++j) {
    const double i = cell.activate_clipped(0, sum(kInput, j) + cell.peephole(kInput, j) * c[j]);
    const double f =
        cell.sizes.input_forget ? 1 - i : cell.activate_clipped(0, sum(kForget, j) + cell.peephole(kForget, j) * c[j]);
    c[j] = f * c[j] + i * cell.activate_clipped(1, sum(kCell, j));
    o[j] = cell.activate_clipped(0, sum(kOutput, j) + cell.peephole(kOutput, j) * c[j]);
  }
  for (int64_t j = 0; j < hidden; ++j) state.h[j] = o[j] * activate(cell.activations[2], c[j]);
}

}  // namespace

void lstm(const OpCall& call) noexcept {
  const auto& sizes = call.as<RecurrentPlan>().sizes;
  if (call.inputs[kW].dtype == DType::kFloat32) return walk_batch<float>(call, sizes, step_lstm<float>);
  walk_batch<double>(call, sizes, step_lstm<double>);
}

}  // namespace scalar
}  // namespace slipway

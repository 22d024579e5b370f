// GRU:  z = f(X W_z' + H R_z' + Wb_z + Rb_z),  r = f(X W_r' + H R_r' + Wb_r + Rb_r),
//       n = g(X W_h' + Wb_h + (r * H) R_h' + Rb_h), or with linear_before_reset  g(X W_h' + Wb_h + r * (H R_h' +
//       Rb_h)), H = (1 - z) * n + z * H.
//
// ONNX GRU, opsets 13 to 24. X [T, N, D], W [directions, 3H, D], R [directions, 3H, H], B [directions, 6H],
// sequence_lens [N], initial_h [directions, N, H]; Y [T, directions, N, H], Y_h [directions, N, H]; with layout = 1 as
// in recurrent.h. Gates in the order z, r, h. float32, float64. Affine and ScaledTanh need their alpha and beta, for
// which ONNX has no default.
#include "ops/recurrent_rules.h"
#include "ops/recurrent_walk.h"

namespace slipway {

void infer_gru(InferContext& context) { infer_recurrent(context, kGruKind); }

std::shared_ptr<const void> prepare_gru(PrepareContext& context) { return prepare_recurrent(context, kGruKind); }

namespace scalar {

namespace {

template <typename T>
void step_gru(const RecurrentCell<T>& cell, const T* x, const RecurrentState& state) noexcept {
  const int64_t hidden = cell.sizes.hidden;
  double* h = state.h;
  double* z = state.work;
  double* r = z + hidden;
  double* n = r + hidden;
  double* reset = n + hidden;
  for (int64_t j = 0; j < hidden; ++j) {
    z[j] = cell.activate_clipped(0, cell.input_sum(0, j, x) + cell.state_sum(0, j, h));
    r[j] = cell.activate_clipped(0, cell.input_sum(1, j, x) + cell.state_sum(1, j, h));
    reset[j] = r[j] * h[j];
  }
  for (int64_t j = 0; j < hidden; ++j) {
    const double sum = cell.sizes.linear_before_reset ? r[j] * cell.state_sum(2, j, h) : cell.state_sum(2, j, reset);
    n[j] = cell.activate_clipped(1, cell.input_sum(2, j, x) + sum);
  }
  for (int64_t j = 0; j < hidden; ++j) h[j] = (1 - z[j]) * n[j] + z[j] * h[j];
}

}  // namespace

void gru(const OpCall& call) noexcept {
  const auto& sizes = call.as<RecurrentPlan>().sizes;
  if (call.inputs[kW].dtype == DType::kFloat32) return walk_batch<float>(call, sizes, step_gru<float>);
  walk_batch<double>(call, sizes, step_gru<double>);
}

}  // namespace scalar
}  // namespace slipway

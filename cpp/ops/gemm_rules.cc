#include "ops/gemm_rules.h"

#include "ops/activation_rules.h"
#include "ops/gemm_sum.h"
#include "ops/prepared_matrix.h"
#include "ops/product_rules.h"
#include "ops/types.h"
#include "ops/window_rules.h"
#include "simd/panels.h"

namespace slipway {

namespace {

struct OwnedGemmCall final : GemmCall {
  OwnedMatrix owned_b;
};

/// C must broadcast to [M, N] without making it larger.
void check_bias(const InferContext& context, const Dim& m, const Dim& n) {
  if (!context.has_input(2)) return;
  context.require_rank(2, 0, 2);
  const Dims* c = context.dims(2);
  if (c == nullptr) return;
  for (std::size_t i = 0; i < c->size(); ++i) {
    const Dim& size = (*c)[c->size() - 1 - i];
    const Dim& target = i == 0 ? n : m;
    if (!size.is_known() || size.value() == 1 || !target.is_known() || size.value() == target.value()) continue;
    context.reject("C ", text_of(*c), " does not broadcast to ", text_of({m, n}));
  }
}

}  // namespace

void infer_gemm_rule(InferContext& context, bool fused) {
  if (fused) {
    context.allow_attributes(
        {"alpha", "beta", "transA", "transB", "activation", "activation_alpha", "activation_beta"});
    if (read_activation(context).kind == Activation::kNone) context.reject("attribute activation is missing");
  } else {
    context.allow_attributes({"alpha", "beta", "transA", "transB"});
  }
  context.require_counts(2, 3, 1, 1);
  context.require_dtype(0, {DType::kFloat32, DType::kFloat64});
  context.require_same_dtype({0, 1, 2});
  context.require_rank(0, 2, 2);
  context.require_rank(1, 2, 2);
  const Dims* a = context.dims(0);
  const Dims* b = context.dims(1);
  const bool trans_a = context.get_int("transA", 0) != 0;
  const bool trans_b = context.get_int("transB", 0) != 0;
  const Dim m = a != nullptr ? (*a)[trans_a ? 1 : 0] : Dim();
  const Dim n = b != nullptr ? (*b)[trans_b ? 0 : 1] : Dim();
  check_bias(context, m, n);
  if (a != nullptr && b != nullptr) {
    const Dim& ka = (*a)[trans_a ? 0 : 1];
    const Dim& kb = (*b)[trans_b ? 1 : 0];
    if (ka.is_known() && kb.is_known() && ka.value() != kb.value()) {
      context.reject("A ", text_of(*a), trans_a ? " transposed" : "", " and B ", text_of(*b),
                     trans_b ? " transposed" : "", " do not fit: ", ka.value(), " columns, ", kb.value(), " rows");
    }
  }
  context.output(0, context.dtype(0), {m, n});
}

std::shared_ptr<const void> prepare_gemm_rule(PrepareContext& context) {
  const Shape a = context.shape(0);
  const Shape b = context.shape(1);
  const bool trans_a = context.get_int("transA", 0) != 0;
  const bool trans_b = context.get_int("transB", 0) != 0;
  auto call = std::make_shared<OwnedGemmCall>();
  call->m = a[trans_a ? 1 : 0];
  call->k = a[trans_a ? 0 : 1];
  call->n = b[trans_b ? 0 : 1];
  call->a_row = trans_a ? 1 : a[1];
  call->a_column = trans_a ? a[1] : 1;
  call->b_row = trans_b ? 1 : b[1];
  call->b_column = trans_b ? b[1] : 1;
  if (context.has_input(2)) {
    const Shape c = context.shape(2);
    call->c_column = c.rank() > 0 && c[c.rank() - 1] != 1 ? 1 : 0;
    call->c_row = c.rank() == 2 && c[0] != 1 ? c[1] : 0;
  }
  call->alpha = context.get_float("alpha", 1.0f);
  call->beta = context.get_float("beta", 1.0f);
  call->activation = read_activation(context);
  if (context.dtype(0) == DType::kFloat32 && host_isa(context.isa()) != Isa::kScalar) {
    const Tensor* weights = context.constant(1);
    const float* data = weights != nullptr ? weights->as<float>() : nullptr;
    call->owned_b = prepare_matrix(context, {data, call->b_row, call->b_column, call->k, call->n},
                                   {.rows = call->m, .has_dense_rows = call->a_column == 1});
    call->b = call->owned_b.view();
  }
  call->product = choose_product(context, call->n, call->m, call->k, 1, true);
  const Shape y = context.output_shape(0);
  context.work = {saturating_product(y.count(), call->k, 2),
                  (a.count() + b.count() + y.count()) * size_of(context.dtype(0))};
  return std::shared_ptr<const GemmCall>(std::move(call));
}

namespace scalar {

void multiply_add(const OpCall& call) noexcept {
  const auto& gemm = call.as<GemmCall>();
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    const T* a = call.inputs[0].as<T>();
    const T* b = call.inputs[1].as<T>();
    const T* c = call.has_input(2) ? call.inputs[2].as<T>() : nullptr;
    T* y = call.outputs[0].as<T>();
    for (int64_t i = 0; i < gemm.m; ++i) {
      for (int64_t j = 0; j < gemm.n; ++j) {
        *y++ = static_cast<T>(activate(gemm.activation, product_at(gemm, a, b, c, i, j)));
      }
    }
  });
}

}  // namespace scalar
}  // namespace slipway

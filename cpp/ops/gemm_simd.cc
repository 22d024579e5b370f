// Gemm and GemmActivation by the packed matrix product.
#include "ops/activation_simd.h"
#include "ops/call.h"
#include "ops/gemm.h"
#include "simd/gemm.h"

namespace slipway::SLIPWAY_ISA {

namespace {

constexpr int64_t kElementsPerNanosecond = 8;

/// y = alpha * y + beta * c for a row; c may be null, or one number for the whole row.
void scale_row(const GemmCall& call, const float* c, float* y) noexcept {
  const Vec alpha = broadcast(call.alpha);
  const Vec beta = broadcast(call.beta);
  for (int64_t j = 0; j < call.n; j += kLanes) {
    const int64_t count = call.n - j < kLanes ? call.n - j : kLanes;
    const bool whole = count == kLanes;
    Vec sum = alpha * (whole ? load(y + j) : load_first(y + j, count));
    if (c != nullptr && call.c_column == 0) sum = fma(beta, broadcast(*c), sum);
    if (c != nullptr && call.c_column != 0) sum = fma(beta, whole ? load(c + j) : load_first(c + j, count), sum);
    if (whole) {
      store(y + j, sum);
    } else {
      store_first(y + j, sum, count);
    }
  }
}

/// What is left to do when the product stands in y.
void finish(const OpCall& call, const GemmCall& gemm, bool is_scaled) noexcept {
  if (is_scaled && gemm.activation.kind == Activation::kNone) return;
  const float* c = call.has_input(2) ? call.inputs[2].as<float>() : nullptr;
  float* y = call.outputs[0].as<float>();
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; !is_scaled && i < end; ++i) {
      scale_row(gemm, c != nullptr ? c + i * gemm.c_row : nullptr, y + i * gemm.n);
    }
    activate_row(gemm.activation, y + begin * gemm.n, (end - begin) * gemm.n);
  };
  parallel_for(call.pool, gemm.m, grain_of(gemm.n, kElementsPerNanosecond), body);
}

}  // namespace

void gemm(const OpCall& call) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32) return scalar::multiply_add(call);
  const auto& gemm_call = call.as<GemmCall>();
  const bool has_c = call.has_input(2);
  const bool is_plain = gemm_call.alpha == 1.0f && (!has_c || gemm_call.beta == 1.0f);
  const bool is_row = gemm_call.c_row == 0 && gemm_call.c_column == 1;
  const bool is_scaled = is_plain && (!has_c || is_row);
  Gemm product;
  product.m = gemm_call.m;
  product.n = gemm_call.n;
  product.k = gemm_call.k;
  product.a = call.inputs[0].as<float>();
  product.a_row = gemm_call.a_row;
  product.a_column = gemm_call.a_column;
  take_prepared(gemm_call.b, call.scratch, product);
  product.c = call.outputs[0].as<float>();
  product.c_row = gemm_call.n;
  if (has_c && is_scaled) product.column_bias = call.inputs[2].as<float>();
  if (!gemm_call.b) {
    pack_panels(call.inputs[1].as<float>(), gemm_call.b_row, gemm_call.b_column, product.k, product.n, kLanes,
                reinterpret_cast<float*>(call.scratch));
  }
  gemm(call.pool, product);
  finish(call, gemm_call, is_scaled);
}

}  // namespace slipway::SLIPWAY_ISA

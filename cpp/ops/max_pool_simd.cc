// MaxPool of float32 without indices; the padding is left out.
#include "ops/pool_simd.h"

namespace slipway::SLIPWAY_ISA {

namespace {

struct Largest {
  static constexpr bool kRounds = false;
  static constexpr float kNothing = -__builtin_inff();

  /// The larger of both; a NaN in either wins.
  [[gnu::always_inline]] static Vec fold(Vec a, Vec b) noexcept { return b != b ? b : max(a, b); }
  [[gnu::always_inline]] static float fold(float a, float b) noexcept { return b != b || a < b ? b : a; }
  template <typename T>
  [[gnu::always_inline]] static T finish_pairs(T x) noexcept {
    return x;
  }
  static void finish_row(const PoolCall&, const Lines&, float*) noexcept {}
};

}  // namespace

void max_pool(const OpCall& call) noexcept {
  const bool is_plain = call.inputs[0].dtype == DType::kFloat32 && !call.has_output(1);
  if (!is_plain || !fits(call.as<PoolCall>())) return scalar::max_pool(call);
  pool<Largest>(call);
}

}  // namespace slipway::SLIPWAY_ISA

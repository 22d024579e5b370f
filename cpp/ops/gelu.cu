// Gelu on CUDA.
#include <numbers>

#include "ops/elementwise.cuh"
#include "ops/prepared.h"

namespace slipway::cuda {

namespace {

// Both forms avoid 1 + (a value near -1), which would lose the digits of the negative tail.
struct GeluFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    return x / 2 * std::erfc(x * static_cast<T>(-1 / std::numbers::sqrt2));
  }
};

struct TanhGeluFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    constexpr double kTwiceSlope = 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
    return x / (1 + std::exp(static_cast<T>(-kTwiceSlope) * (x + static_cast<T>(0.044715) * x * x * x)));
  }
};

}  // namespace

void gelu(const OpCall& call) noexcept {
  if (call.as<GeluAttributes>().use_tanh) return map_each(call, Floats{}, TanhGeluFunctor{});
  map_each(call, Floats{}, GeluFunctor{});
}

}  // namespace slipway::cuda

// HardSigmoid on CUDA.
#include "ops/elementwise.cuh"
#include "ops/prepared.h"

namespace slipway::cuda {

namespace {

struct HardSigmoidFunctor {
  float alpha;
  float beta;

  // Rounded once: where the two terms cancel, a rounded product would leave few digits.
  [[nodiscard]] __device__ float line(float x) const { return std::fma(alpha, x, beta); }
  // Rounded twice, as the scalar kernel does: no compiler joins this product with the sum.
  [[nodiscard]] __device__ double line(double x) const { return std::fma(static_cast<double>(alpha), x, 0.0) + beta; }

  template <typename T>
  __device__ T operator()(T x) const {
    const T y = line(x);
    return y < 0 ? T{0} : y > 1 ? T{1} : y;
  }
};

}  // namespace

void hard_sigmoid(const OpCall& call) noexcept {
  const auto& attributes = call.as<HardSigmoidAttributes>();
  map_each(call, Floats{}, HardSigmoidFunctor{attributes.alpha, attributes.beta});
}

}  // namespace slipway::cuda

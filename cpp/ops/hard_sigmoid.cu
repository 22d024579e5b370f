// HardSigmoid on CUDA.
#include "ops/elementwise.cuh"
#include "ops/prepared.h"

namespace slipway::cuda {

namespace {

struct HardSigmoidFunctor {
  double alpha;
  double beta;

  template <typename T>
  __device__ T operator()(T x) const {
    // As the scalar kernel does it, product and sum rounded each: where they cancel, one rounding gives other digits.
    const double line = __dadd_rn(__dmul_rn(alpha, x), beta);
    return line < 0 ? T{0} : line > 1 ? T{1} : static_cast<T>(line);
  }
};

}  // namespace

void hard_sigmoid(const OpCall& call) noexcept {
  const auto& attributes = call.as<HardSigmoidAttributes>();
  map_each(call, Floats{}, HardSigmoidFunctor{attributes.alpha, attributes.beta});
}

}  // namespace slipway::cuda

// HardSigmoid on CUDA.
#include "ops/elementwise.cuh"
#include "ops/prepared.h"

namespace slipway::cuda {

namespace {

struct HardSigmoidFunctor {
  float alpha;
  float beta;

  template <typename T>
  __device__ T operator()(T x) const {
    // Rounded once: where the two terms cancel, a rounded product would leave few digits.
    const T line = std::fma(static_cast<T>(alpha), x, static_cast<T>(beta));
    return line < 0 ? T{0} : line > 1 ? T{1} : line;
  }
};

}  // namespace

void hard_sigmoid(const OpCall& call) noexcept {
  const auto& attributes = call.as<HardSigmoidAttributes>();
  map_each(call, Floats{}, HardSigmoidFunctor{attributes.alpha, attributes.beta});
}

}  // namespace slipway::cuda

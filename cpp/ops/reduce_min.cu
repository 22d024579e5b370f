// ReduceMin on CUDA.
#include "ops/reduce.cuh"

namespace slipway::cuda {

namespace {

struct ReduceMinFunctor {
  template <typename T>
  __device__ bool operator()(T a, T b) const {
    return a < b;
  }
};

struct BoolMinReducer {
  [[nodiscard]] __device__ uint8_t start() const { return true; }
  [[nodiscard]] __device__ uint8_t take(uint8_t best, uint8_t x, int64_t) const { return best != 0 && x != 0; }
  [[nodiscard]] __device__ uint8_t merge(uint8_t a, uint8_t b) const { return a != 0 && b != 0; }
  [[nodiscard]] __device__ uint8_t finish(uint8_t best, int64_t) const { return best; }
};

}  // namespace

void reduce_min(const OpCall& call) noexcept {
  if (call.inputs[0].dtype == DType::kBool) return reduce_as<uint8_t>(call, BoolMinReducer{});
  reduce_extremum(call, false, ReduceMinFunctor{});
}

}  // namespace slipway::cuda

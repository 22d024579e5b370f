// ReduceMax on CUDA.
#include "ops/reduce.cuh"

namespace slipway::cuda {

namespace {

struct ReduceMaxFunctor {
  template <typename T>
  __device__ bool operator()(T a, T b) const {
    return a > b;
  }
};

struct BoolMaxReducer {
  [[nodiscard]] __device__ uint8_t start() const { return false; }
  [[nodiscard]] __device__ uint8_t take(uint8_t best, uint8_t x, int64_t) const { return best != 0 || x != 0; }
  [[nodiscard]] __device__ uint8_t merge(uint8_t a, uint8_t b) const { return a != 0 || b != 0; }
  [[nodiscard]] __device__ uint8_t finish(uint8_t best, int64_t) const { return best; }
};

}  // namespace

void reduce_max(const OpCall& call) noexcept {
  if (call.inputs[0].dtype == DType::kBool) return reduce_as<uint8_t>(call, BoolMaxReducer{});
  reduce_extremum(call, true, ReduceMaxFunctor{});
}

}  // namespace slipway::cuda

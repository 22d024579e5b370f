// ReduceProd on CUDA.
#include "ops/reduce.cuh"

namespace slipway::cuda {

namespace {

template <typename T>
struct ProductReducer {
  [[nodiscard]] __device__ SumOf<T> start() const { return {1}; }
  [[nodiscard]] __device__ SumOf<T> take(SumOf<T> product, T x, int64_t) const {
    return multiply(product, static_cast<TermOf<T>>(x));
  }
  [[nodiscard]] __device__ SumOf<T> merge(SumOf<T> a, SumOf<T> b) const { return multiply(a, b); }
  [[nodiscard]] __device__ T finish(SumOf<T> product, int64_t) const { return static_cast<T>(value_of(product)); }
};

}  // namespace

void reduce_prod(const OpCall& call) noexcept {
  dispatch(WideNumbers{}, call.inputs[0].dtype, [&]<typename T>() { reduce_as<T>(call, ProductReducer<T>{}); });
}

}  // namespace slipway::cuda

// Clip on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

// Null bounds are no bounds.
template <typename T>
struct ClipFunctor {
  const T* low;
  const T* high;

  __device__ T operator()(T x) const {
    const T raised = low != nullptr && x < *low ? *low : x;
    return high != nullptr && raised > *high ? *high : raised;
  }
};

}  // namespace

void clip(const OpCall& call) noexcept {
  dispatch(Numbers{}, call.inputs[0].dtype, [&]<typename T>() {
    const auto bound = [&](std::size_t i) { return call.has_input(i) ? call.inputs[i].as<T>() : nullptr; };
    map_each_of<T, T>(call, ClipFunctor<T>{bound(1), bound(2)});
  });
}

}  // namespace slipway::cuda

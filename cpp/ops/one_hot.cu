// OneHot on CUDA.
#include "ops/convert.h"
#include "ops/move.cuh"

namespace slipway::cuda {

namespace {

/// The indices, of any number type, and where they lie in y [outer, depth, inner].
struct HotIndices {
  const void* data;
  DType dtype;
  int64_t count;  // of y
  bool has_large_count;
  Divisor depth;
  Divisor inner;

  [[nodiscard]] __device__ int64_t at(int64_t i) const {
    if (dtype == DType::kFloat32) return convert<int64_t>(static_cast<const float*>(data)[i]);
    if (dtype == DType::kFloat64) return convert<int64_t>(static_cast<const double*>(data)[i]);
    return integer_at(data, dtype, i);
  }
};

/// y = values[1] where the place along the new axis equals the index, values[0] elsewhere. A thread takes one element,
/// and goes on in strides of the grid; bound by the bandwidth of writing, indices come from the cache.
/// 256 threads, 8 blocks per multiprocessor: enough stores in flight.
/// Checked against the scalar column by tests/ops.
template <typename U>
__global__ void __launch_bounds__(kMoveThreads)
    one_hot_kernel(const HotIndices indices, const U* __restrict__ values, U* __restrict__ y) {
  start_in_order();
  const U off = values[0];
  const U on = values[1];
  for (int64_t i = grid_thread(); i < indices.count; i += grid_threads()) {
    const int64_t line = divide(i, indices.inner, indices.has_large_count);
    const int64_t outer = divide(line, indices.depth, indices.has_large_count);
    const int64_t place = line - outer * indices.depth.size;
    const int64_t index = indices.at(outer * indices.inner.size + i - line * indices.inner.size);
    y[i] = (index < 0 ? index + indices.depth.size : index) == place ? on : off;
  }
}

}  // namespace

void one_hot(const OpCall& call) noexcept {
  const Split y = split_at(call.outputs[0].shape, call.as<int64_t>());
  const int64_t count = y.outer * y.axis * y.inner;
  if (count == 0) return;
  const HotIndices indices{call.inputs[0].data,
                           call.inputs[0].dtype,
                           count,
                           is_large(count),
                           divisor_of(y.axis, is_large(count)),
                           divisor_of(y.inner, is_large(count))};
  dispatch_element(call.inputs[2].dtype, [&]<typename U>() {
    launch(call, &one_hot_kernel<U>, move_launch(count), indices, call.inputs[2].as<U>(), call.outputs[0].as<U>());
  });
}

}  // namespace slipway::cuda

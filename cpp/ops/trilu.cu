// Trilu on CUDA.
#include "ops/move.cuh"

namespace slipway::cuda {

namespace {

struct Triangle {
  bool upper;
  int64_t count;
  bool has_large_count;
  Divisor rows;
  Divisor columns;
};

/// y = x on one side of the k-th diagonal of each matrix, 0 elsewhere. A thread takes one element, and goes on in
/// strides of the grid. Reads what it keeps and writes all; bound by that bandwidth.
/// 256 threads, 8 blocks per multiprocessor: enough loads in flight.
/// Checked against the scalar column by tests/ops.
template <typename U>
__global__ void __launch_bounds__(kMoveThreads)
    trilu_kernel(const Triangle triangle, const int64_t* __restrict__ diagonal, const U* __restrict__ x,
                 U* __restrict__ y) {
  start_in_order();
  const int64_t k = diagonal != nullptr ? *diagonal : 0;
  for (int64_t i = grid_thread(); i < triangle.count; i += grid_threads()) {
    const int64_t line = divide(i, triangle.columns, triangle.has_large_count);
    const int64_t matrix = divide(line, triangle.rows, triangle.has_large_count);
    const int64_t row = line - matrix * triangle.rows.size;
    const int64_t distance = i - line * triangle.columns.size - row;
    y[i] = (triangle.upper ? distance >= k : distance <= k) ? x[i] : U{0};
  }
}

}  // namespace

void trilu(const OpCall& call) noexcept {
  const Shape& shape = call.inputs[0].shape;
  const int64_t count = shape.count();
  if (count == 0) return;
  const Triangle triangle{call.as<bool>(), count, is_large(count), divisor_of(shape[shape.rank() - 2], is_large(count)),
                          divisor_of(shape[shape.rank() - 1], is_large(count))};
  dispatch_element(call.inputs[0].dtype, [&]<typename U>() {
    launch(call, &trilu_kernel<U>, move_launch(count), triangle,
           call.has_input(1) ? call.inputs[1].as<int64_t>() : nullptr, call.inputs[0].as<U>(), call.outputs[0].as<U>());
  });
}

}  // namespace slipway::cuda

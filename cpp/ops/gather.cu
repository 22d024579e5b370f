// Gather on CUDA.
#include "ops/indexing.cuh"

namespace slipway::cuda {

namespace {

/// Rows of data in the order of the indices, `count` for each outer place; sizes in units.
struct GatheredRows {
  DeviceIndices indices;
  DeviceFault* fault;
  int64_t size;   // rows of data for each outer place
  int64_t total;  // units of y
  bool has_large_count;
  Divisor count;
  Divisor run;
};

/// y[outer, i, run] = data[outer, indices[i], run]. A thread moves one unit, and goes on in strides of the grid.
/// Moves each unit once in and once out and is bound by that bandwidth where rows are long; an index is read by all
/// threads of its row, from the cache. 256 threads, 8 blocks per multiprocessor: enough loads in flight.
/// Checked against the scalar column by tests/ops.
template <typename U>
__global__ void __launch_bounds__(kMoveThreads)
    gather_kernel(const __grid_constant__ GatheredRows rows, const U* __restrict__ data, U* __restrict__ y) {
  start_in_order();
  for (int64_t i = grid_thread(); i < rows.total; i += grid_threads()) {
    const int64_t row = divide(i, rows.run, rows.has_large_count);
    const int64_t outer = divide(row, rows.count, rows.has_large_count);
    const int64_t index = checked_index(rows.fault, rows.indices[row - outer * rows.count.size], rows.size);
    if (index >= 0) y[i] = data[(outer * rows.size + index - row) * rows.run.size + i];
  }
}

}  // namespace

void gather(const OpCall& call) noexcept {
  const TensorView& data = call.inputs[0];
  const auto axis = call.as<int64_t>();
  const int64_t count = call.inputs[1].shape.count();
  const int64_t bytes = call.outputs[0].bytes();
  if (bytes == 0) return;
  const int64_t run = data.shape.count(static_cast<int>(axis) + 1, data.shape.rank()) * size_of(data.dtype);
  const int64_t unit =
      unit_bytes(address_of(data.data) | address_of(call.outputs[0].data) | static_cast<uint64_t>(run));
  const bool has_large_count = is_large(bytes / unit);
  const GatheredRows rows{DeviceIndices(call.inputs[1]),
                          call.device_fault,
                          data.shape[static_cast<int>(axis)],
                          bytes / unit,
                          has_large_count,
                          divisor_of(count, has_large_count),
                          divisor_of(run / unit, has_large_count)};
  dispatch_unit(unit, [&]<typename U>() {
    launch(call, &gather_kernel<U>, move_launch(rows.total), rows, data.as<U>(), call.outputs[0].as<U>());
  });
}

}  // namespace slipway::cuda

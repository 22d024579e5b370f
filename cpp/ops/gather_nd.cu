// GatherND on CUDA.
#include "ops/indexing.cuh"

namespace slipway::cuda {

namespace {

/// Slice i of y = the slice of data that row i of the indices names. A thread moves one unit, and goes on in strides of
/// the grid. Moves each unit once in and once out and is bound by that bandwidth where slices are long; a row of
/// indices is read by all threads of its slice, from the cache.
/// 256 threads, 8 blocks per multiprocessor: enough loads in flight.
/// Checked against the scalar column by tests/ops.
template <typename U>
__global__ void __launch_bounds__(kMoveThreads)
    gather_nd_kernel(const __grid_constant__ DeviceTuples tuples, const Divisor slice, bool has_large_count, int shift,
                     int64_t total, const U* __restrict__ data, U* __restrict__ y) {
  start_in_order();
  for (int64_t i = grid_thread(); i < total; i += grid_threads()) {
    const int64_t row = divide(i, slice, has_large_count);
    const int64_t at = tuples.offset(row);
    if (at >= 0) y[i] = data[(at >> shift) + i - row * slice.size];
  }
}

}  // namespace

void gather_nd(const OpCall& call) noexcept {
  const auto& tuples = call.as<TupleIndex>();
  const int64_t element = size_of(call.inputs[0].dtype);
  const int64_t run = tuples.slice * element;
  const int64_t bytes = call.outputs[0].bytes();
  if (bytes == 0) return;
  // Offsets are multiples of the slice, so that a unit that divides it divides them.
  const int64_t unit =
      unit_bytes(address_of(call.inputs[0].data) | address_of(call.outputs[0].data) | static_cast<uint64_t>(run));
  int shift = 0;  // from elements to units
  while (element << shift < unit) ++shift;
  dispatch_unit(unit, [&]<typename U>() {
    launch(call, &gather_nd_kernel<U>, move_launch(bytes / unit), DeviceTuples(call, tuples),
           divisor_of(run / unit, is_large(bytes / unit)), is_large(bytes / unit), shift, bytes / unit,
           call.inputs[0].as<U>(), call.outputs[0].as<U>());
  });
}

}  // namespace slipway::cuda

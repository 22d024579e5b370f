// Pad on CUDA.
#include "ops/move.cuh"
#include "ops/pad.h"

namespace slipway::cuda {

namespace {

/// PadPrepared as a kernel's parameter.
struct DevicePad {
  PadMode mode;
  int rank;
  int64_t count;
  bool has_large_count;
  Divisor sizes[kMaxRank];  // of y
  PadAxis axes[kMaxRank];
};

/// Offset in x of element i of y, or -1 for the constant.
__device__ int64_t padded_source(const DevicePad& pad, int64_t i) {
  int64_t from = 0;
  bool is_inside = true;
#pragma unroll 1
  for (int axis = pad.rank - 1; axis >= 0; --axis) {
    const int64_t outer = divide(i, pad.sizes[axis], pad.has_large_count);
    const PadAxis& along = pad.axes[axis];
    const int64_t source = source_of(i - outer * pad.sizes[axis].size - along.begin, along.size, pad.mode);
    is_inside = is_inside && source >= 0;
    from += source * along.stride;
    i = outer;
  }
  return is_inside ? from : -1;
}

/// y = x, or the constant around it. A thread takes one element, and goes on in strides of the grid.
/// An axis costs some 20 instructions, so that up to rank 4 it is bound by bandwidth: 8 bytes per element of 4.
/// 256 threads, 8 blocks per multiprocessor: enough loads in flight.
/// Checked against the scalar column by tests/ops.
template <typename U>
__global__ void __launch_bounds__(kMoveThreads)
    pad_kernel(const __grid_constant__ DevicePad pad, const U* __restrict__ x, const U* __restrict__ constant,
               U* __restrict__ y) {
  start_in_order();
  for (int64_t i = grid_thread(); i < pad.count; i += grid_threads()) {
    const int64_t from = padded_source(pad, i);
    y[i] = from >= 0 ? x[from] : constant != nullptr ? *constant : U{0};
  }
}

}  // namespace

void pad(const OpCall& call) noexcept {
  const auto& prepared = call.as<PadPrepared>();
  const Shape& y = call.outputs[0].shape;
  if (y.count() == 0) return;
  DevicePad pad{prepared.mode, y.rank(), y.count(), is_large(y.count()), {}, {}};
  for (int axis = 0; axis < y.rank(); ++axis) {
    pad.sizes[axis] = divisor_of(y[axis], pad.has_large_count);
    pad.axes[axis] = prepared.axes[static_cast<std::size_t>(axis)];
  }
  dispatch_element(call.inputs[0].dtype, [&]<typename U>() {
    launch(call, &pad_kernel<U>, move_launch(pad.count), pad, call.inputs[0].as<U>(),
           call.has_input(2) ? call.inputs[2].as<U>() : nullptr, call.outputs[0].as<U>());
  });
}

}  // namespace slipway::cuda

// Resize on CUDA.
#include "ops/move.cuh"
#include "ops/resize.h"
#include "ops/types.h"

namespace slipway::cuda {

namespace {

/// ResizePrepared as a kernel's parameter; the last axis is what lies side by side.
struct DeviceResize {
  int rank;
  int64_t count;
  bool has_large_count;
  const ResizeTap* table;
  Divisor sizes[kMaxRank + 1];  // of y
  ResizeAxis axes[kMaxRank + 1];
};

DeviceResize device_resize(const ResizePrepared& prepared, int64_t count) noexcept {
  DeviceResize resize{static_cast<int>(prepared.axes.size()) + 1, count, is_large(count), prepared.table, {}, {}};
  for (int axis = 0; axis < resize.rank; ++axis) {
    const bool is_inner = axis + 1 == resize.rank;
    resize.axes[axis] = is_inner ? ResizeAxis{prepared.inner, 1, 0, 0} : prepared.axes[static_cast<std::size_t>(axis)];
    resize.sizes[axis] = divisor_of(resize.axes[axis].count, resize.has_large_count);
  }
  return resize;
}

/// What one tap of each axis gives together.
__device__ ResizeTap joint_tap(const DeviceResize& resize, const int64_t* places, const int* taps) {
  ResizeTap all;
#pragma unroll 1
  for (int axis = 0; axis < resize.rank; ++axis) {
    const ResizeTap tap = tap_of(resize.axes[axis], resize.table, places[axis], taps[axis]);
    all.weight *= tap.weight;
    all.from += tap.from;
  }
  return all;
}

/// y = the sum of weight * x over the taps of all axes, in double; of nearest the one x. A thread takes one element,
/// and goes on in strides of the grid; it steps through the taps as a counter does, the last axis fastest. Neighbours
/// share most of what they read, so x and the table come from the cache. Nearest is bound by bandwidth up to rank 4,
/// others by instructions: 2 operations in double and some 10 others per axis for each of 2^d or 4^d taps. 256 threads,
/// 8 blocks per multiprocessor: enough loads in flight. Checked against the scalar column by tests/ops.
template <typename T, bool kIsNearest>
__global__ void __launch_bounds__(kMoveThreads)
    resize_kernel(const __grid_constant__ DeviceResize resize, const T* __restrict__ x, T* __restrict__ y) {
  start_in_order();
  for (int64_t i = grid_thread(); i < resize.count; i += grid_threads()) {
    int64_t places[kMaxRank + 1];
    int taps[kMaxRank + 1] = {};
    int64_t rest = i;
#pragma unroll 1
    for (int axis = resize.rank - 1; axis >= 0; --axis) {
      const int64_t outer = divide(rest, resize.sizes[axis], resize.has_large_count);
      places[axis] = rest - outer * resize.sizes[axis].size;
      rest = outer;
    }
    if constexpr (kIsNearest) {
      y[i] = x[joint_tap(resize, places, taps).from];
    } else {
      double sum = 0.0;
      int axis = 0;
      do {
        const ResizeTap tap = joint_tap(resize, places, taps);
        if (tap.weight != 0.0) sum += tap.weight * static_cast<double>(x[tap.from]);
        axis = resize.rank - 1;
        while (axis >= 0 && ++taps[axis] >= resize.axes[axis].taps) taps[axis--] = 0;
      } while (axis >= 0);
      y[i] = static_cast<T>(sum);
    }
  }
}

}  // namespace

void resize(const OpCall& call) noexcept {
  const auto& prepared = call.as<ResizePrepared>();
  const int64_t count = call.outputs[0].shape.count();
  if (count == 0) return;
  const DeviceResize resize = device_resize(prepared, count);
  if (prepared.is_nearest || prepared.axes.empty()) {
    return dispatch_element(call.inputs[0].dtype, [&]<typename U>() {
      launch(call, &resize_kernel<U, true>, move_launch(count), resize, call.inputs[0].as<U>(),
             call.outputs[0].as<U>());
    });
  }
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    launch(call, &resize_kernel<T, false>, move_launch(count), resize, call.inputs[0].as<T>(), call.outputs[0].as<T>());
  });
}

}  // namespace slipway::cuda

// ScatterElements on CUDA.
#include "ops/prepared.h"
#include "ops/scatter.cuh"

namespace slipway::cuda {

namespace {

/// A line runs along the axis, at one place of all others.
struct AxisPlaces {
  DeviceIndices indices;
  DeviceFault* fault;
  int64_t lines;
  int64_t size;
  bool is_near;
  DeviceWalk<2> walk;  // over the lines: offsets in data, and in the updates
  int64_t data_size;
  int64_t data_stride;
  int64_t update_stride;

  [[nodiscard]] __device__ int64_t element(int64_t line) const { return walk.locate(line).at[0]; }
  [[nodiscard]] __device__ int64_t update(int64_t line, int64_t i) const {
    return walk.locate(line).at[1] + i * update_stride;
  }
  [[nodiscard]] __device__ int64_t place(int64_t line, int64_t i) const {
    const int64_t index = checked_index(fault, indices[update(line, i)], data_size);
    return index < 0 ? -1 : index * data_stride;
  }
};

}  // namespace

void scatter_elements(const OpCall& call) noexcept {
  const auto& [elements, reduction] = call.as<ScatterElementsPrepared>();
  const Shape& data = call.inputs[0].shape;
  const Shape& updates = call.inputs[1].shape;
  const auto data_strides = strides_of(data);
  const auto update_strides = strides_of(updates);
  const auto axis = static_cast<std::size_t>(elements.axis);
  Walk<2> walk;
  for (std::size_t i = 0; i < static_cast<std::size_t>(data.rank()); ++i) {
    if (i != axis) walk.push_axis(updates[static_cast<int>(i)], {data_strides[i], update_strides[i]});
  }
  scatter(
      call, reduction,
      AxisPlaces{DeviceIndices(call.inputs[1]), call.device_fault, walk.count(), updates[static_cast<int>(axis)],
                 update_strides[axis] == 1, DeviceWalk<2>(walk), elements.size, elements.stride, update_strides[axis]});
}

}  // namespace slipway::cuda

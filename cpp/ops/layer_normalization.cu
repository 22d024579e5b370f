// LayerNormalization on CUDA.
#include "ops/moments.cuh"
#include "ops/normalization.h"
#include "ops/walk.cuh"

namespace slipway::cuda {

namespace {

struct LayerRows {
  int64_t count;
  int64_t size;
  double epsilon;
  Lanes lanes;
  DeviceWalk<2> walk;  // scale and b along x
};

/// Tensors of the operator; those that may be absent are null.
template <typename T>
struct LayerTensors {
  const T* x;
  const T* scale;
  const T* b;
  T* y;
  float* mean;
  float* deviation;
};

/// y = (x - mean) / sqrt(var + epsilon) * scale + b along each row. 1 to 256 lanes per row; three passes, of which the
/// second and third read from the cache where a row fits. Moves each element once in and once out, 8 bytes per float32;
/// scale and b come from the cache. Shared memory: one double per thread, in order of the threads.
/// 256 threads, 8 blocks per multiprocessor with up to 32 registers.
/// Checked against the scalar column by tests/ops.
template <typename T>
__global__ void __launch_bounds__(kLaneThreads)
    layer_normalization_kernel(const __grid_constant__ LayerRows rows, const LayerTensors<T> tensors) {
  start_in_order();
  SLIPWAY_SHARED(double, shared);
  const Lanes& lanes = rows.lanes;
#pragma unroll 1
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * lanes.lines(); first < rows.count;
       first += static_cast<int64_t>(gridDim.x) * lanes.lines()) {
    const int64_t row = first + lanes.line();
    const bool is_there = row < rows.count;
    const int64_t begin = is_there ? row * rows.size : 0;
    const LineMoments moments = moments_of(shared, tensors.x + begin, rows.size, is_there, rows.epsilon, lanes);
    if (!is_there) continue;
    if (lanes.lane() == 0) {
      if (tensors.mean != nullptr) tensors.mean[row] = static_cast<float>(moments.mean);
      if (tensors.deviation != nullptr) tensors.deviation[row] = static_cast<float>(moments.deviation);
    }
    if (tensors.y == nullptr) continue;
    for (int64_t i = begin + lanes.lane(); i < begin + rows.size; i += lanes.per_line) {
      const Offsets<2> offsets = rows.walk.locate(i);
      const double normal = (static_cast<double>(tensors.x[i]) - moments.mean) * moments.deviation;
      const double shift = tensors.b != nullptr ? static_cast<double>(tensors.b[offsets.at[1]]) : 0;
      tensors.y[i] = static_cast<T>(normal * static_cast<double>(tensors.scale[offsets.at[0]]) + shift);
    }
  }
}

}  // namespace

void layer_normalization(const OpCall& call) noexcept {
  const auto& norm = call.as<LayerNormalizationCall>();
  if (norm.rows == 0) return;
  const LayerRows rows{norm.rows, norm.size, norm.epsilon, lanes_for(norm.rows, norm.size, true),
                       DeviceWalk<2>(norm.walk)};
  const auto moments = [&](std::size_t i) { return call.has_output(i) ? call.outputs[i].as<float>() : nullptr; };
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    const LayerTensors<T> tensors{call.inputs[0].as<T>(),
                                  call.inputs[1].as<T>(),
                                  call.has_input(2) ? call.inputs[2].as<T>() : nullptr,
                                  call.has_output(0) ? call.outputs[0].as<T>() : nullptr,
                                  moments(1),
                                  moments(2)};
    launch(call, &layer_normalization_kernel<T>, lanes_launch(norm.rows, rows.lanes, sizeof(double)), rows, tensors);
  });
}

}  // namespace slipway::cuda

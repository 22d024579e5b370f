// InstanceNormalization on CUDA.
#include "ops/moments.cuh"
#include "ops/normalization.h"

namespace slipway::cuda {

namespace {

struct Instances {
  int64_t count;
  int64_t channels;
  int64_t size;
  double epsilon;
  Lanes lanes;
};

/// y[n, c] = (x[n, c] - mean) / sqrt(var + epsilon) * scale[c] + b[c]. 1 to 256 lanes per line x[n, c]; three passes,
/// of which the second and third read from the cache where a line fits. Moves each element once in and once out, 8
/// bytes per float32. Shared memory: one double per thread, in order of the threads. 256 threads, 8 blocks per
/// multiprocessor with up to 32 registers. Checked against the scalar column by tests/ops.
template <typename T>
__global__ void __launch_bounds__(kLaneThreads)
    instance_normalization_kernel(const Instances instances, const T* __restrict__ x, const T* __restrict__ scale,
                                  const T* __restrict__ b, T* __restrict__ y) {
  start_in_order();
  SLIPWAY_SHARED(double, shared);
  const Lanes& lanes = instances.lanes;
#pragma unroll 1
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * lanes.lines(); first < instances.count;
       first += static_cast<int64_t>(gridDim.x) * lanes.lines()) {
    const int64_t line = first + lanes.line();
    const bool is_there = line < instances.count;
    const int64_t begin = is_there ? line * instances.size : 0;
    const LineMoments moments = moments_of(shared, x + begin, instances.size, is_there, instances.epsilon, lanes);
    if (!is_there) continue;
    const double factor = static_cast<double>(scale[line % instances.channels]) * moments.deviation;
    const T shift = b[line % instances.channels];
    for (int64_t i = lanes.lane(); i < instances.size; i += lanes.per_line) {
      const double centred = static_cast<double>(x[begin + i]) - moments.mean;
      y[begin + i] = static_cast<T>(centred * factor + static_cast<double>(shift));
    }
  }
}

}  // namespace

void instance_normalization(const OpCall& call) noexcept {
  const auto& norm = call.as<InstanceNormalizationCall>();
  const int64_t count = norm.batch * norm.channels;
  if (call.outputs[0].shape.count() == 0) return;
  const Instances instances{count, norm.channels, norm.size, norm.epsilon, lanes_for(count, norm.size, true)};
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    launch(call, &instance_normalization_kernel<T>, lanes_launch(count, instances.lanes, sizeof(double)), instances,
           call.inputs[0].as<T>(), call.inputs[1].as<T>(), call.inputs[2].as<T>(), call.outputs[0].as<T>());
  });
}

}  // namespace slipway::cuda

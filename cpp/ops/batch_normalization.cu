// BatchNormalization on CUDA.
#include "ops/batch_normalization.h"
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct ChannelPlaces {
  int64_t count;
  bool has_large_count;
  Divisor size;  // elements of one channel of one image
  Divisor channels;
  double epsilon;
};

/// y = (x - mean[c]) * (scale[c] / sqrt(var[c] + epsilon)) + b[c]. A thread takes one element, and goes on in strides
/// of the grid. Moves each element once in and once out, 8 bytes per float32; the channel's numbers come from the
/// cache. Its 60 instructions, a root and a division among them, stay below that bandwidth. 256 threads, 8 blocks per
/// multiprocessor with up to 32 registers. Checked against the scalar column by tests/ops.
template <typename T>
__global__ void __launch_bounds__(kMapThreads)
    batch_normalization_kernel(const __grid_constant__ ChannelPlaces places, const T* __restrict__ x,
                               const T* __restrict__ scale, const T* __restrict__ b, const T* __restrict__ mean,
                               const T* __restrict__ variance, T* __restrict__ y) {
  start_in_order();
  for (int64_t i = grid_thread(); i < places.count; i += grid_threads()) {
    const int64_t row = divide(i, places.size, places.has_large_count);
    const int64_t c = row - divide(row, places.channels, places.has_large_count) * places.channels.size;
    const T factor = scale[c] / std::sqrt(variance[c] + static_cast<T>(places.epsilon));
    y[i] = std::fma(x[i] - mean[c], factor, b[c]);
  }
}

}  // namespace

void batch_normalization(const OpCall& call) noexcept {
  const auto& norm = call.as<BatchNormalizationCall>();
  const int64_t count = call.outputs[0].shape.count();
  if (count == 0) return;
  const ChannelPlaces places{count, is_large(count), divisor_of(norm.size, is_large(count)),
                             divisor_of(norm.channels, is_large(count)), norm.epsilon};
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    launch(call, &batch_normalization_kernel<T>,
           {.grid = dim3(blocks_for(count, kMapThreads)), .block = dim3(kMapThreads)}, places, call.inputs[0].as<T>(),
           call.inputs[1].as<T>(), call.inputs[2].as<T>(), call.inputs[3].as<T>(), call.inputs[4].as<T>(),
           call.outputs[0].as<T>());
  });
}

}  // namespace slipway::cuda

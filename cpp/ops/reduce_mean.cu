// ReduceMean on CUDA.
#include "ops/reduce.cuh"

namespace slipway::cuda {

namespace {

struct MeanEnding {
  DeviceFault* fault;

  template <typename T>
  __device__ T operator()(T sum, int64_t count) const {
    if constexpr (std::is_floating_point_v<T>) {
      return sum / static_cast<T>(count);
    } else {
      return count == 0 ? report_zero_divisor<T>(fault) : static_cast<T>(sum / count);
    }
  }
};

}  // namespace

void reduce_mean(const OpCall& call) noexcept {
  reduce_sum_of(call, WideNumbers{}, Itself{}, MeanEnding{call.device_fault});
}

}  // namespace slipway::cuda

// Div on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct DivFunctor {
  DeviceFault* fault;

  template <typename T>
  __device__ T operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>) {
      return a / b;
    } else {
      if (b == 0) return report_zero_divisor<T>(fault);
      if constexpr (std::is_signed_v<T>) {
        if (b == -1) return wrap_subtract(T{0}, a);
      }
      return static_cast<T>(a / b);
    }
  }
};

}  // namespace

void div(const OpCall& call) noexcept { map_binary(call, Numbers{}, DivFunctor{call.device_fault}); }

}  // namespace slipway::cuda

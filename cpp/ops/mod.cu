// Mod on CUDA.
#include "ops/elementwise.cuh"
#include "ops/prepared.h"

namespace slipway::cuda {

namespace {

struct ModFunctor {
  bool sign_of_dividend;
  DeviceFault* fault;

  template <typename T>
  __device__ T operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>) {
      return std::fmod(a, b);
    } else {
      if (b == 0) return report_zero_divisor<T>(fault);
      if constexpr (std::is_signed_v<T>) {
        if (b == -1) return 0;  // the smallest integer / -1 overflows
        const T r = static_cast<T>(a % b);
        const bool signs_differ = r != 0 && (r < 0) != (b < 0);
        return !sign_of_dividend && signs_differ ? static_cast<T>(r + b) : r;
      }
      return static_cast<T>(a % b);
    }
  }
};

}  // namespace

void mod(const OpCall& call) noexcept {
  const auto& prepared = call.as<ModPrepared>();
  const ModFunctor functor{prepared.sign_of_dividend, call.device_fault};
  dispatch(Numbers{}, call.inputs[0].dtype, [&]<typename T>() { map_pairs<T, T>(call, prepared.walk, functor); });
}

}  // namespace slipway::cuda

// Pow on CUDA.
#include "ops/convert.h"
#include "ops/elementwise.cuh"
#include "ops/integer_power.h"

namespace slipway::cuda {

namespace {

/// 0 to a negative power.
template <typename T>
struct ZeroDivisor {
  DeviceFault* fault;

  __device__ T operator()() const { return report_zero_divisor<T>(fault); }
};

/// The exponents, of any number type.
struct Exponents {
  const void* data;
  DType dtype;

  [[nodiscard]] __device__ bool are_integers() const { return dtype != DType::kFloat32 && dtype != DType::kFloat64; }
  [[nodiscard]] __device__ int64_t integer(int64_t i) const { return integer_at(data, dtype, i); }
  [[nodiscard]] __device__ double real(int64_t i) const {
    if (dtype == DType::kFloat32) return static_cast<const float*>(data)[i];
    if (dtype == DType::kFloat64) return static_cast<const double*>(data)[i];
    return static_cast<double>(integer(i));
  }
};

/// y = a ^ b, both broadcast along the walk: in double, or in integers where both are. A thread takes one element, and
/// goes on in strides of the grid. Bound by some 100 instructions of double precision for each.
/// 256 threads, for that no more are asked for than its registers allow.
/// Checked against the scalar column by tests/ops.
template <typename T>
__global__ void __launch_bounds__(kMapThreads)
    pow_kernel(const __grid_constant__ DeviceWalk<2> walk, const T* __restrict__ a, const Exponents exponents,
               T* __restrict__ y, DeviceFault* fault) {
  start_in_order();
#pragma unroll 1
  for (int64_t i = grid_thread(); i < walk.count; i += grid_threads()) {
    const Offsets<2> offsets = walk.locate(i);
    const T base = a[offsets.at[0]];
    if constexpr (std::is_integral_v<T>) {
      if (exponents.are_integers()) {
        y[i] = integer_power(base, exponents.integer(offsets.at[1]), ZeroDivisor<T>{fault});
        continue;
      }
    }
    y[i] = convert<T>(::pow(static_cast<double>(base), exponents.real(offsets.at[1])));
  }
}

}  // namespace

void pow(const OpCall& call) noexcept {
  const auto& walk = call.as<Walk<2>>();
  if (walk.count() == 0) return;
  dispatch(WideNumbers{}, call.inputs[0].dtype, [&]<typename T>() {
    launch(call, &pow_kernel<T>, {.grid = dim3(blocks_for(walk.count(), kMapThreads)), .block = dim3(kMapThreads)},
           DeviceWalk<2>(walk), call.inputs[0].as<T>(), Exponents{call.inputs[1].data, call.inputs[1].dtype},
           call.outputs[0].as<T>(), call.device_fault);
  });
}

}  // namespace slipway::cuda

// How kernels are started: by cudaLaunchKernelEx() alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "cuda_host.h"
#include "cuda_vectors.h"

enum cudaFuncAttribute {
  cudaFuncAttributeMaxDynamicSharedMemorySize = 8,
  cudaFuncAttributePreferredSharedMemoryCarveout = 9,
  cudaFuncAttributeNonPortableClusterSizeAllowed = 14
};
cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value);
template <typename... Parameters>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Parameters...), cudaFuncAttribute attribute, int value) {
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), attribute, value);
}

enum cudaLaunchAttributeID {
  cudaLaunchAttributeCooperative = 2,
  cudaLaunchAttributeClusterDimension = 4,
  cudaLaunchAttributeProgrammaticStreamSerialization = 6
};
struct cudaLaunchAttribute {
  cudaLaunchAttributeID id;
  union {
    int cooperative;
    struct {
      unsigned x, y, z;
    } clusterDim;
    int programmaticStreamSerializationAllowed;
  } val;
};
struct cudaLaunchConfig_t {
  dim3 gridDim;
  dim3 blockDim;
  std::size_t dynamicSmemBytes = 0;
  cudaStream_t stream = nullptr;
  cudaLaunchAttribute* attrs = nullptr;
  unsigned numAttrs = 0;
};

namespace slipway::emulation {

/// Where an aligned word of these bytes is an address of host memory that the device does not reach; -1 if nowhere.
[[nodiscard]] int64_t find_host_word(const void* argument, std::size_t bytes);

/// A kernel and copies of its arguments.
class KernelCall {
 public:
  virtual ~KernelCall() = default;
  [[nodiscard]] virtual const void* address() const = 0;
  /// Runs it as the current thread of a grid.
  virtual void run() const = 0;
  /// "" or which argument holds an address of host memory, where it does not belong.
  [[nodiscard]] virtual std::string find_host_address() const = 0;
};

template <typename... Parameters>
class KernelCallOf final : public KernelCall {
 public:
  template <typename... Arguments>
  explicit KernelCallOf(void (*kernel)(Parameters...), Arguments&&... arguments)
      : kernel_(kernel), arguments_(std::forward<Arguments>(arguments)...) {}
  [[nodiscard]] const void* address() const override { return reinterpret_cast<const void*>(kernel_); }
  void run() const override { std::apply(kernel_, arguments_); }
  [[nodiscard]] std::string find_host_address() const override {
    std::string found;
    int number = 0;
    const auto look = [&](const void* argument, std::size_t bytes) {
      const int64_t at = find_host_word(argument, bytes);
      if (at >= 0 && found.empty()) {
        found = "argument " + std::to_string(number) + " holds an address of the host at byte " + std::to_string(at);
      }
      ++number;
    };
    std::apply([&](const auto&... arguments) { (look(&arguments, sizeof arguments), ...); }, arguments_);
    return found;
  }

 private:
  void (*kernel_)(Parameters...);
  std::tuple<Parameters...> arguments_;
};

cudaError_t launch(const cudaLaunchConfig_t& config, std::shared_ptr<const KernelCall> call);

}  // namespace slipway::emulation

template <typename... Parameters, typename... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  static_assert((std::is_trivially_copyable_v<Parameters> && ...), "a kernel's parameters are copied byte by byte");
  // CUDA C++ Programming Guide, "__global__ Function Parameters": since CUDA 12.1 on sm_70 and later.
  static_assert((sizeof(Parameters) + ... + 0) <= 32764, "a kernel's parameters take too much memory");
  return slipway::emulation::launch(*config, std::make_shared<const slipway::emulation::KernelCallOf<Parameters...>>(
                                                 kernel, std::forward<Arguments>(arguments)...));
}

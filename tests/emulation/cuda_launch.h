// How kernels are started: by cudaLaunchKernelEx() alone.
#pragma once

#include <cstddef>
#include <memory>
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

/// True where there is memory at the address that the device does not reach.
[[nodiscard]] bool is_of_host(const void* address);

/// A kernel and copies of its arguments.
class KernelCall {
 public:
  virtual ~KernelCall() = default;
  [[nodiscard]] virtual const void* address() const = 0;
  /// Runs it as the current thread of a grid.
  virtual void run() const = 0;
  /// Number of an argument that points to memory which the device does not reach; -1 if none.
  [[nodiscard]] virtual int find_host_pointer() const = 0;
};

template <typename... Parameters>
class KernelCallOf final : public KernelCall {
 public:
  template <typename... Arguments>
  explicit KernelCallOf(void (*kernel)(Parameters...), Arguments&&... arguments)
      : kernel_(kernel), arguments_(std::forward<Arguments>(arguments)...) {}
  [[nodiscard]] const void* address() const override { return reinterpret_cast<const void*>(kernel_); }
  void run() const override { std::apply(kernel_, arguments_); }
  [[nodiscard]] int find_host_pointer() const override {
    int found = -1;
    int number = 0;
    const auto look = [&](const auto& argument) {
      if constexpr (std::is_pointer_v<std::remove_cvref_t<decltype(argument)>>) {
        if (found < 0 && is_of_host(reinterpret_cast<const void*>(argument))) found = number;
      }
      ++number;
    };
    std::apply([&](const auto&... arguments) { (look(arguments), ...); }, arguments_);
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

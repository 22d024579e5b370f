// What a kernel sees when it runs. All that `_simd.cc` files include beside simd/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "base/view.h"

namespace slipway {

struct DeviceFault;

/// A value that an operator forbids, met while running.
struct RunFault {
  const char* what = nullptr;  ///< null: nothing happened; else a literal such as "index"
  int64_t got = 0;
  int64_t low = 0;
  int64_t high = 0;        ///< allowed are [low, high]
  bool is_device = false;  ///< the device failed: `what` is its message, the rest says nothing
};

/// What run sees.
struct OpCall {
  std::span<const TensorView> inputs;
  std::span<const MutableView> outputs;
  const void* prepared = nullptr;
  std::byte* scratch = nullptr;
  ThreadPool* pool = nullptr;  ///< may be null: no threads
  RunFault* fault = nullptr;
  void* stream = nullptr;               ///< of CUDA kernels: views and scratch lie on its device
  DeviceFault* device_fault = nullptr;  ///< of CUDA kernels: where those on the device report
  bool starts_early = false;            ///< of CUDA kernels: the device starts one before the one before it ends

  template <typename T>
  [[nodiscard]] const T& as() const noexcept {
    return *static_cast<const T*>(prepared);
  }
  [[nodiscard]] bool has_input(std::size_t i) const noexcept { return i < inputs.size() && inputs[i].is_present(); }
  [[nodiscard]] bool has_output(std::size_t i) const noexcept { return i < outputs.size() && outputs[i].is_present(); }
  /// Reports the first forbidden value; run() then returns, its outputs are thrown away.
  void report(const char* what, int64_t got, int64_t low, int64_t high) const noexcept {
    if (fault->what == nullptr) *fault = {what, got, low, high, false};
  }
  /// Reports that the device refused a launch.
  void report_device(const char* message) const noexcept {
    if (fault->what == nullptr) *fault = {message, 0, 0, 0, true};
  }
};

}  // namespace slipway

// What the tests of the emulation share: memory, launches, and the question whether a bug is seen.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "cuda_runtime.h"
#include "ops/launch.cuh"
#include "order.h"

namespace slipway::emulation {

/// A vector on the device.
template <typename T>
class DeviceVector final {
 public:
  explicit DeviceVector(std::size_t size) : size_(size) { (void)cudaMalloc(&data_, size * sizeof(T)); }
  explicit DeviceVector(const std::vector<T>& values) : DeviceVector(values.size()) {
    (void)cudaMemcpy(data_, values.data(), size_ * sizeof(T), cudaMemcpyHostToDevice);
  }
  DeviceVector(const DeviceVector&) = delete;
  DeviceVector& operator=(const DeviceVector&) = delete;
  ~DeviceVector() { (void)cudaFree(data_); }

  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] std::vector<T> read() const {
    std::vector<T> values(size_);
    (void)cudaMemcpy(values.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost);
    return values;
  }

 private:
  T* data_ = nullptr;
  std::size_t size_;
};

/// Runs a kernel as ops do; "" or the error.
template <typename... Parameters, typename... Arguments>
std::string run(void (*kernel)(Parameters...), const cuda::Launch& how, Arguments&&... arguments) {
  RunFault fault;
  OpCall call;
  call.fault = &fault;
  cuda::launch(call, kernel, how, std::forward<Arguments>(arguments)...);
  const cudaError_t error = cudaStreamSynchronize(nullptr);
  if (fault.what != nullptr) return fault.what;
  return error == cudaSuccess ? "" : cudaGetErrorString(error);
}

inline constexpr std::pair<Order, uint64_t> kOrders[] = {{Order::kForward, 1}, {Order::kBackward, 1},
                                                         {Order::kRandom, 1},  {Order::kRandom, 2},
                                                         {Order::kRandom, 3},  {Order::kRandom, 4}};

/// Runs `body` in every order.
inline void in_all_orders(const std::function<void()>& body) {
  for (const auto& [order, seed] : kOrders) {
    set_order(order, seed);
    body();
  }
  set_order(Order::kForward);
}

/// Races that ThreadSanitizer has told of.
inline int races = 0;

/// True where the kernel's bug shows: by an error, a NaN, a race, or results that depend on the order. `body` gives the
/// error of its launch and puts its results into the vector.
inline bool is_caught(const std::function<std::string(std::vector<float>&)>& body) {
  const int races_before = races;
  std::vector<float> first;
  bool caught = false;
  in_all_orders([&] {
    std::vector<float> results;
    caught = !body(results).empty() || caught;
    for (const float value : results) caught = caught || std::isnan(value);
    if (first.empty()) first = results;
    caught = caught || first.size() != results.size() ||
             std::memcmp(first.data(), results.data(), first.size() * sizeof(float)) != 0;
  });
  return caught || races > races_before;
}

/// True where `body` ends the program, tried in a child.
inline bool stops_program(const std::function<void()>& body) {
  constexpr int kUnharmed = 7;
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(STDERR_FILENO);
    body();
    ::_exit(kUnharmed);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return !WIFEXITED(status) || WEXITSTATUS(status) != kUnharmed;
}

}  // namespace slipway::emulation

#if defined(__SANITIZE_THREAD__)
// The tests look at the count themselves.
extern "C" __attribute__((used)) inline void __tsan_on_report(void*) { ++slipway::emulation::races; }
extern "C" __attribute__((used)) inline const char* __tsan_default_options() { return "exitcode=0"; }
#endif

// Runs on a CUDA device with the caller's arrays in the host's memory: they go there and the results come back.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/outputs.h"
#include "cuda/device.h"
#include "exec/runner.h"

namespace slipway {

class Bridge final {
 public:
  explicit Bridge(std::shared_ptr<CudaDevice> device) : device_(std::move(device)) {}

  /// Safe to call from many threads; each has its own stream. When it returns, the results are there. Throws Error.
  void run(Runner& runner, std::span<const TensorView> inputs, Outputs& outputs);

 private:
  class Lane;
  class Results;

  std::shared_ptr<CudaDevice> device_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Lane>> idle_;
};

}  // namespace slipway

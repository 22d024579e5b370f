#include "exec/bridge.h"

#include <cstring>
#include <utility>

namespace slipway {

namespace {

/// An array on both sides. Copies between pinned memory and the device need no help of the driver's threads.
struct Crossing {
  PinnedMemory host;
  DeviceMemory device;
};

void reserve(Crossing& crossing, const std::shared_ptr<CudaDevice>& device, int64_t bytes) {
  if (crossing.device.bytes() >= bytes) return;
  crossing.host = PinnedMemory(device, bytes);
  crossing.device = DeviceMemory(device, bytes);
}

}  // namespace

/// A stream with the memory of one run at a time.
class Bridge::Lane final {
 public:
  explicit Lane(std::shared_ptr<CudaDevice> device) : device_(std::move(device)), stream_(device_) {}

  [[nodiscard]] void* stream() const noexcept { return stream_.get(); }
  [[nodiscard]] const std::shared_ptr<CudaDevice>& device() const noexcept { return device_; }

  /// Views of the inputs on the device.
  std::span<const TensorView> send(std::span<const TensorView> inputs) {
    if (inputs_.size() < inputs.size()) inputs_.resize(inputs.size());
    views_.assign(inputs.begin(), inputs.end());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const int64_t bytes = inputs[i].bytes();
      reserve(inputs_[i], device_, bytes);
      views_[i].data = inputs_[i].device.data();
      if (bytes == 0) continue;
      std::memcpy(inputs_[i].host.data(), inputs[i].data, static_cast<std::size_t>(bytes));
      device_->copy(inputs_[i].device.data(), inputs_[i].host.data(), bytes, stream());
    }
    return views_;
  }
  [[nodiscard]] Crossing& output(std::size_t k) {
    if (outputs_.size() <= k) outputs_.resize(k + 1);
    return outputs_[k];
  }

 private:
  std::shared_ptr<CudaDevice> device_;
  CudaStream stream_;
  std::vector<Crossing> inputs_;
  std::vector<Crossing> outputs_;
  std::vector<TensorView> views_;
};

/// Results on the device, which receive() brings to where the caller wants them.
class Bridge::Results final : public Outputs {
 public:
  Results(Lane& lane, Outputs& wanted) : lane_(lane), wanted_(wanted) {}

  void prepare(std::size_t k, DType dtype, const Shape& shape) override {
    wanted_.prepare(k, dtype, shape);
    const int64_t bytes = shape.checked_bytes(size_of(dtype));
    reserve(lane_.output(k), lane_.device(), bytes);
    if (bytes_.size() <= k) bytes_.resize(k + 1);
    bytes_[k] = bytes;
  }
  [[nodiscard]] void* address(std::size_t k) const noexcept override { return lane_.output(k).device.data(); }
  void prepared(bool is_short) override { wanted_.prepared(is_short); }

  void receive() {
    for (std::size_t k = 0; k < bytes_.size(); ++k) {
      lane_.device()->copy(lane_.output(k).host.data(), address(k), bytes_[k], lane_.stream());
    }
    lane_.device()->synchronize(lane_.stream());
    for (std::size_t k = 0; k < bytes_.size(); ++k) {
      if (bytes_[k] == 0) continue;
      std::memcpy(wanted_.address(k), lane_.output(k).host.data(), static_cast<std::size_t>(bytes_[k]));
    }
  }

 private:
  Lane& lane_;
  Outputs& wanted_;
  std::vector<int64_t> bytes_;
};

void Bridge::run(Runner& runner, std::span<const TensorView> inputs, Outputs& outputs) {
  std::shared_ptr<Lane> lane;
  {
    const std::scoped_lock lock(mutex_);
    if (!idle_.empty()) {
      lane = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!lane) lane = std::make_shared<Lane>(device_);
  Results results(*lane, outputs);
  runner.run(lane->send(inputs), results, lane->stream());
  results.receive();
  const std::scoped_lock lock(mutex_);
  idle_.push_back(std::move(lane));
}

}  // namespace slipway

// Room for one object, which any thread may take or replace without a lock: whoever has taken it owns it alone.
#pragma once

#include <atomic>
#include <memory>

namespace slipway {

template <typename T>
class Slot final {
 public:
  Slot() noexcept = default;
  ~Slot() { (void)take(); }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  /// What is there, or null.
  [[nodiscard]] std::unique_ptr<T> take() noexcept { return put(nullptr); }
  /// Returns what was there, or null.
  [[nodiscard]] std::unique_ptr<T> put(std::unique_ptr<T> object) noexcept {
    return std::unique_ptr<T>(held_.exchange(object.release(), std::memory_order_acq_rel));
  }

 private:
  std::atomic<T*> held_ = nullptr;  // owned
};

}  // namespace slipway

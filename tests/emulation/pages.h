// Bytes that end where touchable memory ends: an access too far is a fault, as on a device.
#pragma once

#include <cstddef>
#include <cstdint>

namespace slipway::emulation {

/// Bytes on pages of their own, poisoned at first, between pages that nobody may touch. What their alignment leaves
/// behind them, less than kDeviceAlignment, belongs to nobody either: is_whole() finds what was written there.
class PagedBytes final {
 public:
  /// Throws std::bad_alloc.
  explicit PagedBytes(std::size_t bytes);
  PagedBytes(const PagedBytes&) = delete;
  PagedBytes& operator=(const PagedBytes&) = delete;
  ~PagedBytes();

  [[nodiscard]] unsigned char* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// True for an address on these pages or the untouchable ones around them.
  [[nodiscard]] bool is_near(std::uintptr_t address) const noexcept;
  /// False where something was written around the bytes.
  [[nodiscard]] bool is_whole() const noexcept;
  /// Makes what lies around the bytes whole again.
  void mend() noexcept;
  /// Lets the program touch the bytes, or no longer.
  void allow(bool is_allowed) noexcept;

 private:
  unsigned char* mapping_ = nullptr;
  std::size_t mapped_ = 0;
  unsigned char* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace slipway::emulation

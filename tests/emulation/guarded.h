// Memory of an exact size: what lies behind it is watched, and what is in it at first is poison.
#pragma once

#include <cstddef>

namespace slipway::emulation {

/// Every byte of fresh memory: NaN as a float of any width, -1 as an integer.
inline constexpr unsigned char kPoison = 0xff;
/// CUDA C++ Programming Guide: addresses from the allocator are aligned to at least 256 bytes.
inline constexpr std::size_t kDeviceAlignment = 256;

/// True where all bytes of [begin, end) are poison.
[[nodiscard]] bool holds_poison(const unsigned char* begin, const unsigned char* end) noexcept;

/// Bytes with guards before and behind. AddressSanitizer stops at the first access to a guard; without it a write is
/// found by is_whole(), and a read gives poison.
class GuardedBytes final {
 public:
  explicit GuardedBytes(std::size_t bytes);
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;
  ~GuardedBytes();

  [[nodiscard]] unsigned char* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  void poison() noexcept;
  /// True where all of it is poison.
  [[nodiscard]] bool is_poison() const noexcept;
  /// False where somebody wrote into a guard.
  [[nodiscard]] bool is_whole() const noexcept;
  /// Makes the guards whole again.
  void mend() noexcept;

 private:
  unsigned char* memory_ = nullptr;
  unsigned char* data_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t mapped_ = 0;
};

}  // namespace slipway::emulation

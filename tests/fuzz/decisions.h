// The bytes of an input read as a stream of decisions. At the end of the bytes every decision is the first choice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace slipway::fuzz {

class Decisions {
 public:
  explicit Decisions(std::span<const uint8_t> bytes) noexcept : rest_(bytes) {}

  /// A number from `low` to `high`, both of them possible; at most 256 apart.
  [[nodiscard]] int64_t from(int64_t low, int64_t high) noexcept {
    return low + static_cast<int64_t>(byte()) % (high - low + 1);
  }
  /// A place below `count`, which is 1 to 256.
  [[nodiscard]] std::size_t pick(std::size_t count) noexcept { return byte() % count; }
  /// True once in `times`, never at the end of the bytes.
  [[nodiscard]] bool chance(unsigned times) noexcept { return byte() % times == times - 1; }
  template <typename T, std::size_t N>
  [[nodiscard]] T one_of(const T (&choices)[N]) noexcept {
    return choices[pick(N)];
  }
  [[nodiscard]] bool is_at_end() const noexcept { return rest_.empty(); }

 private:
  [[nodiscard]] uint8_t byte() noexcept {
    if (rest_.empty()) return 0;
    const uint8_t first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }

  std::span<const uint8_t> rest_;
};

}  // namespace slipway::fuzz

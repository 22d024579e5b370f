// A concrete shape: up to kMaxRank sizes held inline, trivially copyable.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace slipway {

/// Tensors of higher rank are refused at the door.
inline constexpr int kMaxRank = 8;

class Shape {
 public:
  constexpr Shape() noexcept = default;
  constexpr Shape(std::initializer_list<int64_t> sizes) {
    for (const int64_t size : sizes) push_back(size);
  }
  /// Throws Error(kUnsupported) above kMaxRank sizes.
  explicit Shape(std::span<const int64_t> sizes);
  /// Throws Error(kUnsupported) above kMaxRank.
  static void require_rank(std::size_t rank);

  [[nodiscard]] constexpr int rank() const noexcept { return rank_; }
  [[nodiscard]] constexpr int64_t operator[](int axis) const noexcept {
    assert(axis >= 0 && axis < rank_);
    return sizes_[axis];
  }
  [[nodiscard]] constexpr int64_t& operator[](int axis) noexcept {
    assert(axis >= 0 && axis < rank_);
    return sizes_[axis];
  }
  [[nodiscard]] constexpr std::span<const int64_t> sizes() const noexcept {
    return {sizes_, static_cast<std::size_t>(rank_)};
  }
  /// The caller keeps rank() < kMaxRank.
  constexpr void push_back(int64_t size) noexcept { sizes_[rank_++] = size; }

  /// Number of elements; 1 for a scalar. Shapes that reach a kernel have been checked not to overflow.
  [[nodiscard]] constexpr int64_t count() const noexcept { return count(0, rank_); }
  /// Product of the sizes of axes [begin, end).
  [[nodiscard]] constexpr int64_t count(int begin, int end) const noexcept {
    int64_t product = 1;
    for (int axis = begin; axis < end; ++axis) product *= sizes_[axis];
    return product;
  }
  /// Bytes of all elements; Error(kLimit) where the product of the sizes above zero and `element_bytes` does not fit.
  [[nodiscard]] int64_t checked_bytes(int64_t element_bytes) const;

  [[nodiscard]] constexpr bool operator==(const Shape& other) const noexcept {
    if (rank_ != other.rank_) return false;
    for (int axis = 0; axis < rank_; ++axis) {
      if (sizes_[axis] != other.sizes_[axis]) return false;
    }
    return true;
  }

  /// "[2, 3]".
  [[nodiscard]] std::string text() const;

 private:
  int64_t sizes_[kMaxRank] = {};
  int rank_ = 0;
};

}  // namespace slipway

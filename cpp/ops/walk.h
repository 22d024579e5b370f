// Nested loops over a shape, in row-major order, following N strided tensors at once.
//
// Axes that are contiguous for all N are merged, so most walks have one or two. Strides are in elements; 0 repeats an
// element (broadcasting), a negative one walks backwards.
#pragma once

#include <array>
#include <cstdint>

#include "base/shape.h"

namespace slipway {

/// Tile splits every axis in two.
inline constexpr int kMaxWalkRank = 2 * kMaxRank;

template <int N>
class Walk {
 public:
  using Offsets = std::array<int64_t, N>;

  /// Adds the next inner axis.
  void push_axis(int64_t size, const Offsets& strides) noexcept {
    count_ *= size;
    if (size == 1 || count_ == 0) return;
    if (rank_ > 0 && continues(size, strides)) {
      sizes_[rank_ - 1] *= size;
      strides_[rank_ - 1] = strides;
      return;
    }
    sizes_[rank_] = size;
    strides_[rank_++] = strides;
  }

  [[nodiscard]] int64_t count() const noexcept { return count_; }
  /// Axes that are left after merging, outer ones first.
  [[nodiscard]] int rank() const noexcept { return rank_; }
  [[nodiscard]] int64_t size(int axis) const noexcept { return sizes_[axis]; }
  [[nodiscard]] Offsets strides(int axis) const noexcept { return strides_[axis]; }
  /// Size of the innermost loop, and its strides.
  [[nodiscard]] int64_t inner_size() const noexcept { return rank_ > 0 ? sizes_[rank_ - 1] : 1; }
  [[nodiscard]] Offsets inner_strides() const noexcept { return rank_ > 0 ? strides_[rank_ - 1] : Offsets{}; }

  /// Calls row(done, offsets) for every innermost loop; `done` elements came before it.
  template <typename F>
  void for_each_row(const F& row) const noexcept {
    std::array<int64_t, kMaxWalkRank> index{};
    Offsets at{};
    for (int64_t done = 0; done < count_; done += inner_size()) {
      row(done, at);
      for (int axis = rank_ - 2; axis >= 0; --axis) {
        for (int n = 0; n < N; ++n) at[n] += strides_[axis][n];
        if (++index[axis] < sizes_[axis]) break;
        for (int n = 0; n < N; ++n) at[n] -= strides_[axis][n] * sizes_[axis];
        index[axis] = 0;
      }
    }
  }

  /// Calls f(i, offsets) for every element; i counts from 0.
  template <typename F>
  void for_each(const F& f) const noexcept {
    const Offsets step = inner_strides();
    for_each_row([&](int64_t done, Offsets at) {
      for (int64_t i = 0; i < inner_size(); ++i) {
        f(done + i, at);
        for (int n = 0; n < N; ++n) at[n] += step[n];
      }
    });
  }

 private:
  [[nodiscard]] bool continues(int64_t size, const Offsets& strides) const noexcept {
    for (int n = 0; n < N; ++n) {
      int64_t whole = 0;
      if (__builtin_mul_overflow(strides[n], size, &whole) || strides_[rank_ - 1][n] != whole) return false;
    }
    return true;
  }

  int rank_ = 0;
  int64_t count_ = 1;
  std::array<int64_t, kMaxWalkRank> sizes_{};
  std::array<Offsets, kMaxWalkRank> strides_{};
};

/// Row-major strides. Meaningless, but defined, where a size is 0.
[[nodiscard]] inline std::array<int64_t, kMaxRank> strides_of(const Shape& shape) noexcept {
  std::array<int64_t, kMaxRank> strides{};
  uint64_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[axis] = static_cast<int64_t>(stride);
    stride *= static_cast<uint64_t>(shape[axis]);
  }
  return strides;
}

/// A shape seen from one axis: [outer, axis, inner].
struct Split {
  int64_t outer = 0;
  int64_t axis = 0;
  int64_t inner = 0;
};

/// All zero where the shape holds nothing: then there is nothing to loop over, and no product can overflow.
[[nodiscard]] inline Split split_at(const Shape& shape, int64_t axis) noexcept {
  if (shape.count() == 0) return {};
  const auto at = static_cast<int>(axis);
  return {shape.count(0, at), shape[at], shape.count(at + 1, shape.rank())};
}

}  // namespace slipway

// Nested loops over a shape, in row-major order, following N strided tensors at once.
//
// Axes that are contiguous for all N are merged, so most walks have one or two. Strides are in elements; 0 repeats an
// element (broadcasting), a negative one walks backwards. Kernels of every instruction set include this: everything is
// inlined, or made for a lambda of their own.
#pragma once

#include <cstdint>

#include "base/shape.h"

namespace slipway {

/// Tile splits every axis in two.
inline constexpr int kMaxWalkRank = 2 * kMaxRank;

/// N offsets or strides, in elements.
template <int N>
struct Steps {
  int64_t at[N];

  template <typename Index>
  [[gnu::always_inline]] constexpr int64_t operator[](Index n) const noexcept {
    return at[n];
  }
  template <typename Index>
  [[gnu::always_inline]] constexpr int64_t& operator[](Index n) noexcept {
    return at[n];
  }
};

template <int N>
class Walk {
 public:
  using Offsets = Steps<N>;

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
  [[nodiscard, gnu::always_inline]] int64_t inner_size() const noexcept { return rank_ > 0 ? sizes_[rank_ - 1] : 1; }
  [[nodiscard, gnu::always_inline]] Offsets inner_strides() const noexcept {
    return rank_ > 0 ? strides_[rank_ - 1] : Offsets{};
  }
  /// Number of innermost loops.
  [[nodiscard, gnu::always_inline]] int64_t rows() const noexcept { return count_ / inner_size(); }
  /// Strides from one innermost loop to the next.
  [[nodiscard, gnu::always_inline]] Offsets row_strides() const noexcept {
    return rank_ > 1 ? strides_[rank_ - 2] : Offsets{};
  }

  /// Calls run(i, count, offsets) for every stretch of `count` elements, from element i on, of the innermost loops that
  /// elements [begin, end) lie in.
  template <typename F>
  void for_each_run(int64_t begin, int64_t end, const F& run) const noexcept {
    for_each_stretch(rank_ - 1, begin, end, run);
  }

  /// Calls rows(i, count, offsets) for every stretch of `count` innermost loops, from the i-th on, that lie
  /// row_strides() apart, of loops [begin, end).
  template <typename F>
  void for_each_plane(int64_t begin, int64_t end, const F& rows) const noexcept {
    for_each_stretch(rank_ - 2, begin, end, rows);
  }

  /// Calls row(done, offsets) for every innermost loop; `done` elements came before it.
  template <typename F>
  void for_each_row(const F& row) const noexcept {
    for_each_run(0, count_, [&](int64_t done, int64_t, const Offsets& at) { row(done, at); });
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

  /// Items are the steps of `axis`, counted through all axes outside it.
  template <typename F>
  void for_each_stretch(int axis, int64_t begin, int64_t end, const F& f) const noexcept {
    int64_t index[kMaxWalkRank];
    Offsets at{};
    int64_t rest = begin;
    for (int i = axis; i >= 0; --i) {
      index[i] = 0;
      if (rest == 0) continue;  // a division takes as long as a short row
      index[i] = rest % sizes_[i];
      rest /= sizes_[i];
      for (int n = 0; n < N; ++n) at[n] += strides_[i][n] * index[i];
    }
    while (begin < end) {
      const int64_t left = axis >= 0 ? sizes_[axis] - index[axis] : 1;
      const int64_t count = left < end - begin ? left : end - begin;
      f(begin, count, at);
      begin += count;
      if (begin == end) return;
      for (int n = 0; n < N; ++n) at[n] -= strides_[axis][n] * index[axis];
      index[axis] = 0;
      for (int i = axis - 1; i >= 0; --i) {
        for (int n = 0; n < N; ++n) at[n] += strides_[i][n];
        if (++index[i] < sizes_[i]) break;
        for (int n = 0; n < N; ++n) at[n] -= strides_[i][n] * sizes_[i];
        index[i] = 0;
      }
    }
  }

  int rank_ = 0;
  int64_t count_ = 1;
  int64_t sizes_[kMaxWalkRank] = {};
  Offsets strides_[kMaxWalkRank] = {};
};

/// Row-major strides. Meaningless, but defined, where a size is 0.
[[nodiscard]] inline Steps<kMaxRank> strides_of(const Shape& shape) noexcept {
  Steps<kMaxRank> strides{};
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

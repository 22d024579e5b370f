// Operators that only move elements on CUDA: copies along a walk, turned tiles, strips of a tensor.
//
// Nothing here knows element types. Bytes go in units of 16, 8, 4 or 1: the largest that fits addresses and sizes.
#pragma once

#include "ops/pack.cuh"
#include "ops/walk.cuh"

namespace slipway::cuda {

inline constexpr int kMoveThreads = 256;

/// The largest unit that divides every number or-ed into `all`: sizes and strides in bytes, addresses.
[[nodiscard]] inline int64_t unit_bytes(uint64_t all) noexcept {
  return all % 16 == 0 ? 16 : all % 8 == 0 ? 8 : all % 4 == 0 ? 4 : 1;
}
[[nodiscard]] inline uint64_t address_of(const void* data) noexcept { return reinterpret_cast<uintptr_t>(data); }

/// Calls f.operator()<U>() with a U of that many bytes.
template <typename F>
void dispatch_unit(int64_t bytes, const F& f) noexcept {
  switch (bytes) {
    case 16:
      return f.template operator()<Pack<uint32_t, 4>>();
    case 8:
      return f.template operator()<uint64_t>();
    case 4:
      return f.template operator()<uint32_t>();
    default:
      return f.template operator()<uint8_t>();
  }
}
/// The same for single elements, which are never larger than 8 bytes.
template <typename F>
void dispatch_element(DType dtype, const F& f) noexcept {
  switch (size_of(dtype)) {
    case 8:
      return f.template operator()<uint64_t>();
    case 4:
      return f.template operator()<uint32_t>();
    default:
      return f.template operator()<uint8_t>();
  }
}

[[nodiscard]] inline Launch move_launch(int64_t count) noexcept {
  return {.grid = dim3(blocks_for(count, kMoveThreads)), .block = dim3(kMoveThreads)};
}

/// y[i] = x[walk]. A thread moves one unit, and goes on in strides of the grid.
/// Moves each unit once in and once out; bound by bandwidth where rows of x are contiguous, else by the sectors of 32
/// bytes that single elements waste.
/// 256 threads, 8 blocks per multiprocessor: enough loads in flight.
/// Checked against the scalar column by tests/ops.
template <typename U>
__global__ void __launch_bounds__(kMoveThreads)
    copy_walk_kernel(const __grid_constant__ DeviceWalk<1> walk, const U* __restrict__ x, U* __restrict__ y) {
  start_in_order();
  for (int64_t i = grid_thread(); i < walk.count; i += grid_threads()) y[i] = x[walk.locate(i).at[0]];
}

/// y[i] = from[walk] for every element, of whatever type.
inline void copy_walk(const OpCall& call, const void* from, const Walk<1>& walk) noexcept {
  if (walk.count() == 0) return;
  const int64_t element = size_of(call.outputs[0].dtype);
  void* y = call.outputs[0].data;
  int64_t bytes = element;
  const int inner = walk.rank() - 1;
  if (walk.rank() > 0 && walk.inner_strides()[0] == 1) {
    uint64_t all = address_of(from) | address_of(y) | static_cast<uint64_t>(walk.inner_size() * element);
    for (int axis = 0; axis < inner; ++axis) all |= static_cast<uint64_t>(walk.strides(axis)[0] * element);
    bytes = unit_bytes(all);
  }
  Walk<1> units;
  for (int axis = 0; axis < inner; ++axis) units.push_axis(walk.size(axis), {walk.strides(axis)[0] * element / bytes});
  if (inner >= 0) units.push_axis(walk.inner_size() * element / bytes, {walk.inner_strides()[0]});
  dispatch_unit(bytes, [&]<typename U>() {
    launch(call, &copy_walk_kernel<U>, move_launch(units.count()), DeviceWalk<1>(units), static_cast<const U*>(from),
           static_cast<U*>(y));
  });
}

/// y[i] = x[base + walk].
inline void copy_walk(const OpCall& call, const Walk<1>& walk, int64_t base = 0) noexcept {
  copy_walk(call, call.inputs[0].as<std::byte>() + base * size_of(call.inputs[0].dtype), walk);
}

/// y = `from`, which lies apart.
inline void copy_all(const OpCall& call, const void* from) noexcept {
  Walk<1> walk;
  walk.push_axis(call.outputs[0].shape.count(), {1});
  copy_walk(call, from, walk);
}

// ---- strips ----

/// A tensor [rows, run] that is columns [begin, begin + run) of a whole [rows, pitch].
struct Strip {
  void* data = nullptr;
  Divisor run;
  int64_t begin = 0;
};

inline constexpr int kMostStrips = 16;

/// Up to 16 strips of one whole, all in the same unit.
struct Strips {
  void* whole = nullptr;
  int64_t rows = 0;
  int64_t pitch = 0;
  bool has_large_count = false;
  Strip strips[kMostStrips];
};

/// Strips to whole (Concat) or whole to strips (Split); row y of the grid takes strip y.
/// A thread moves one unit, and goes on in strides of the grid.
/// Moves each unit once in and once out and is bound by that bandwidth.
/// 256 threads, 8 blocks per multiprocessor: enough loads in flight.
/// Checked against the scalar column by tests/ops.
template <typename U, bool kToWhole>
__global__ void __launch_bounds__(kMoveThreads) move_strips_kernel(const __grid_constant__ Strips all) {
  start_in_order();
  const Strip& strip = all.strips[blockIdx.y];
  U* const part = static_cast<U*>(strip.data);
  U* const whole = static_cast<U*>(all.whole) + strip.begin;
  const int64_t count = all.rows * strip.run.size;
  for (int64_t i = grid_thread(); i < count; i += grid_threads()) {
    const int64_t row = divide(i, strip.run, all.has_large_count);
    const int64_t at = row * all.pitch + i - row * strip.run.size;
    if (kToWhole) {
      whole[at] = part[i];
    } else {
      part[i] = whole[at];
    }
  }
}

/// Gathers strips, all sizes in bytes, and moves them when there are enough or no more.
template <bool kToWhole>
class StripMover {
 public:
  StripMover(const OpCall& call, const void* whole, int64_t rows, int64_t pitch) noexcept
      : call_(call), whole_(const_cast<void*>(whole)), rows_(rows), pitch_(pitch) {}

  void add(const void* data, int64_t run, int64_t begin) noexcept {
    if (rows_ * run == 0) return;
    data_[count_] = const_cast<void*>(data);
    runs_[count_] = run;
    begins_[count_] = begin;
    if (++count_ == kMostStrips) move();
  }

  void move() noexcept {
    if (count_ == 0) return;
    uint64_t all = address_of(whole_) | static_cast<uint64_t>(pitch_);
    int64_t longest = 0;
    for (int i = 0; i < count_; ++i) {
      all |= address_of(data_[i]) | static_cast<uint64_t>(runs_[i]) | static_cast<uint64_t>(begins_[i]);
      longest = runs_[i] > longest ? runs_[i] : longest;
    }
    const int64_t unit = unit_bytes(all);
    Strips strips;
    strips.whole = whole_;
    strips.rows = rows_;
    strips.pitch = pitch_ / unit;
    strips.has_large_count = is_large(rows_ * longest / unit);
    for (int i = 0; i < count_; ++i) {
      strips.strips[i] = {data_[i], divisor_of(runs_[i] / unit, strips.has_large_count), begins_[i] / unit};
    }
    Launch how = move_launch(rows_ * longest / unit);
    how.grid.y = static_cast<unsigned>(count_);
    dispatch_unit(unit, [&]<typename U>() { launch(call_, &move_strips_kernel<U, kToWhole>, how, strips); });
    count_ = 0;
  }

 private:
  const OpCall& call_;
  void* whole_;
  int64_t rows_;
  int64_t pitch_;
  int count_ = 0;
  void* data_[kMostStrips] = {};
  int64_t runs_[kMostStrips] = {};
  int64_t begins_[kMostStrips] = {};
};

}  // namespace slipway::cuda

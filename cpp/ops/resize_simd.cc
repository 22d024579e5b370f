// Resize of float32: rows of x are resized along the last axis, each once for all rows of y in a row that are made of
// it, and added up vector by vector; where rows become fewer, added up first. Sums are of float32.
#include "ops/call.h"
#include "ops/resize.h"
#include "simd/map.h"

namespace slipway {

namespace scalar {

void resize(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

namespace {

constexpr int64_t kTapsPerNanosecond = 2;

/// The numbers at x[from[i]].
[[gnu::always_inline]] inline Vec gather(const float* x, const int32_t* from) noexcept {
#if defined(__x86_64__) && SLIPWAY_LANES == 16
  return _mm512_mask_i32gather_ps(Vec{}, kAllLanes, _mm512_loadu_si512(from), x, 4);
#elif defined(__x86_64__) && SLIPWAY_LANES == 8
  return _mm256_i32gather_ps(x, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)), 4);
#else
  Vec v{};
  for (int64_t i = 0; i < kLanes; ++i) v[i] = x[from[i]];
  return v;
#endif
}

/// One row of x, whose places of the last axis are single numbers, becomes one of y's length.
template <int Taps>
void resize_numbers(const ResizeRows& rows, const float* x, float* y) noexcept {
  for (int64_t i = 0; i < rows.count; i += kLanes) {
    Vec sum = Taps == 1 ? gather(x, rows.from + i) : Vec{};
#pragma GCC unroll 4
    for (int64_t k = 0; k < (Taps == 1 ? 0 : Taps); ++k) {
      const Vec weight = load(rows.weight + k * rows.padded + i);
      const Vec number = gather(x, rows.from + k * rows.padded + i);
      sum = fma(weight, weight != 0.0f ? number : Vec{}, sum);  // nothing of infinity is nothing
    }
    const int64_t left = rows.count - i;
    if (left < kLanes) return store_first(y + i, sum, left);
    store(y + i, sum);
  }
}

/// The same where several numbers stand at each place.
void resize_groups(const ResizeRows& rows, const float* x, float* y) noexcept {
  for (int64_t at = 0; at < rows.count; ++at, y += rows.inner) {
    if (rows.is_nearest) {
      __builtin_memcpy(y, x + rows.from[at], static_cast<size_t>(rows.inner) * sizeof(float));
      continue;
    }
    for (int64_t i = 0; i < rows.inner; i += kLanes) {
      const int64_t left = rows.inner - i;
      Vec sum{};
      for (int64_t k = 0; k < rows.taps; ++k) {
        const float weight = rows.weight[k * rows.padded + at];
        const float* from = x + rows.from[k * rows.padded + at] + i;
        if (weight != 0.0f) sum = fma(broadcast(weight), left < kLanes ? load_first(from, left) : load(from), sum);
      }
      left < kLanes ? store_first(y + i, sum, left) : store(y + i, sum);
    }
  }
}

void resize_row(const ResizeRows& rows, const float* x, float* y) noexcept {
  if (rows.inner > 1) return resize_groups(rows, x, y);
  if (rows.taps == 1) return resize_numbers<1>(rows, x, y);
  if (rows.taps == 2) return resize_numbers<2>(rows, x, y);
  resize_numbers<4>(rows, x, y);
}

/// The rows of x, where they begin, that a row of y is made of.
struct Sources {
  int64_t from[kMostResizeSources];
  double weight[kMostResizeSources];
  int count = 0;

  [[nodiscard]] bool have(int64_t row) const noexcept {
    for (int i = 0; i < count; ++i) {
      if (from[i] == row) return true;
    }
    return false;
  }
};

Sources sources_of(const ResizeRows& rows, int64_t row) noexcept {
  int64_t at[kMaxRank];
  for (int axis = rows.outer_axes - 1; axis >= 0; --axis) {
    at[axis] = row % rows.outer[axis].count;
    row /= rows.outer[axis].count;
  }
  Sources sources;
  sources.from[0] = 0;
  sources.weight[0] = 1.0;
  sources.count = 1;
  for (int axis = 0; axis < rows.outer_axes; ++axis) {
    const ResizeAxis& own = rows.outer[axis];
    const Sources before = sources;
    sources.count = 0;
    for (int i = 0; i < before.count; ++i) {
      for (int k = 0; k < (own.taps == 0 ? 1 : own.taps); ++k) {
        const ResizeTap tap = tap_of(own, rows.table, at[axis], k);
        if (tap.weight == 0.0) continue;
        sources.from[sources.count] = before.from[i] + tap.from;
        sources.weight[sources.count++] = before.weight[i] * tap.weight;
      }
    }
  }
  return sources;
}

/// Rows of x that have been resized, of which a row of y and the next one have most in common.
class Resized final {
 public:
  Resized(const ResizeRows& rows, const float* x, float* memory) noexcept : rows_(rows), x_(x), memory_(memory) {
    for (int64_t& row : held_) row = -1;
  }

  /// That row of x, put where none of `sources` stands.
  const float* row(int64_t from, const Sources& sources) noexcept {
    int free = 0;
    for (int slot = 0; slot < rows_.sources; ++slot) {
      if (held_[slot] == from) return at(slot);
      if (!sources.have(held_[slot])) free = slot;
    }
    held_[free] = from;
    resize_row(rows_, x_ + from, at(free));
    return at(free);
  }

 private:
  [[nodiscard]] float* at(int slot) const noexcept { return memory_ + slot * rows_.row(); }

  const ResizeRows& rows_;
  const float* x_;
  float* memory_;
  int64_t held_[kMostResizeSources];
};

void add_rows(const float* const* from, const Sources& sources, int64_t count, float* y) noexcept {
  for (int64_t i = 0; i < count; i += kLanes) {
    const int64_t left = count - i;
    Vec sum{};
    for (int k = 0; k < sources.count; ++k) {
      const Vec row = left < kLanes ? load_first(from[k] + i, left) : load(from[k] + i);
      sum = fma(broadcast(static_cast<float>(sources.weight[k])), row, sum);
    }
    left < kLanes ? store_first(y + i, sum, left) : store(y + i, sum);
  }
}

/// Rows [begin, end) of y.
void resize_rows(const ResizeRows& rows, int64_t begin, int64_t end, const float* x, float* memory, float* y) noexcept {
  Resized resized(rows, x, memory);
  int64_t last = -1;  // what the row before is, where it is a row of x and nothing else
  for (int64_t r = begin; r < end; ++r) {
    float* out = y + r * rows.row();
    const Sources sources = sources_of(rows, r);
    const bool is_one = sources.count == 1 && sources.weight[0] == 1.0;
    if (is_one && sources.from[0] == last) {
      __builtin_memcpy(out, out - rows.row(), static_cast<size_t>(rows.row()) * sizeof(float));
      continue;
    }
    last = is_one ? sources.from[0] : -1;
    if (is_one) {
      resize_row(rows, x + sources.from[0], out);
      continue;
    }
    const float* from[kMostResizeSources];
    if (rows.adds_first) {
      for (int k = 0; k < sources.count; ++k) from[k] = x + sources.from[k];
      add_rows(from, sources, rows.source, memory);
      resize_row(rows, memory, out);
    } else {
      for (int k = 0; k < sources.count; ++k) from[k] = resized.row(sources.from[k], sources);
      add_rows(from, sources, rows.row(), out);
    }
  }
}

}  // namespace

void resize(const OpCall& call) noexcept {
  const ResizeRows* rows = call.as<ResizePrepared>().rows;
  if (rows == nullptr || call.outputs[0].shape.count() == 0) return scalar::resize(call);
  const float* x = call.inputs[0].as<float>();
  float* y = call.outputs[0].as<float>();
  const int64_t work = rows->sources * rows->row() * (rows->rows / rows->slots + 1);
  parallel_for(call.pool, rows->slots, grain_of(work, kTapsPerNanosecond), [&](int64_t begin, int64_t end) {
    float* memory = reinterpret_cast<float*>(call.scratch) + begin * rows->slot();
    resize_rows(*rows, begin * rows->rows / rows->slots, end * rows->rows / rows->slots, x, memory, y);
  });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway

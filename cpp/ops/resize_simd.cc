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

/// The same of numbers of a row of `size`, `from` not falling: neighbours of each other, mostly, which one vector
/// holds.
[[gnu::always_inline]] inline Vec pick(const float* x, int64_t size, const int32_t* from, int64_t count) noexcept {
#if defined(__x86_64__) && SLIPWAY_LANES >= 8
  const int64_t first = from[0];
  const int64_t left = size - first;
  if (from[(count < kLanes ? count : kLanes) - 1] - first >= kLanes) return gather(x, from);
  const Vec window = left < kLanes ? load_first(x + first, left) : load(x + first);
#if SLIPWAY_LANES == 16
  const __m512i at = _mm512_sub_epi32(_mm512_loadu_si512(from), _mm512_set1_epi32(from[0]));
  return _mm512_maskz_permutexvar_ps(kAllLanes, at, window);
#else
  const __m256i at = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return _mm256_permutevar8x32_ps(window, _mm256_sub_epi32(at, _mm256_set1_epi32(from[0])));
#endif
#else
  (void)size;
  (void)count;
  return gather(x, from);
#endif
}

void copy_numbers(const float* x, int64_t count, float* y) noexcept {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(y + i, load(x + i));
  for (; i < count; ++i) y[i] = x[i];
}

/// y = every number of x twice, `count` in all, an even number.
void double_numbers(const float* x, int64_t count, float* y) noexcept {
  int64_t i = 0;
  for (; i + 2 * kLanes <= count; i += 2 * kLanes) {
    const Vec numbers = load(x + i / 2);
    store(y + i, interleave_low(numbers, numbers));
    store(y + i + kLanes, interleave_high(numbers, numbers));
  }
  for (; i < count; i += 2) y[i] = y[i + 1] = x[i / 2];
}

/// One row of x, whose places of the last axis are single numbers, becomes one of y's length.
template <int Taps>
void resize_numbers(const ResizeRows& rows, const float* x, float* y) noexcept {
  for (int64_t i = 0; i < rows.count; i += kLanes) {
    const int64_t left = rows.count - i;
    Vec sum = Taps == 1 ? pick(x, rows.source, rows.from + i, left) : Vec{};
#pragma GCC unroll 4
    for (int64_t k = 0; k < (Taps == 1 ? 0 : Taps); ++k) {
      const Vec weight = load(rows.weight + k * rows.padded + i);
      const Vec number = pick(x, rows.source, rows.from + k * rows.padded + i, left);
      sum = fma(weight, weight != 0.0f ? number : Vec{}, sum);  // nothing of infinity is nothing
    }
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
  if (rows.doubles) return double_numbers(x, rows.count, y);
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

/// A row of y by its places along the outer axes.
class Place final {
 public:
  Place(const ResizeRows& rows, int64_t row) noexcept : rows_(rows) {
    for (int axis = rows.outer_axes - 1; axis >= 0; --axis) {
      at_[axis] = row % rows.outer[axis].count;
      row /= rows.outer[axis].count;
    }
  }

  void advance() noexcept {
    for (int axis = rows_.outer_axes - 1; axis >= 0; --axis) {
      if (++at_[axis] < rows_.outer[axis].count) return;
      at_[axis] = 0;
    }
  }

  /// The only row of x that it is made of, in mode nearest.
  [[nodiscard]] int64_t source() const noexcept {
    int64_t from = 0;
    for (int axis = 0; axis < rows_.outer_axes; ++axis)
      from += tap_of(rows_.outer[axis], rows_.table, at_[axis], 0).from;
    return from;
  }

  [[nodiscard]] Sources sources() const noexcept {
    Sources all;
    all.from[0] = 0;
    all.weight[0] = 1.0;
    all.count = 1;
    for (int axis = 0; axis < rows_.outer_axes; ++axis) {
      const ResizeAxis& own = rows_.outer[axis];
      if (own.taps == 0) {
        for (int i = 0; i < all.count; ++i) all.from[i] += at_[axis] * own.stride;
      } else {
        multiply(rows_.table + own.first + at_[axis] * own.taps, own.taps, all);
      }
    }
    return all;
  }

 private:
  /// Each with each, but for weights of 0.
  static void multiply(const ResizeTap* taps, int count, Sources& all) noexcept {
    int64_t from[kMostResizeSources];
    double weight[kMostResizeSources];
    const int before = all.count;
    for (int i = 0; i < before; ++i) {
      from[i] = all.from[i];
      weight[i] = all.weight[i];
    }
    all.count = 0;
    for (int i = 0; i < before; ++i) {
      for (int k = 0; k < count; ++k) {
        if (taps[k].weight == 0.0) continue;
        all.from[all.count] = from[i] + taps[k].from;
        all.weight[all.count++] = weight[i] * taps[k].weight;
      }
    }
  }

  const ResizeRows& rows_;
  int64_t at_[kMaxRank];
};

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

/// Rows [begin, end) of y in mode nearest, many of which are like the row before.
void take_rows(const ResizeRows& rows, int64_t begin, int64_t end, const float* x, float* y) noexcept {
  int64_t last = -1;
  Place place(rows, begin);
  float* out = y + begin * rows.row();
  for (int64_t r = begin; r < end; ++r, place.advance(), out += rows.row()) {
    const int64_t from = place.source();
    from == last ? copy_numbers(out - rows.row(), rows.row(), out) : resize_row(rows, x + from, out);
    last = from;
  }
}

/// Rows [begin, end) of y in another mode.
void resize_rows(const ResizeRows& rows, int64_t begin, int64_t end, const float* x, float* memory, float* y) noexcept {
  Resized resized(rows, x, memory);
  Place place(rows, begin);
  for (int64_t r = begin; r < end; ++r, place.advance()) {
    float* out = y + r * rows.row();
    const Sources sources = place.sources();
    if (sources.count == 1 && sources.weight[0] == 1.0) {
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
    const int64_t first = begin * rows->rows / rows->slots;
    const int64_t last = end * rows->rows / rows->slots;
    rows->is_nearest ? take_rows(*rows, first, last, x, y) : resize_rows(*rows, first, last, x, memory, y);
  });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway

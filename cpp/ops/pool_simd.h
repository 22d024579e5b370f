// Pooling in two steps for every row of outputs: the window's lines, column by column, go to a buffer on the stack, as
// if the padding held F::kNothing; then the taps along the buffer. Windows of 2x2 that lie side by side need no buffer.
//
// F is how two values become one: F::fold(a, b), of vectors and of numbers, F::kRounds, true where that rounds, and
// F::kNothing, which changes nothing; and what becomes of a window of pairs, F::finish_pairs(x), or of a row of other
// windows, F::finish_row(pool, lines, out).
#pragma once

#include "ops/pool.h"
#include "simd/vec.h"

namespace slipway::SLIPWAY_ISA {

namespace {

constexpr int64_t kValuesPerNanosecond = 8;
/// Columns that the buffer holds.
constexpr int64_t kColumns = 1024;
/// Vectors read beyond what they need, at most this far.
constexpr int64_t kSlack = 2 * kLanes;
/// Lines, and columns, of a window that are summed one after the other. Of larger windows they are summed half by half,
/// so that errors grow with their logarithm.
constexpr int64_t kFewTaps = 16;

/// Every second of the values in a and then b, from value First on.
template <int First>
[[gnu::always_inline]] inline Vec every_second(Vec a, Vec b) noexcept {
#if defined(__clang__)  // has no __builtin_shuffle, and makes a shuffle of the loop
  Vec second{};
  for (int64_t i = 0; i < kLanes / 2; ++i) second[i] = a[2 * i + First];
  for (int64_t i = 0; i < kLanes / 2; ++i) second[kLanes / 2 + i] = b[2 * i + First];
  return second;
#else
  VecInt places{};
  for (int i = 0; i < kLanes; ++i) places[i] = 2 * i + First;
  return __builtin_shuffle(a, b, places);
#endif
}

/// p[0], p[2], p[4], ...
[[gnu::always_inline]] inline Vec load_even(const float* p) noexcept {
  return every_second<0>(load(p), load(p + kLanes));
}

/// columns = N lines, and what stands there unless IsFirst, one after the other. Writes up to a vector more.
template <typename F, bool IsFirst, int N>
void fold_lines(const float* const* lines, int64_t count, float* columns) noexcept {
  const auto fold = [&](int64_t i, const auto& read) {
    Vec value = IsFirst ? broadcast(F::kNothing) : load(columns + i);
#pragma GCC unroll 3
    for (int n = 0; n < N; ++n) value = F::fold(value, read(lines[n] + i));
    store(columns + i, value);
  };
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) fold(i, [](const float* from) { return load(from); });
  if (i < count) fold(i, [&](const float* from) { return load_first(from, count - i); });
}

template <typename F, bool IsFirst>
void fold_lines(const float* const* lines, int number, int64_t count, float* columns) noexcept {
  if (number == 3) return fold_lines<F, IsFirst, 3>(lines, count, columns);
  if (number == 2) return fold_lines<F, IsFirst, 2>(lines, count, columns);
  if (number == 1) fold_lines<F, IsFirst, 1>(lines, count, columns);
}

/// The window's lines for one row of outputs; those in the padding are left out.
struct Lines {
  const WindowAxis& d;
  const WindowAxis& h;
  const WindowAxis& w;
  int64_t i;  ///< of the output, along d
  int64_t j;  ///< along h

  [[nodiscard]] Taps planes() const noexcept { return taps_within(d, i, d.input); }
  [[nodiscard]] Taps rows() const noexcept { return taps_within(h, j, h.input); }

  /// Where the lines begin; returns how many there are.
  int64_t list(const float* x, const float** from) const noexcept {
    const Taps all_planes = planes();
    const Taps all_rows = rows();
    int64_t number = 0;
    for (int64_t p = all_planes.begin; p < all_planes.end; ++p) {
      for (int64_t r = all_rows.begin; r < all_rows.end; ++r) from[number++] = line(x, p, r);
    }
    return number;
  }

  [[nodiscard]] const float* line(const float* x, int64_t plane, int64_t row) const noexcept {
    const int64_t z = i * d.stride - d.begin + plane * d.dilation;
    const int64_t y = j * h.stride - h.begin + row * h.dilation;
    return x + (z * h.input + y) * w.input;
  }

  /// columns[c] = all lines, of these planes and rows, at position first + c.
  template <typename F>
  void gather(const float* x, const Taps& planes, const Taps& rows, int64_t first, int64_t count,
              float* columns) const noexcept {
    const auto fill = [columns](int64_t from, int64_t to) {
      for (int64_t c = from; c < to; ++c) columns[c] = F::kNothing;
    };
    const int64_t begin = first < 0 ? -first : 0;
    const int64_t end = w.input - first < count ? w.input - first : count;
    if (begin >= end || planes.begin == planes.end || rows.begin == rows.end) return fill(0, count + kSlack);
    fill(0, begin);
    const float* lines[3];
    int number = 0;
    bool is_first = true;
    const auto fold = [&] {
      if (is_first) {
        fold_lines<F, true>(lines, number, end - begin, columns + begin);
      } else {
        fold_lines<F, false>(lines, number, end - begin, columns + begin);
      }
      is_first = false;
      number = 0;
    };
    for (int64_t p = planes.begin; p < planes.end; ++p) {
      for (int64_t r = rows.begin; r < rows.end; ++r) {
        lines[number++] = line(x, p, r) + first + begin;
        if (number == 3) fold();
      }
    }
    fold();
    fill(end, count + kSlack);
  }

  /// The same, half by half.
  template <typename F>
  void gather_halves(const float* x, const Taps& planes, const Taps& rows, int64_t first, int64_t count,
                     float* columns) const noexcept {
    const int64_t depth = planes.end - planes.begin;
    const int64_t height = rows.end - rows.begin;
    if (depth * height <= kFewTaps) return gather<F>(x, planes, rows, first, count, columns);
    const Taps& cut = depth > height ? planes : rows;
    const Taps before{cut.begin, (cut.begin + cut.end) / 2};
    const Taps after{before.end, cut.end};
    alignas(64) float others[kColumns + kSlack];
    gather_halves<F>(x, depth > height ? before : planes, depth > height ? rows : before, first, count, columns);
    gather_halves<F>(x, depth > height ? after : planes, depth > height ? rows : after, first, count, others);
    const float* const lines[] = {others};
    fold_lines<F, false, 1>(lines, count, columns);
  }
};

/// out[o] = columns[o * Stride + k * dilation] over the taps k.
template <typename F, int Stride>
void pool_columns(const WindowAxis& w, const float* columns, int64_t count, float* out) noexcept {
  for (int64_t o = 0; o < count; o += kLanes) {
    Vec value = broadcast(F::kNothing);
    for (int64_t k = 0; k < w.kernel; ++k) {
      const float* p = columns + o * Stride + k * w.dilation;
      value = F::fold(value, Stride == 1 ? load(p) : load_even(p));
    }
    if (count - o >= kLanes) {
      store(out + o, value);
    } else {
      store_first(out + o, value, count - o);
    }
  }
}

template <typename F>
void pool_columns_one_by_one(const WindowAxis& w, const float* columns, int64_t count, float* out) noexcept {
  for (int64_t o = 0; o < count; ++o) {
    float value = F::kNothing;
    for (int64_t k = 0; k < w.kernel; ++k) value = F::fold(value, columns[o * w.stride + k * w.dilation]);
    out[o] = value;
  }
}

/// read(k) for taps [first, first + count), half by half.
template <typename F, typename Value, typename Read>
Value fold_halves(Value nothing, int64_t first, int64_t count, const Read& read) noexcept {
  if (count > kFewTaps) {
    const int64_t half = count / 2;
    const Value before = fold_halves<F>(nothing, first, half, read);
    return F::fold(before, fold_halves<F>(nothing, first + half, count - half, read));
  }
  Value value = nothing;
  for (int64_t k = first; k < first + count; ++k) value = F::fold(value, read(k));
  return value;
}

/// As pool_columns() with any stride, half by half.
template <typename F>
void pool_column_halves(const WindowAxis& w, const float* columns, int64_t count, float* out) noexcept {
  int64_t o = 0;
  for (; w.stride == 1 && o + kLanes <= count; o += kLanes) {
    const auto read = [&](int64_t k) { return load(columns + o + k * w.dilation); };
    store(out + o, fold_halves<F>(broadcast(F::kNothing), 0, w.kernel, read));
  }
  for (; o < count; ++o) {
    const auto read = [&](int64_t k) { return columns[o * w.stride + k * w.dilation]; };
    out[o] = fold_halves<F>(F::kNothing, 0, w.kernel, read);
  }
}

/// a[1], ..., a[kLanes - 1], b[0].
[[gnu::always_inline]] inline Vec next_lanes(Vec a, Vec b) noexcept {
#if SLIPWAY_LANES == 16
  return __builtin_shufflevector(a, b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
#elif SLIPWAY_LANES == 8
  return __builtin_shufflevector(a, b, 1, 2, 3, 4, 5, 6, 7, 8);
#else
  return __builtin_shufflevector(a, b, 1, 2, 3, 4);
#endif
}

/// Windows of three columns, two apart, of few lines: without a buffer.
template <typename F>
void pool_threes(const Lines& lines, const float* x, float* out) noexcept {
  const WindowAxis& w = lines.w;
  const float* from[kFewTaps];
  const int64_t number = lines.list(x, from);
  // Kept in order: all lines of a column, then columns.
  const auto columns = [&](int64_t first) {
    Vec value = broadcast(F::kNothing);
    if (first >= 0 && first + kLanes <= w.input) {
      for (int64_t n = 0; n < number; ++n) value = F::fold(value, load(from[n] + first));
      return value;
    }
    VecInt places{};
    for (int i = 0; i < kLanes; ++i) places[i] = i;
    places += static_cast<int32_t>(first);
    const VecInt is_inside = (places >= 0) & (places < static_cast<int32_t>(w.input));
    for (int64_t n = 0; n < number; ++n) {
      const Vec line = load_inside(from[n], first, w.input);
      value = F::fold(value, is_inside ? line : broadcast(F::kNothing));
    }
    return value;
  };
  int64_t first = -w.begin;
  Vec low = columns(first);
  for (int64_t o = 0; o < w.output; o += kLanes, first += 2 * kLanes) {
    const Vec high = columns(first + kLanes);
    const Vec next = columns(first + 2 * kLanes);
    const Vec even = every_second<0>(low, high);
    const Vec two = F::fold(F::fold(broadcast(F::kNothing), even), every_second<1>(low, high));
    const Vec value = F::fold(two, next_lanes(even, next));
    w.output - o >= kLanes ? store(out + o, value) : store_first(out + o, value, w.output - o);
    low = next;
  }
}

/// Whether that serves; places are of 32 bits there.
bool is_of_threes(const Lines& lines) noexcept {
  constexpr int64_t kFar = int64_t{1} << 29;
  const WindowAxis& w = lines.w;
  const bool is_near = w.begin < kFar && w.input < kFar && w.output < kFar;
  return is_near && w.kernel == 3 && w.stride == 2 && w.dilation == 1 && lines.d.kernel * lines.h.kernel <= kFewTaps;
}

template <typename F, bool kIsLarge>
void pool_row(const Lines& lines, const float* x, float* out) noexcept {
  const WindowAxis& w = lines.w;
  if (!kIsLarge && is_of_threes(lines)) return pool_threes<F>(lines, x, out);
  alignas(64) float columns[kColumns + kSlack];
  const int64_t extent = (w.kernel - 1) * w.dilation + 1;
  const int64_t chunk = (kColumns - extent) / w.stride + 1;
  for (int64_t o = 0; o < w.output; o += chunk) {
    const int64_t count = w.output - o < chunk ? w.output - o : chunk;
    const int64_t first = o * w.stride - w.begin;
    const int64_t read = (count - 1) * w.stride + extent;
    if constexpr (kIsLarge) {
      lines.gather_halves<F>(x, lines.planes(), lines.rows(), first, read, columns);
      pool_column_halves<F>(w, columns, count, out + o);
      continue;
    }
    lines.gather<F>(x, lines.planes(), lines.rows(), first, read, columns);
    if (w.stride == 1) {
      pool_columns<F, 1>(w, columns, count, out + o);
    } else if (w.stride == 2) {
      pool_columns<F, 2>(w, columns, count, out + o);
    } else {
      pool_columns_one_by_one<F>(w, columns, count, out + o);
    }
  }
}

/// Windows of 2x2 side by side, without padding; what is left over at the end of a line is not read.
bool is_paired(const Window& window) noexcept {
  const auto& [d, h, w] = window.axes;
  const bool is_flat = d.kernel == 1 && d.stride == 1 && d.begin == 0 && d.output == d.input;
  const auto is_pair = [](const WindowAxis& axis) {
    return axis.kernel == 2 && axis.stride == 2 && axis.dilation == 1 && axis.begin == 0 &&
           2 * axis.output <= axis.input;
  };
  return is_flat && is_pair(h) && is_pair(w);
}

/// One row of outputs from two lines. Whole vectors are read where `readable` values begin at `line`, and written where
/// `room` values begin at `out`; both may reach beyond the row.
template <typename F>
void pool_pairs(const float* line, int64_t width, int64_t readable, int64_t count, int64_t room, float* out) noexcept {
  for (int64_t o = 0; o < count; o += kLanes) {
    if (width + 2 * (o + kLanes) <= readable && o + kLanes <= room) {
      const float* p = line + 2 * o;
      const Vec first = F::fold(load(p), load(p + width));
      const Vec second = F::fold(load(p + kLanes), load(p + width + kLanes));
      store(out + o, F::finish_pairs(F::fold(every_second<0>(first, second), every_second<1>(first, second))));
      continue;
    }
    for (int64_t i = o; i < count && i < o + kLanes; ++i) {
      const float* p = line + 2 * i;
      out[i] = F::finish_pairs(F::fold(F::fold(p[0], p[width]), F::fold(p[1], p[width + 1])));
    }
  }
}

/// Planes [begin, end), each row after the other: what a vector writes beyond its row is written again.
template <typename F>
void pool_pairs(const OpCall& call, const PoolCall& pool, int64_t begin, int64_t end) noexcept {
  const auto& [d, h, w] = pool.window.axes;
  const float* x = call.inputs[0].as<float>() + begin * pool.window.inputs();
  float* out = call.outputs[0].as<float>() + begin * pool.window.outputs();
  int64_t readable = (end - begin) * pool.window.inputs();
  int64_t room = (end - begin) * pool.window.outputs();
  for (int64_t plane = begin * d.input; plane < end * d.input; ++plane) {
    for (int64_t j = 0; j < h.output; ++j, out += w.output, room -= w.output) {
      const int64_t at = 2 * j * w.input;
      pool_pairs<F>(x + at, w.input, readable - at, w.output, room, out);
    }
    x += h.input * w.input;
    readable -= h.input * w.input;
  }
}

/// Whether the rows fit the buffer.
bool fits(const PoolCall& pool) noexcept {
  const WindowAxis& w = pool.window.axes[2];
  return (w.kernel - 1) * w.dilation < kColumns;
}

/// Every window; the input is float32.
template <typename F>
void pool(const OpCall& call) noexcept {
  const auto& pool = call.as<PoolCall>();
  const WindowAxis& d = pool.window.axes[0];
  const WindowAxis& h = pool.window.axes[1];
  const WindowAxis& w = pool.window.axes[2];
  const bool is_large = d.kernel * h.kernel > kFewTaps || w.kernel > kFewTaps;
  const auto body = [&](int64_t begin, int64_t end) {
    if (is_paired(pool.window)) return pool_pairs<F>(call, pool, begin, end);
    for (int64_t plane = begin; plane < end; ++plane) {
      const float* x = call.inputs[0].as<float>() + plane * pool.window.inputs();
      float* out = call.outputs[0].as<float>() + plane * pool.window.outputs();
      for (int64_t i = 0; i < d.output; ++i) {
        for (int64_t j = 0; j < h.output; ++j, out += w.output) {
          const Lines lines{d, h, w, i, j};
          if (F::kRounds && is_large) {
            pool_row<F, F::kRounds>(lines, x, out);
          } else {
            pool_row<F, false>(lines, x, out);
          }
          F::finish_row(pool, lines, out);
        }
      }
    }
  };
  const int64_t work = pool.window.outputs() * pool.window.taps();
  parallel_for(call.pool, pool.planes, grain_of(work, kValuesPerNanosecond), body);
}

}  // namespace

}  // namespace slipway::SLIPWAY_ISA

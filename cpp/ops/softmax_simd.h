// Softmax and LogSoftmax of float32. Lanes are elements of one row where the axis is the last one, else neighbours
// whose axes run in parallel, were it only one: a row has the same bits alone and in a batch that comes last. x - m is
// kept in two parts, since e^x would make of its rounding many units in the last place.
#pragma once

#include "ops/softmax.h"
#include "simd/math.h"

namespace slipway::SLIPWAY_ISA {
namespace {

/// One exp or two per element.
constexpr int64_t kExpsPerNanosecond = 1;

/// One axis of x and y: `whole` vectors of `lanes` elements, `step` apart, then one of `rest`, unless that is 0.
struct Strip {
  const float* x;
  float* y;
  int64_t whole;
  int64_t step;
  int64_t lanes;
  int64_t rest;

  /// Two vectors, the second of which has no elements where there is an odd number of them.
  struct Place {
    int64_t first;
    int64_t second;
    int64_t first_lanes;
    int64_t second_lanes;
  };

  /// f(place) for all, so that maxima and sums of two vectors stand side by side: one waits long for its next number.
  template <typename F>
  [[gnu::always_inline]] void for_each(const F& f) const noexcept {
    int64_t i = 0;
    for (; i + 2 <= whole; i += 2) f(Place{i * step, (i + 1) * step, lanes, lanes});
    if (i < whole) return f(Place{i * step, whole * step, lanes, rest});
    if (rest > 0) f(Place{whole * step, 0, rest, 0});
  }
  [[nodiscard, gnu::always_inline]] Pair read(const Place& place) const noexcept {
    return {read(place.first, place.first_lanes), read(place.second, place.second_lanes)};
  }
  [[gnu::always_inline]] void write(const Place& place, const Pair& value) const noexcept {
    write(place.first, value.first, place.first_lanes);
    write(place.second, value.second, place.second_lanes);
  }

 private:
  /// Lanes that do not exist are minus infinity, which changes neither a maximum nor a sum of exponentials.
  [[nodiscard, gnu::always_inline]] Vec read(int64_t at, int64_t count) const noexcept {
    if (count == kLanes) return load(x + at);
    VecInt places{};
    for (int i = 0; i < kLanes; ++i) places[i] = i;
    return places < static_cast<int32_t>(count) ? load_first(x + at, count) : broadcast(-__builtin_inff());
  }
  [[gnu::always_inline]] void write(int64_t at, Vec value, int64_t count) const noexcept {
    if (count == kLanes) return store(y + at, value);
    store_first(y + at, value, count);
  }
};

/// x - m = high + low without rounding (Knuth, The Art of Computer Programming 2, 4.2.2, theorem B).
struct Difference {
  Pair high;
  Pair low;

  [[gnu::always_inline]] Difference(const Pair& x, const Pair& m) noexcept : high(x - m), low(Vec{}) {
    const Pair minus = high - x;
    const Pair error = (x - (high - minus)) - (m + minus);
    // An infinite difference has none.
    low = {high.first > -200.0f ? error.first : broadcast(0.0f),
           high.second > -200.0f ? error.second : broadcast(0.0f)};
  }
  /// Of a difference that is not positive; below -104 it rounds to zero.
  [[nodiscard, gnu::always_inline]] Pair exp() const noexcept {
    const Pair e = exp_below(high);
    return fma(e, low, e);
  }
};

/// The sum of many that are not negative, with what rounding lost carried along (Kahan 1965).
class CarriedSum {
 public:
  [[gnu::always_inline]] void add(const Pair& x) noexcept {
    const Pair term = x - excess_;
    const Pair next = sum_ + term;
    excess_ = (next - sum_) - term;
    sum_ = next;
  }
  /// Of a row's lanes, in all of them.
  template <bool IsRow>
  [[nodiscard, gnu::always_inline]] Vec value() const noexcept {
    const Vec sum = sum_.first + sum_.second;
    return IsRow ? join_lanes(sum, [](Vec a, Vec b) { return a + b; }) : sum;
  }

 private:
  Pair sum_{Vec{}};
  Pair excess_{Vec{}};
};

template <bool IsRow>
[[gnu::always_inline]] inline Vec largest_of(const Strip& strip) noexcept {
  Pair parts(broadcast(-__builtin_inff()));
  strip.for_each([&](const Strip::Place& place) { parts = max(parts, strip.read(place)); });
  const Vec largest = max(parts.first, parts.second);
  return IsRow ? join_lanes(largest, [](Vec a, Vec b) { return max(a, b); }) : largest;
}

/// Rows whose maxima, then sums, then results are taken together: those of one row wait for each other, those of
/// several do not. Fewer where they would not stay in the first cache. Neighbours, which lie far apart, are taken
/// alone.
constexpr int64_t kStrips = 8;
constexpr int64_t kStripElements = 2048;

/// For every row, or vector of neighbours: write(strip, sum.operator()<IsRow>(strip, its largest number)).
template <typename Sum, typename Write>
void for_each_strip(const OpCall& call, const Sum& sum, const Write& write) noexcept {
  const auto& softmax = call.as<SoftmaxCall>();
  const int64_t axis = softmax.split.axis;
  const int64_t inner = softmax.split.inner;
  const float* x = call.inputs[0].as<float>();
  float* y = call.outputs[0].as<float>();
  const auto run = [&]<bool IsRow>(int64_t count, int64_t elements, const auto& strip_at) {
    const int64_t fitting = IsRow && elements > 0 ? kStripElements / elements : 1;
    const int64_t together = fitting < 1 ? 1 : fitting < kStrips ? fitting : kStrips;
    parallel_for(call.pool, count, grain_of(elements, kExpsPerNanosecond), [&](int64_t begin, int64_t end) {
      Strip strips[kStrips];
      Vec largest[kStrips];
      decltype(sum.template operator()<IsRow>(strips[0], largest[0])) sums[kStrips];
      while (begin < end) {
        const int64_t number = end - begin < together ? end - begin : together;
        for (int64_t i = 0; i < number; ++i) strips[i] = strip_at(begin + i);
        for (int64_t i = 0; i < number; ++i) largest[i] = largest_of<IsRow>(strips[i]);
        for (int64_t i = 0; i < number; ++i) sums[i] = sum.template operator()<IsRow>(strips[i], largest[i]);
        for (int64_t i = 0; i < number; ++i) write(strips[i], sums[i]);
        begin += number;
      }
    });
  };
  if (softmax.is_last) {
    return run.template operator()<true>(softmax.split.outer, axis, [&](int64_t i) {
      return Strip{x + i * axis, y + i * axis, axis / kLanes, kLanes, kLanes, axis % kLanes};
    });
  }
  const int64_t strips = (inner + kLanes - 1) / kLanes;
  run.template operator()<false>(softmax.split.outer * strips, axis * kLanes, [&](int64_t i) {
    const int64_t place = i % strips * kLanes;
    const int64_t at = i / strips * axis * inner + place;
    return Strip{x + at, y + at, axis, inner, inner - place < kLanes ? inner - place : kLanes, 0};
  });
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA

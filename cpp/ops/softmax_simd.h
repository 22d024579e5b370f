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

/// Maxima and sums side by side, since one waits long for its next number.
constexpr int kParts = 2;

/// One axis of x and y: `whole` vectors of `lanes` elements, `step` apart, then one of `rest`, unless that is 0.
struct Strip {
  const float* x;
  float* y;
  int64_t whole;
  int64_t step;
  int64_t lanes;
  int64_t rest;

  /// f(place, lanes, part); vectors of one part do not wait for those of another.
  template <typename F>
  [[gnu::always_inline]] void for_each(const F& f) const noexcept {
    int64_t i = 0;
    for (; i + kParts <= whole; i += kParts) {
#pragma GCC unroll 2
      for (int part = 0; part < kParts; ++part) f((i + part) * step, lanes, part);
    }
    if (i < whole) f(i * step, lanes, 0);
    if (rest > 0) f(whole * step, rest, 1);
  }
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
  Vec high;
  Vec low;

  [[gnu::always_inline]] Difference(Vec x, Vec m) noexcept : high(x - m) {
    const Vec minus = high - x;
    const Vec error = (x - (high - minus)) - (m + minus);
    low = high > -200.0f ? error : broadcast(0.0f);  // an infinite difference has none
  }
  /// Of a difference that is not positive; below -104 it rounds to zero.
  [[nodiscard, gnu::always_inline]] Vec exp() const noexcept {
    const Vec e = exp_below(high);
    return fma(e, low, e);
  }
};

/// The sum of many that are not negative, with what rounding lost carried along (Kahan 1965).
class CarriedSum {
 public:
  [[gnu::always_inline]] void add(Vec x) noexcept {
    const Vec term = x - excess_;
    const Vec next = sum_ + term;
    excess_ = (next - sum_) - term;
    sum_ = next;
  }
  [[nodiscard, gnu::always_inline]] Vec value() const noexcept { return sum_; }

 private:
  Vec sum_{};
  Vec excess_{};
};

template <bool IsRow>
[[gnu::always_inline]] inline Vec largest_of(const Strip& strip) noexcept {
  Vec parts[kParts] = {broadcast(-__builtin_inff()), broadcast(-__builtin_inff())};
  strip.for_each([&](int64_t at, int64_t count, int part) { parts[part] = max(parts[part], strip.read(at, count)); });
  const Vec largest = max(parts[0], parts[1]);
  return IsRow ? join_lanes(largest, [](Vec a, Vec b) { return max(a, b); }) : largest;
}

template <bool IsRow>
[[gnu::always_inline]] inline Vec sum_of(const CarriedSum (&parts)[kParts]) noexcept {
  const Vec sum = parts[0].value() + parts[1].value();
  return IsRow ? join_lanes(sum, [](Vec a, Vec b) { return a + b; }) : sum;
}

/// Strips whose maxima, then sums, then results are taken together: those of one strip wait for each other, those of
/// several do not. Fewer where they would not stay in the first cache.
constexpr int64_t kStrips = 8;
constexpr int64_t kStripElements = 2048;

/// f.operator()<IsRow>(strips, count) for all rows, or vectors of neighbours, up to kStrips at a time.
template <typename F>
void for_each_strip(const OpCall& call, const F& f) noexcept {
  const auto& softmax = call.as<SoftmaxCall>();
  const int64_t axis = softmax.split.axis;
  const int64_t inner = softmax.split.inner;
  const float* x = call.inputs[0].as<float>();
  float* y = call.outputs[0].as<float>();
  const auto run = [&]<bool IsRow>(int64_t count, int64_t elements, const auto& strip_at) {
    const int64_t fitting = kStripElements / (elements > 0 ? elements : 1);
    const int64_t together = fitting < 1 ? 1 : fitting < kStrips ? fitting : kStrips;
    parallel_for(call.pool, count, grain_of(elements, kExpsPerNanosecond), [&](int64_t begin, int64_t end) {
      Strip strips[kStrips];
      while (begin < end) {
        const int64_t number = end - begin < together ? end - begin : together;
        for (int64_t i = 0; i < number; ++i) strips[i] = strip_at(begin + i);
        f.template operator()<IsRow>(strips, number);
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

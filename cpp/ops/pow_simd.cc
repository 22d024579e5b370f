// Pow of float32; other types stay with the scalar kernel. The power is 2^(b log2 |a|) in double, rounded once, and
// exponents that have a simpler form take it, alone or beside others.
#include "ops/elementwise_simd.h"
#include "simd/wide.h"

namespace slipway {

namespace scalar {

void pow(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

namespace {

constexpr float kInfinity = __builtin_inff();
constexpr int64_t kPowersPerNanosecond = 1;

typedef uint64_t WideBits __attribute__((vector_size(SLIPWAY_LANES * 4)));

/// The polynomial c[0] + c[1] x + ...
template <int Count>
[[gnu::always_inline]] inline Wide polynomial(Wide x, const double (&c)[Count]) noexcept {
  Wide y = broadcast_wide(c[Count - 1]);
  for (int i = Count - 2; i >= 0; --i) y = y * x + c[i];
  return y;
}

/// Of 0 <= x <= infinity, within 2^-43 of itself.
[[gnu::always_inline]] inline Wide log2(Wide x) noexcept {
  // x = 2^k m, sqrt(1/2) <= m < sqrt(2); k + 1024 becomes a number as the low bits of 2^52.
  const WideBits bits = reinterpret_cast<WideBits>(x);
  const WideBits biased = (bits - 0x3fe6a09e667f3bcdULL + (1024ULL << 52)) >> 52;
  const Wide k = reinterpret_cast<Wide>(biased | 0x4330000000000000ULL) - (0x1p52 + 1024);
  const Wide m = reinterpret_cast<Wide>(bits - ((biased - 1024) << 52));
  // ln m = 2 artanh s, |s| < 0.1716; the series is cut where s^16 / 17 < 2^-44.
  const Wide s = (m - 1) / (m + 1);
  const Wide series = polynomial(s * s, {1, 1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13, 1.0 / 15});
  const Wide y = s * series * 2.8853900817779268 + k;  // 2 / ln 2
  return x == 0 ? broadcast_wide(-__builtin_inf()) : x > 0x1p200 ? x : y;
}

/// Within 2^-41 of itself between 2^-160 and 2^160, which float32 does not reach.
[[gnu::always_inline]] inline Wide exp2(Wide x) noexcept {
  const Wide most = broadcast_wide(160.0);
  x = x < -most ? -most : x;
  x = x > most ? most : x;
  // Adding 1.5 * 2^52 rounds to an integer, which then stands in the low bits.
  const Wide shifted = x + 0x1.8p52;
  const Wide r = (x - (shifted - 0x1.8p52)) * 0.69314718055994531;  // ln 2
  // e^r, |r| < 0.3466; the series is cut where r^11 / 11! < 2^-41.
  const Wide y = polynomial(r, {1, 1, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320,
                                1.0 / 362880, 1.0 / 3628800});
  return reinterpret_cast<Wide>(reinterpret_cast<WideBits>(y) + (reinterpret_cast<WideBits>(shifted) << 52));
}

/// |a|^b, where neither is NaN.
[[gnu::always_inline]] inline Vec power_of_size(Vec size, Vec b) noexcept {
  return narrow(exp2(widen_low(b) * log2(widen_low(size))), exp2(widen_high(b) * log2(widen_high(size))));
}

/// Beside 2^23 no digits behind the point fit; larger numbers are whole.
[[gnu::always_inline]] inline VecInt is_whole(Vec x) noexcept {
  const Vec size = abs(x);
  const Vec shift = size < 0x1p23f ? broadcast(0x1p23f) : Vec{};
  return (size + shift) - shift == size;
}

[[gnu::always_inline]] inline Vec square(Vec a) noexcept { return a * a; }
[[gnu::always_inline]] inline Vec cube(Vec a) noexcept { return a * a * a; }
[[gnu::always_inline]] inline Vec inverse(Vec a) noexcept { return 1.0f / a; }
/// Of minus zero and of minus infinity the power is positive.
[[gnu::always_inline]] inline Vec root(Vec a) noexcept {
  return a == -kInfinity ? broadcast(kInfinity) : sqrt(a + Vec{});
}

/// C17 annex F.10.4.4 has the special values.
[[gnu::always_inline]] inline Vec power(Vec a, Vec b) noexcept {
  const Vec one = broadcast(1.0f);
  const Vec size = abs(a);
  const VecInt whole = is_whole(b);
  const VecInt odd = whole & ~is_whole(b * 0.5f);
  const VecInt sign = reinterpret_cast<VecInt>(a) & odd & static_cast<int32_t>(0x80000000);
  Vec y = size == 1.0f ? one : power_of_size(size, b);
  y = reinterpret_cast<Vec>(reinterpret_cast<VecInt>(y) | sign);
  y = (a < 0.0f) & (size < kInfinity) & ~whole ? broadcast(__builtin_nanf("")) : y;
  y = (a != a) | (b != b) ? a + b : y;
  y = (a == 1.0f) | (b == 0.0f) ? one : y;
  y = b == 1.0f ? a : y;
  y = b == 2.0f ? square(a) : y;
  y = b == 3.0f ? cube(a) : y;
  y = b == -1.0f ? inverse(a) : y;
  return b == 0.5f ? root(a) : y;
}

/// y[i] = a[i]^b[i], where a or b may be one number for all i. One loop for all cases, since power() is long.
void raise_each(const float* a, bool repeats_a, const float* b, bool repeats_b, float* y, int64_t count) noexcept {
  for (int64_t i = 0; i < count; i += kLanes) {
    const int64_t left = count - i < kLanes ? count - i : kLanes;
    const Vec base = repeats_a ? broadcast(*a) : load_first(a + i, left);
    const Vec exponent = repeats_b ? broadcast(*b) : load_first(b + i, left);
    store_first(y + i, power(base, exponent), left);
  }
}

/// y[i] = a[i]^b
void raise_all(const float* a, float b, float* y, int64_t count) noexcept {
  const auto each = [&](const auto& f) { map_run<false, true>(a, &b, y, count, [&](Vec x, Vec) { return f(x); }); };
  if (b == 1.0f) return each([](Vec x) { return x; });
  if (b == 2.0f) return each(square);
  if (b == 3.0f) return each(cube);
  if (b == -1.0f) return each(inverse);
  if (b == 0.5f) return each(root);
  raise_each(a, false, &b, true, y, count);
}

}  // namespace

void pow(const OpCall& call) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32 || call.inputs[1].dtype != DType::kFloat32) return scalar::pow(call);
  const auto& walk = call.as<Walk<2>>();
  const Steps<2> steps = walk.inner_strides();
  const float* a = call.inputs[0].as<float>();
  const float* b = call.inputs[1].as<float>();
  float* y = call.outputs[0].as<float>();
  parallel_for(call.pool, walk.count(), grain_of(1, kPowersPerNanosecond), [&](int64_t begin, int64_t end) {
    walk.for_each_run(begin, end, [&](int64_t i, int64_t count, const Steps<2>& at) {
      if (steps[1] == 0) return raise_all(a + at[0], b[at[1]], y + i, count);
      raise_each(a + at[0], steps[0] == 0, b + at[1], false, y + i, count);
    });
  });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway

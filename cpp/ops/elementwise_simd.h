// Element-wise operators on float32: loops over vectors, cut among threads. Broadcasting leaves every innermost loop
// with inputs that lie side by side or stay where they are.
#pragma once

#include "ops/call.h"
#include "ops/walk.h"
#include "simd/map.h"

namespace slipway::SLIPWAY_ISA {
namespace {

/// Of operators that take one instruction or two: the memory decides.
constexpr int64_t kLightPerNanosecond = 8;

/// y = f(x); other types than float32 go to `otherwise`.
template <typename F>
void map_unary(const OpCall& call, void (*otherwise)(const OpCall&) noexcept, const F& f) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32) return otherwise(call);
  map(call.pool, call.inputs[0].as<float>(), call.outputs[0].as<float>(), call.inputs[0].shape.count(), f);
}

/// y[i] = f(a[i], b[i]), where a or b may be one number for all i.
template <bool RepeatsA, bool RepeatsB, typename F>
void map_run(const float* a, const float* b, float* y, int64_t count, const F& f) noexcept {
  const Vec all_a = broadcast(RepeatsA ? *a : 0.0f);
  const Vec all_b = broadcast(RepeatsB ? *b : 0.0f);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    store(y + i, f(RepeatsA ? all_a : load(a + i), RepeatsB ? all_b : load(b + i)));
  }
  if (i == count) return;
  const int64_t left = count - i;
  store_first(y + i, f(RepeatsA ? all_a : load_first(a + i, left), RepeatsB ? all_b : load_first(b + i, left)), left);
}

/// y = f(a, b) along the call's Walk<2>; other types than float32 go to `otherwise`.
template <typename F>
void map_binary(const OpCall& call, void (*otherwise)(const OpCall&) noexcept, const F& f) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32) return otherwise(call);
  const auto& walk = call.as<Walk<2>>();
  const Steps<2> steps = walk.inner_strides();
  const float* a = call.inputs[0].as<float>();
  const float* b = call.inputs[1].as<float>();
  float* y = call.outputs[0].as<float>();
  parallel_for(call.pool, walk.count(), grain_of(1, kLightPerNanosecond), [&](int64_t begin, int64_t end) {
    walk.for_each_run(begin, end, [&](int64_t i, int64_t count, const Steps<2>& at) {
      if (steps[0] == 0) return map_run<true, false>(a + at[0], b + at[1], y + i, count, f);
      if (steps[1] == 0) return map_run<false, true>(a + at[0], b + at[1], y + i, count, f);
      map_run<false, false>(a + at[0], b + at[1], y + i, count, f);
    });
  });
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA

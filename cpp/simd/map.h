// y[i] = f(x[i]) over float32, on several threads where there are many, and two vectors at a time where f takes them.
#pragma once

#include "base/thread_pool.h"
#include "simd/pair.h"

namespace slipway::SLIPWAY_ISA {
namespace {

/// Of the functions in simd/math.h.
constexpr int64_t kElementsPerNanosecond = 2;

template <typename F>
void map(ThreadPool* pool, const float* x, float* y, int64_t count, const F& f) noexcept {
  parallel_for(pool, count, grain_of(1, kElementsPerNanosecond), [&](int64_t begin, int64_t end) {
    if constexpr (requires(Pair pair) { f(pair); }) {
      for (; begin + 2 * kLanes <= end; begin += 2 * kLanes) store(y + begin, f(load_pair(x + begin)));
    }
    for (; begin + kLanes <= end; begin += kLanes) store(y + begin, f(load(x + begin)));
    if (begin < end) store_first(y + begin, f(load_first(x + begin, end - begin)), end - begin);
  });
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA

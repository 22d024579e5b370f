// Planes of a network's inputs become pixels, whose lanes are channels, and the other way round: a square of pixels and
// channels at a time.
#pragma once

#include "ops/network.h"
#include "simd/vec.h"

namespace slipway::SLIPWAY_ISA {
namespace {

/// Pixels of a plane, or channels, that are left from `at` on, at most those of a vector.
[[gnu::always_inline]] inline int64_t lanes_left(int64_t count, int64_t at) noexcept {
  return count - at < kLanes ? count - at : kLanes;
}

/// Pixels [begin, end) of one sample of a kEnter, whose places these are; `stop` is where the call's input ends.
void enter_part(const NetworkOp& op, const int32_t* places, const float* in, const float* stop, float* out,
                int64_t begin, int64_t end) noexcept {
  const int64_t plane = op.sample / op.terms;
  for (int64_t j = begin; j < end; j += kLanes) {
    const int64_t pixels = lanes_left(end, j);
    for (int64_t c = 0; c < op.terms; c += kLanes) {
      const int64_t channels = lanes_left(op.terms, c);
      Vec rows[kLanes] = {};
      for (int64_t i = 0; i < channels; ++i) {
        // What a vector reads of the next channel is not looked at.
        const float* from = in + (c + i) * plane + j;
        rows[i] = stop - from >= kLanes ? load(from) : load_first(from, pixels);
      }
      transpose(rows);
      for (int64_t i = 0; i < pixels; ++i) store(out + places[j + i] + c / kLanes * op.out.row, rows[i]);
    }
  }
}

/// The same of a kLeave.
void leave_part(const NetworkOp& op, const int32_t* places, const float* in, float* out, int64_t begin,
                int64_t end) noexcept {
  const int64_t plane = op.sample / op.terms;
  for (int64_t j = begin; j < end; j += kLanes) {
    const int64_t pixels = lanes_left(end, j);
    for (int64_t c = 0; c < op.terms; c += kLanes) {
      const int64_t channels = lanes_left(op.terms, c);
      Vec rows[kLanes] = {};
      for (int64_t i = 0; i < pixels; ++i) rows[i] = load(in + places[j + i] + c / kLanes * op.in.row);
      transpose(rows);
      for (int64_t i = 0; i < channels; ++i) {
        float* to = out + (c + i) * plane + j;
        pixels == kLanes ? store(to, rows[i]) : store_first(to, rows[i], pixels);
      }
    }
  }
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA

// Convolutions in strips (network.h): sums as those of samples, whose lanes are the pixels of a row here; turned into
// channels while they are in the first cache.
#pragma once

#include "ops/network_sums_simd.h"

namespace slipway::SLIPWAY_ISA {
namespace {

/// Turns one strip of pixels into vectors of channels, and writes them.
void write_strip(const NetworkOp& op, const Vec* lines, int64_t strip, float* out) noexcept {
  const NetworkStrips& made = *op.strips;
  const Vec* upper = lines + strip * made.lines % kStripVectors * kLanes;
  const Vec* lower = lines + (strip * made.lines + made.lines - 1) % kStripVectors * kLanes;
  Vec pixels[kLanes] = {};
  for (int64_t c = 0; c < made.channels; ++c) pixels[c] = made.lines == 2 ? largest(upper[c], lower[c]) : upper[c];
  transpose(pixels);
  float* to = out + op.out.pixels[strip];
  for (int64_t i = op.taps[strip]; i < kLanes / made.lines; ++i) {
    const Vec y = made.lines == 2 ? largest(pixels[2 * i], pixels[2 * i + 1]) : pixels[i];
    store(to + i * made.step, activate(op.activation, y));
  }
}

/// Strips [begin, end).
void sum_strips_part(const NetworkOp& op, const float* in, float* out, int64_t begin, int64_t end) noexcept {
  const NetworkStrips& made = *op.strips;
  const int64_t most = kStripVectors / made.lines;
  Vec lines[kStripVectors * kLanes];
  const Sums sums{made.sums, in, nullptr, reinterpret_cast<float*>(lines)};
  for (int64_t j = begin; j < end; j += most) {
    const int64_t strips = end - j < most ? end - j : most;
    for (int64_t row = 0; row < made.channels;) {
      const int64_t height = even_piece(made.channels, kMostRows, row);
      kSampleTiles[height - 1][strips * made.lines - 1](sums, row, j * made.lines);
      row += height;
    }
    for (int64_t s = j; s < j + strips; ++s) write_strip(op, lines, s, out);
  }
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA

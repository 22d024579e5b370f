// ConvTranspose phase by phase, a band of rows at a time.
#pragma once

#include "ops/conv_transpose.h"
#include "simd/shifted.h"

namespace slipway::SLIPWAY_ISA {
namespace {

/// Of vectors.
constexpr int64_t kPhaseSumsPerNanosecond = 40;

/// Rows [first, first + rows) of places of one group of one image.
struct PhaseBand {
  int64_t plane;  // counts images and groups
  int64_t first;
  int64_t rows;
};

/// to[i] = row[start + i] for i < count; what lies outside [0, size) is zero.
void shift_row(const float* row, int64_t start, int64_t size, int64_t count, float* to) noexcept {
  for (int64_t i = 0; i < count; i += kLanes) {
    const Vec numbers = load_inside(row, start + i, size);
    count - i < kLanes ? store_first(to + i, numbers, count - i) : store(to + i, numbers);
  }
}

void copy_phase_band(const TransposeCall& conv, const float* x, const PhaseBand& band, float* to) noexcept {
  const TransposePhases& how = *conv.phases;
  const int64_t height = conv.window.axes[1].output;
  const int64_t width = conv.window.axes[2].output;
  for (int64_t c = 0; c < conv.channels; ++c, x += height * width, to += how.plane()) {
    for (int64_t r = 0; r < band.rows + how.reach[0]; ++r) {
      const int64_t y = band.first + r + how.low[0];
      const bool is_inside = y >= 0 && y < height;
      shift_row(is_inside ? x + y * width : x, is_inside ? how.low[1] : 0, is_inside ? width : 0, how.width,
                to + r * how.width);
    }
  }
}

/// Up to two vectors.
void store_some(float* to, Vec low, Vec high, int64_t count) noexcept {
  if (count >= 2 * kLanes) {
    store(to, low);
    store(to + kLanes, high);
    return;
  }
  store_first(to, low, count < kLanes ? count : kLanes);
  if (count > kLanes) store_first(to + kLanes, high, count - kLanes);
}

/// Rows of sums, `step` from one phase to the next, become one row of outputs. A row may be read beyond its end.
void weave_row(const float* sums, int64_t step, int64_t stride, int64_t count, float* y) noexcept {
  if (stride == 1) {
    for (int64_t i = 0; i < count; i += kLanes) {
      store_first(y + i, load(sums + i), count - i < kLanes ? count - i : kLanes);
    }
    return;
  }
  if (stride == 2) {
    for (int64_t i = 0; i < count; i += 2 * kLanes) {
      const Vec even = load(sums + i / 2);
      const Vec odd = load(sums + step + i / 2);
      store_some(y + i, interleave_low(even, odd), interleave_high(even, odd), count - i);
    }
    return;
  }
  for (int64_t p = 0; p < stride; ++p) {
    for (int64_t i = p, q = 0; i < count; i += stride, ++q) y[i] = sums[p * step + q];
  }
}

/// Sums of all rows and columns of phase `p`, [outputs, places].
void sum_phase(const TransposeCall& conv, const float* bias, int64_t group, int64_t p, int64_t places,
               const float* from, float* to) noexcept {
  const TransposePhase& phase = conv.phases->phases[p];
  if (phase.terms == 0) {
    for (int64_t m = 0; m < conv.outputs; ++m) {
      const Vec value = broadcast(bias != nullptr ? bias[m] : 0.0f);
      for (int64_t i = 0; i < places; i += kLanes) store(to + m * places + i, value);
    }
    return;
  }
  Shifted product;
  product.m = conv.outputs;
  product.n = places;
  product.k = phase.terms;
  product.tiles = conv.phases->packed + group * conv.outputs * conv.channels * conv.window.taps() + phase.begin;
  product.from = from;
  product.offsets = phase.offsets;
  product.bias = bias;
  product.c = to;
  multiply_shifted(product);
}

void land_band(const OpCall& call, const TransposeCall& conv, const PhaseBand& band, float* scratch) noexcept {
  const TransposePhases& how = *conv.phases;
  const WindowAxis& h = conv.window.axes[1];
  const WindowAxis& w = conv.window.axes[2];
  const int64_t group = band.plane % conv.groups;
  const int64_t places = how.places_of(band.rows, kLanes);
  const float* bias = call.has_input(2) ? call.inputs[2].as<float>() + group * conv.outputs : nullptr;
  float* y = call.outputs[0].as<float>() + band.plane * conv.outputs * h.input * w.input;
  float* sums = scratch + how.source;
  copy_phase_band(conv, call.inputs[0].as<float>() + band.plane * conv.channels * h.output * w.output, band, scratch);
  for (int64_t a = 0; a < h.stride; ++a) {
    for (int64_t b = 0; b < w.stride; ++b) {
      sum_phase(conv, bias, group, a * w.stride + b, places, scratch, sums + b * conv.outputs * places);
    }
    for (int64_t m = 0; m < conv.outputs; ++m) {
      for (int64_t r = 0; r < band.rows; ++r) {
        const int64_t row = (band.first + r) * h.stride + a;
        if (row >= h.input) break;
        weave_row(sums + m * places + r * how.width, conv.outputs * places, w.stride, w.input,
                  y + (m * h.input + row) * w.input);
      }
    }
  }
}

/// Bands are cut into as many runs as there are slots; a thread's runs all use the slot of its first one.
void land_phases(const OpCall& call, const TransposeCall& conv) noexcept {
  const TransposePhases& how = *conv.phases;
  const int64_t bands = conv.batch * conv.groups * how.bands;
  const auto body = [&](int64_t begin, int64_t end) {
    float* scratch = reinterpret_cast<float*>(call.scratch) + begin * how.slot;
    for (int64_t i = conv.channels * how.plane(); i < how.source; ++i) scratch[i] = 0.0f;  // read for places in vain
    for (int64_t i = begin * bands / how.slots; i < end * bands / how.slots; ++i) {
      const int64_t first = i % how.bands * how.rows;
      const int64_t left = how.lines - first;
      land_band(call, conv, {i / how.bands, first, left < how.rows ? left : how.rows}, scratch);
    }
  };
  const int64_t work = conv.outputs * how.places_of(how.rows, kLanes) * conv.channels * conv.window.taps();
  parallel_for(call.pool, how.slots, grain_of(work * (bands / how.slots), kPhaseSumsPerNanosecond), body);
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA

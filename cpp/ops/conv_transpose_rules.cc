#include "ops/conv_transpose_rules.h"

#include <algorithm>
#include <cmath>

#include "ops/window_rules.h"
#include "simd/panels.h"

namespace slipway {

namespace {

/// Floats of one slot at most: what the loops touch should stay in the second cache.
constexpr int64_t kBandFloats = int64_t{1} << 17;
/// And where not even one row of places is that small.
constexpr int64_t kMostFloats = int64_t{1} << 23;
constexpr int64_t kMostSlots = 64;
/// Multiply-adds of an image from which on it is cut into bands for several threads.
constexpr int64_t kBandWork = int64_t{1} << 19;
constexpr int64_t kLeastBands = 4;

/// The least shift and the largest of all taps of an axis; false where they are out of hand.
bool set_reach(const WindowAxis& axis, int64_t& low, int64_t& reach) {
  int64_t high = 0;
  low = 0;
  for (int64_t p = 0; p < axis.stride; ++p) {
    for (int64_t t = 0; t < axis.kernel; ++t) {
      const TapShift tap = tap_shift(axis, p, t);
      if (!tap.fits) continue;
      low = std::min(low, tap.shift);
      high = std::max(high, tap.shift);
    }
  }
  reach = high - low;
  return reach < kMostFloats;
}

/// The sizes of a band of `rows` rows of places; false where they are out of hand.
bool set_band(const TransposeCall& call, int64_t rows, int64_t lanes, TransposePhases& how) {
  const WindowAxis& w = call.window.axes[2];
  how.rows = rows;
  how.bands = (how.lines + rows - 1) / rows;
  how.width = (w.input + w.stride - 1) / w.stride + how.reach[1];
  if (saturating_product(call.channels, how.width, rows + how.reach[0]) > kMostFloats) return false;
  how.source = (call.channels * how.plane() + 2 * lanes + how.width + 15) / 16 * 16;
  // The last vector of a row of outputs reaches over the end.
  how.slot = how.source + saturating_product(w.stride, call.outputs, how.places_of(rows, lanes)) + 2 * lanes;
  return how.slot <= kMostFloats;
}

/// What each phase adds up: for every channel, the taps of its rows and columns.
void list_terms(const TransposeCall& call, TransposePhases& how, std::vector<int32_t>& offsets) {
  const WindowAxis& h = call.window.axes[1];
  const WindowAxis& w = call.window.axes[2];
  offsets.reserve(static_cast<std::size_t>(call.channels * h.kernel * w.kernel));
  int64_t begin = 0;
  for (int64_t p = 0; p < h.stride * w.stride; ++p) {
    TransposePhase& phase = how.phases[p];
    const std::size_t first = offsets.size();
    for (int64_t c = 0; c < call.channels; ++c) {
      for (int64_t t = 0; t < h.kernel * w.kernel; ++t) {
        const TapShift row = tap_shift(h, p / w.stride, t / w.kernel);
        const TapShift column = tap_shift(w, p % w.stride, t % w.kernel);
        if (!row.fits || !column.fits) continue;
        const int64_t place = c * how.plane() + (row.shift - how.low[0]) * how.width + column.shift - how.low[1];
        offsets.push_back(static_cast<int32_t>(place));
      }
    }
    phase.begin = begin;
    phase.offsets = offsets.data() + first;
    phase.terms = static_cast<int64_t>(offsets.size() - first);
    begin += phase.terms * call.outputs;
  }
}

/// The tiles of all groups and phases; of no elements where the weights are not finite.
Tensor pack_phases(const TransposeCall& call, const TransposePhases& how, const Tensor& weights, int64_t lanes) {
  if (!is_finite(weights)) return Tensor(DType::kFloat32, Shape{0});
  const WindowAxis& h = call.window.axes[1];
  const WindowAxis& w = call.window.axes[2];
  const int64_t taps = h.kernel * w.kernel;
  const int64_t group = call.channels * call.outputs * taps;
  Tensor packed(DType::kFloat32, Shape{call.groups * group});
  std::vector<float> terms;  // [terms, outputs] of a phase
  for (int64_t i = 0; i < call.groups * h.stride * w.stride; ++i) {
    const int64_t p = i % (h.stride * w.stride);
    const int64_t g = i / (h.stride * w.stride);
    const TransposePhase& phase = how.phases[p];
    const float* from = weights.as<float>() + g * group;
    terms.clear();
    for (int64_t c = 0; c < call.channels; ++c) {
      for (int64_t t = 0; t < taps; ++t) {
        if (!tap_shift(h, p / w.stride, t / w.kernel).fits || !tap_shift(w, p % w.stride, t % w.kernel).fits) continue;
        for (int64_t m = 0; m < call.outputs; ++m) terms.push_back(from[(c * call.outputs + m) * taps + t]);
      }
    }
    float* to = packed.as<float>() + g * group + phase.begin;
    for (int64_t first = 0; first < phase.terms; first += kGemmDepth) {
      pack_tiles(terms.data() + first * call.outputs, 1, call.outputs, call.outputs,
                 std::min(kGemmDepth, phase.terms - first), lanes, to + first * call.outputs);
    }
  }
  return packed;
}

}  // namespace

bool is_finite(const Tensor& weights) {
  const float* w = weights.as<float>();
  return std::all_of(w, w + weights.shape().count(), [](float each) { return std::isfinite(each); });
}

void plan_phases(OwnedTransposeCall& call, PrepareContext& context) {
  const auto& [d, h, w] = call.window.axes;
  const Tensor* weights = context.constant(1);
  if (weights == nullptr || weights->dtype() != DType::kFloat32 || lanes_of(context.isa()) == 1) return;
  const bool is_flat = d.input == 1 && d.output == 1 && d.kernel == 1 && d.begin == 0 && d.end == 0;
  const int64_t work = saturating_product(call.outputs, call.channels * call.window.taps(), call.window.outputs());
  const int64_t images = saturating_product(call.batch, call.groups);
  if (!is_flat || saturating_product(h.stride, w.stride) > kMostTransposePhases || work == 0 || images == 0) return;
  if (call.window.inputs() == 0) return;
  TransposePhases& how = call.how;
  const int64_t lanes = lanes_of(context.isa());
  if (!set_reach(h, how.low[0], how.reach[0]) || !set_reach(w, how.low[1], how.reach[1])) return;
  how.lines = (h.input + h.stride - 1) / h.stride;
  int64_t rows = work >= kBandWork ? (how.lines + kLeastBands - 1) / kLeastBands : how.lines;
  while (!set_band(call, rows, lanes, how) || how.slot > kBandFloats) {
    if (rows == 1) break;
    rows = (rows + 1) / 2;
  }
  if (!set_band(call, rows, lanes, how)) return;
  // A product over the pixels of the input computes nothing in vain, but stores what every tap gives.
  const int64_t vectors = (call.window.outputs() + lanes - 1) / lanes;
  if (how.bands * how.places_of(rows, lanes) / lanes > 2 * vectors) return;
  list_terms(call, how, call.offsets);
  const std::string key = concat("phases ", name_of(context.isa()), " ", h.begin % h.stride, " ", w.begin % w.stride);
  call.weights = context.shared<Tensor>(
      {1}, key, [&] { return std::make_shared<const Tensor>(pack_phases(call, how, *weights, lanes)); });
  if (call.weights->shape().count() == 0) return;
  how.packed = call.weights->as<float>();
  how.slots = std::min(
      {kMostSlots, saturating_product(images, how.bands), std::max<int64_t>(1, kMostSlots * kBandFloats / how.slot)});
  call.phases = &how;
  context.scratch_bytes = how.slots * how.slot * static_cast<int64_t>(sizeof(float));
}

}  // namespace slipway

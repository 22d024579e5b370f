// BatchNormalization of float32: one multiply-add with a factor and a shift per channel.
#include "ops/batch_normalization.h"
#include "ops/elementwise_simd.h"

namespace slipway::SLIPWAY_ISA {

namespace {

/// Images of one element per channel: vectors of channels.
void scale_rows(const BatchNormalizationCall& norm, const float* merged, const float* x, float* y) noexcept {
  const float* shifts = merged + norm.channels;
  for (int64_t n = 0; n < norm.batch; ++n, x += norm.channels, y += norm.channels) {
    int64_t c = 0;
    for (; c + kLanes <= norm.channels; c += kLanes) {
      store(y + c, fma(load(x + c), load(merged + c), load(shifts + c)));
    }
    const int64_t left = norm.channels - c;
    if (left == 0) continue;
    const Vec factor = load_first(merged + c, left);
    store_first(y + c, fma(load_first(x + c, left), factor, load_first(shifts + c, left)), left);
  }
}

}  // namespace

void batch_normalization(const OpCall& call) noexcept {
  const auto& norm = call.as<BatchNormalizationCall>();
  if (call.inputs[0].dtype != DType::kFloat32) return scalar::batch_normalization(call);
  const float* merged = norm.merged;
  if (merged == nullptr) {
    const float* const parts[4] = {call.inputs[1].as<float>(), call.inputs[2].as<float>(), call.inputs[3].as<float>(),
                                   call.inputs[4].as<float>()};
    auto* own = reinterpret_cast<float*>(call.scratch);
    if (!norm.merges || !merge_statistics(norm, parts, own)) return scalar::batch_normalization(call);
    merged = own;
  }
  const float* x = call.inputs[0].as<float>();
  float* y = call.outputs[0].as<float>();
  if (norm.size == 1) return scale_rows(norm, merged, x, y);
  const int64_t grain = grain_of(norm.size, kLightPerNanosecond);
  parallel_for(call.pool, norm.batch * norm.channels, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Vec factor = broadcast(merged[i % norm.channels]);
      const Vec shift = broadcast(merged[norm.channels + i % norm.channels]);
      map(nullptr, x + i * norm.size, y + i * norm.size, norm.size, [&](Vec v) { return fma(v, factor, shift); });
    }
  });
}

}  // namespace slipway::SLIPWAY_ISA

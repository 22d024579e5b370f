// LayerNormalization of float32 whose scale and b are one row each; all else stays with the scalar kernel.
#include "ops/normalization_simd.h"

namespace slipway::SLIPWAY_ISA {

void layer_normalization(const OpCall& call) noexcept {
  const auto& norm = call.as<LayerNormalizationCall>();
  if (call.inputs[0].dtype != DType::kFloat32 || !norm.is_plain) return scalar::layer_normalization(call);
  const float* x = call.inputs[0].as<float>();
  const float* scale = call.inputs[1].as<float>();
  const float* shift = call.has_input(2) ? call.inputs[2].as<float>() : nullptr;
  float* const y = call.has_output(0) ? call.outputs[0].as<float>() : nullptr;
  float* const means = call.has_output(1) ? call.outputs[1].as<float>() : nullptr;
  float* const factors = call.has_output(2) ? call.outputs[2].as<float>() : nullptr;
  const int64_t size = norm.size;
  const auto scaled = [&](Vec v, int64_t i, int64_t lanes) {
    return fma(v, lanes == kLanes ? load(scale + i) : load_first(scale + i, lanes), Vec{});
  };
  const auto scaled_and_shifted = [&](Vec v, int64_t i, int64_t lanes) {
    if (lanes == kLanes) return fma(v, load(scale + i), load(shift + i));
    return fma(v, load_first(scale + i, lanes), load_first(shift + i, lanes));
  };
  parallel_for(call.pool, norm.rows, grain_of(size, kNormalsPerNanosecond), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Normal normal = normal_of(x + i * size, size, norm.epsilon);
      if (means != nullptr) means[i] = static_cast<float>(normal.mean);
      if (factors != nullptr) factors[i] = static_cast<float>(normal.factor);
      if (y == nullptr) continue;
      if (shift == nullptr) {
        put_normal(normal, x + i * size, size, scaled, y + i * size);
      } else {
        put_normal(normal, x + i * size, size, scaled_and_shifted, y + i * size);
      }
    }
  });
}

}  // namespace slipway::SLIPWAY_ISA

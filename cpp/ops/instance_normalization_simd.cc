// InstanceNormalization of float32; float64, and nothing, stay with the scalar kernel.
#include "ops/normalization_simd.h"

namespace slipway::SLIPWAY_ISA {

void instance_normalization(const OpCall& call) noexcept {
  const auto& norm = call.as<InstanceNormalizationCall>();
  if (call.inputs[0].dtype != DType::kFloat32 || norm.size == 0) return scalar::instance_normalization(call);
  const float* x = call.inputs[0].as<float>();
  const float* scale = call.inputs[1].as<float>();
  const float* shift = call.inputs[2].as<float>();
  float* y = call.outputs[0].as<float>();
  const int64_t size = norm.size;
  const int64_t grain = grain_of(size, kNormalsPerNanosecond);
  parallel_for(call.pool, norm.batch * norm.channels, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Normal normal = normal_of(x + i * size, size, norm.epsilon);
      const Vec factor = broadcast(scale[i % norm.channels]);
      const Vec term = broadcast(shift[i % norm.channels]);
      const auto put = [&](Vec v, int64_t, int64_t) { return fma(v, factor, term); };
      put_normal(normal, x + i * size, size, put, y + i * size);
    }
  });
}

}  // namespace slipway::SLIPWAY_ISA

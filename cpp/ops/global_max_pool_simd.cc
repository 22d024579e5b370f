// GlobalMaxPool of float32; float64, and planes of nothing, stay with the scalar kernel.
#include "ops/planes.h"
#include "ops/reduce_simd.h"

namespace slipway {

namespace scalar {

void global_max_pool(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void global_max_pool(const OpCall& call) noexcept {
  const auto& planes = call.as<PlanesCall>();
  if (call.inputs[0].dtype != DType::kFloat32 || planes.size == 0) return scalar::global_max_pool(call);
  const float* x = call.inputs[0].as<float>();
  float* y = call.outputs[0].as<float>();
  Walk<1> plane;
  plane.push_axis(planes.size, {1});
  parallel_for(call.pool, planes.planes, grain_of(planes.size, kTermsPerNanosecond), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Row row{plane, x + i * planes.size, planes.size};
      y[i] = row.fold<Larger>([](Vec v, int) { return v; }).v[0][0];
    }
  });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway

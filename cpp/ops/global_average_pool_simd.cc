// GlobalAveragePool of float32, summed up in double; float64, and planes of nothing, stay with the scalar kernel.
#include "ops/call.h"
#include "ops/planes.h"
#include "simd/wide.h"

namespace slipway {

namespace scalar {

void global_average_pool(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

namespace {

/// Elements of planes.
constexpr int64_t kPlanesPerNanosecond = 4;

}  // namespace

void global_average_pool(const OpCall& call) noexcept {
  const auto& planes = call.as<PlanesCall>();
  if (call.inputs[0].dtype != DType::kFloat32 || planes.size == 0) return scalar::global_average_pool(call);
  const float* x = call.inputs[0].as<float>();
  float* y = call.outputs[0].as<float>();
  const int64_t grain = grain_of(planes.size, kPlanesPerNanosecond);
  parallel_for(call.pool, planes.planes, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const double sum = wide_sums(x + i * planes.size, planes.size, [](Wide v) { return v; }).sum;
      y[i] = static_cast<float>(sum / static_cast<double>(planes.size));
    }
  });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway

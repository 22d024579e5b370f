// GlobalAveragePool:  y[n, c] = mean of x[n, c, ...].
//
// ONNX GlobalAveragePool 1 and 22 as in opsets 13 to 24. x: [N, C, D...]; y: [N, C, 1...]; float32, float64. The mean
// of nothing is NaN.
#include "ops/global_pool.h"
#include "ops/types.h"

namespace slipway {

void infer_global_average_pool(InferContext& context) { infer_global_pool(context); }

std::shared_ptr<const void> prepare_global_average_pool(PrepareContext& context) {
  return prepare_global_pool(context);
}

namespace scalar {

void global_average_pool(const OpCall& call) noexcept {
  const auto& planes = call.as<PlanesCall>();
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    for (int64_t plane = 0; plane < planes.planes; ++plane) {
      double sum = 0.0;
      for (int64_t i = 0; i < planes.size; ++i) {
        sum += static_cast<double>(call.inputs[0].as<T>()[plane * planes.size + i]);
      }
      call.outputs[0].as<T>()[plane] = static_cast<T>(sum / static_cast<double>(planes.size));
    }
  });
}

}  // namespace scalar
}  // namespace slipway

// GlobalMaxPool:  y[n, c] = max of x[n, c, ...].
//
// ONNX GlobalMaxPool 1 and 22 as in opsets 13 to 24. x: [N, C, D...]; y: [N, C, 1...]; float32, float64. A NaN wins;
// the largest of nothing is -infinity.
#include <limits>

#include "ops/global_pool.h"
#include "ops/types.h"

namespace slipway {

void infer_global_max_pool(InferContext& context) { infer_global_pool(context); }

std::shared_ptr<const void> prepare_global_max_pool(PrepareContext& context) { return prepare_global_pool(context); }

namespace scalar {

void global_max_pool(const OpCall& call) noexcept {
  const auto& planes = call.as<PlanesCall>();
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    for (int64_t plane = 0; plane < planes.planes; ++plane) {
      T largest = -std::numeric_limits<T>::infinity();
      for (int64_t i = 0; i < planes.size; ++i) {
        const T x = call.inputs[0].as<T>()[plane * planes.size + i];
        if (!(x <= largest) && largest == largest) largest = x;
      }
      call.outputs[0].as<T>()[plane] = largest;
    }
  });
}

}  // namespace scalar
}  // namespace slipway

// Concat on CUDA.
#include "ops/move.cuh"

namespace slipway::cuda {

void concat(const OpCall& call) noexcept {
  const auto axis = call.as<int64_t>();
  const int64_t bytes = size_of(call.outputs[0].dtype);
  const Split y = split_at(call.outputs[0].shape, axis);
  const int64_t row = y.inner * bytes;
  StripMover<true> mover(call, call.outputs[0].data, y.outer, y.axis * row);
  int64_t before = 0;
  for (const TensorView& input : call.inputs) {
    const Split x = split_at(input.shape, axis);
    mover.add(input.data, x.axis * row, before * row);
    before += x.axis;
  }
  mover.move();
}

}  // namespace slipway::cuda

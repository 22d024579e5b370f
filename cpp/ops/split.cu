// Split on CUDA.
#include "ops/move.cuh"
#include "ops/prepared.h"

namespace slipway::cuda {

void split(const OpCall& call) noexcept {
  const auto& prepared = call.as<SplitPrepared>();
  const Split x = split_at(call.inputs[0].shape, prepared.axis);
  const int64_t row = x.inner * size_of(call.inputs[0].dtype);
  StripMover<false> mover(call, call.inputs[0].data, x.outer, x.axis * row);
  for (std::size_t i = 0; i < call.outputs.size(); ++i) {
    if (!call.has_output(i)) continue;
    const Split y = split_at(call.outputs[i].shape, prepared.axis);
    mover.add(call.outputs[i].data, y.axis * row, prepared.begins[i] * row);
  }
  mover.move();
}

}  // namespace slipway::cuda

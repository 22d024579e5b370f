// EmbeddedGRU on a device is GRU, which reads rows of a table where there is one.
#include "ops/launch.cuh"

namespace slipway::cuda {

void gru(const OpCall& call) noexcept;

void embedded_gru(const OpCall& call) noexcept { gru(call); }

}  // namespace slipway::cuda

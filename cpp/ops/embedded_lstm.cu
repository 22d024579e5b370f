// EmbeddedLSTM on a device is LSTM, which reads rows of a table where there is one.
#include "ops/launch.cuh"

namespace slipway::cuda {

void lstm(const OpCall& call) noexcept;

void embedded_lstm(const OpCall& call) noexcept { lstm(call); }

}  // namespace slipway::cuda

// EmbeddedRNN on a device is RNN, which reads rows of a table where there is one.
#include "ops/launch.cuh"

namespace slipway::cuda {

void rnn(const OpCall& call) noexcept;

void embedded_rnn(const OpCall& call) noexcept { rnn(call); }

}  // namespace slipway::cuda

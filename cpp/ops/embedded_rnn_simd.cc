// EmbeddedRNN: the plan that RNN's kernel reads tells it of the table.
#include "ops/call.h"

namespace slipway::SLIPWAY_ISA {

void rnn(const OpCall& call) noexcept;

void embedded_rnn(const OpCall& call) noexcept { rnn(call); }

}  // namespace slipway::SLIPWAY_ISA

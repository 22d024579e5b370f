// EmbeddedLSTM: the plan that LSTM's kernel reads tells it of the table.
#include "ops/call.h"

namespace slipway::SLIPWAY_ISA {

void lstm(const OpCall& call) noexcept;

void embedded_lstm(const OpCall& call) noexcept { lstm(call); }

}  // namespace slipway::SLIPWAY_ISA

// EmbeddedGRU: the plan that GRU's kernel reads tells it of the table.
#include "ops/call.h"

namespace slipway::SLIPWAY_ISA {

void gru(const OpCall& call) noexcept;

void embedded_gru(const OpCall& call) noexcept { gru(call); }

}  // namespace slipway::SLIPWAY_ISA

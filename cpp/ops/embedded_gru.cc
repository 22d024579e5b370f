// EmbeddedGRU:  GRU of the rows of a table that X names, made by the passes of Gather and GRU; no ONNX file holds it.
//
// Domain slipway. Inputs, attributes and types of GRU, but X [T, N] (layout 0) or [N, T] are int32 or int64; input 8 is
// the table [V, D]. As in Gather, numbers count from the end where they are negative, and one outside [-V, V) is a
// fault.
#include "ops/recurrent_rules.h"

namespace slipway {

void infer_embedded_gru(InferContext& context) { infer_recurrent(context, kGruKind, true); }

std::shared_ptr<const void> prepare_embedded_gru(PrepareContext& context) {
  return prepare_recurrent(context, kGruKind);
}

namespace scalar {

void embedded_gru(const OpCall& call) noexcept { gru(call); }

}  // namespace scalar
}  // namespace slipway

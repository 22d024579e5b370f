// EmbeddedRNN:  RNN of the rows of a table that X names, made by the passes of Gather and RNN; no ONNX file holds it.
//
// Domain slipway. Inputs, attributes and types of RNN, but X [T, N] (layout 0) or [N, T] are int32 or int64; input 8 is
// the table [V, D]. As in Gather, numbers count from the end where they are negative, and one outside [-V, V) is a
// fault.
#include "ops/recurrent_rules.h"

namespace slipway {

void infer_embedded_rnn(InferContext& context) { infer_recurrent(context, kRnnKind, true); }

std::shared_ptr<const void> prepare_embedded_rnn(PrepareContext& context) {
  return prepare_recurrent(context, kRnnKind);
}

namespace scalar {

void embedded_rnn(const OpCall& call) noexcept { rnn(call); }

}  // namespace scalar
}  // namespace slipway

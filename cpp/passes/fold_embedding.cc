// Gather of the rows of a table and the GRU, LSTM or RNN that reads them become one node of domain slipway:
// EmbeddedGRU, EmbeddedLSTM, EmbeddedRNN. Their preparation then multiplies the table with the input weights once,
// instead of every run the rows it has found (docs/decisions/0006).
//
// 1. The table is a constant matrix, gathered along axis 0, and nobody else reads the rows.
// 2. Where the table of operators does not take these types, nothing is done.
#include "passes/sweep.h"

namespace slipway {

namespace {

// The fused operators' input of the table; what GRU and RNN lack before it is absent.
constexpr std::size_t kTable = 8;

void fuse(Sweep& sweep, int index) {
  const Node& node = sweep.graph().nodes[static_cast<std::size_t>(index)];
  const int maker = sweep.sole_maker(node.inputs[0], {"Gather"});
  if (maker < 0 || !sweep.is_free({index, maker})) return;
  const Node& gather = sweep.graph().nodes[static_cast<std::size_t>(maker)];
  const Tensor* table = sweep.constant(gather.inputs[0]);
  const int64_t axis = int_attribute(gather, "axis", 0);
  if (table == nullptr || table->shape().rank() != 2 || (axis != 0 && axis != -2)) return;
  Node fused = copy_of(node);
  fused.op = "Embedded" + node.op;
  fused.domain = "slipway";
  fused.inputs.resize(kTable + 1, kNoValue);
  fused.inputs[0] = gather.inputs[1];
  fused.inputs[kTable] = gather.inputs[0];
  if (!sweep.accepts(fused)) return;
  sweep.claim({index, maker});
  sweep.remove(index);
  sweep.remove(maker);
  sweep.insert(index, std::move(fused));
  sweep.note(gather.title(), " went into ", node.title());
}

}  // namespace

Rewrite fold_embedding(const Graph& graph) {
  Sweep sweep(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.domain.empty() && (node.op == "GRU" || node.op == "LSTM" || node.op == "RNN")) {
      fuse(sweep, static_cast<int>(i));
    }
  }
  return sweep.finish();
}

}  // namespace slipway

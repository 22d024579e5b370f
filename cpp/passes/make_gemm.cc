// MatMul and Add become one Gemm:  x W + b.
//
// 1. Both factors surely have rank 2, and nobody else reads the product.
// 2. The summand surely fits [M, N] without making it larger: every size is 1 or surely the product's.
#include "passes/sweep.h"

namespace slipway {

namespace {

bool has_rank_2(const Fact& fact) { return fact.dims && fact.dims->size() == 2; }

// Case 2.
bool fits_into(const Fact& summand, const Fact& product) {
  if (!summand.dims || summand.dims->size() > product.dims->size()) return false;
  const std::size_t offset = product.dims->size() - summand.dims->size();
  for (std::size_t i = 0; i < summand.dims->size(); ++i) {
    const Dim& size = (*summand.dims)[i];
    const bool is_one = size.is_known() && size.value() == 1;
    if (!is_one && !size.surely_equals((*product.dims)[offset + i])) return false;
  }
  return true;
}

// Tries the Add's input `side` as the product.
bool fuse(Sweep& sweep, int index, std::size_t side) {
  const Node& add = sweep.graph().nodes[static_cast<std::size_t>(index)];
  const int maker = sweep.sole_maker(add.inputs[side], {"MatMul"});
  if (maker < 0 || !sweep.is_free({index, maker})) return false;
  const Node& product = sweep.graph().nodes[static_cast<std::size_t>(maker)];
  for (const ValueId id : product.inputs) {
    if (!has_rank_2(sweep.fact(id))) return false;
  }
  const Fact& made = sweep.fact(product.outputs[0]);
  if (!has_rank_2(made) || !fits_into(sweep.fact(add.inputs[1 - side]), made)) return false;

  Node gemm = copy_of(product);
  gemm.op = "Gemm";
  gemm.inputs = {product.inputs[0], product.inputs[1], add.inputs[1 - side]};
  gemm.outputs = add.outputs;
  if (!sweep.accepts(gemm)) return false;
  sweep.claim({index, maker});
  sweep.remove(index);
  sweep.remove(maker);
  sweep.insert(index, std::move(gemm));
  sweep.note(product.title(), " and ", add.title(), " became a Gemm");
  return true;
}

}  // namespace

Rewrite make_gemm(const Graph& graph) {
  Sweep sweep(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (!node.domain.empty() || node.op != "Add") continue;
    if (!fuse(sweep, static_cast<int>(i), 0)) (void)fuse(sweep, static_cast<int>(i), 1);
  }
  return sweep.finish();
}

}  // namespace slipway

// A pass: looks at the graph and answers with one patch for all it found in this sweep. One rewrite per file.
//
// A pass never changes what the model computes beyond one rounding of a constant, keeps every graph input and output
// and its name, and is run again until it finds nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/patch.h"

namespace slipway {

/// What a pass wants changed, and what it did in words: one note per match, safe to print.
struct Rewrite {
  Patch patch;
  std::vector<std::string> notes;
};

/// What folding may still cost, of all graphs of one load together: a small file can ask for work without end.
struct FoldBudget {
  int64_t flops = int64_t{1} << 30;
  int64_t bytes = int64_t{1} << 32;  ///< read and made
};

using PassFunction = Rewrite (*)(const Graph&, FoldBudget&);

struct Pass {
  std::string_view name;
  PassFunction run;
};

// In the order in which a round runs them. All expect rows to be set.
[[nodiscard]] Rewrite update_facts(const Graph& graph);
[[nodiscard]] Rewrite fold_constants(const Graph& graph, FoldBudget& budget);
[[nodiscard]] Rewrite remove_identity(const Graph& graph);
[[nodiscard]] Rewrite merge_reshape(const Graph& graph);
[[nodiscard]] Rewrite make_gemm(const Graph& graph);
[[nodiscard]] Rewrite fold_batchnorm(const Graph& graph);
[[nodiscard]] Rewrite fuse_activation(const Graph& graph);
[[nodiscard]] Rewrite fold_embedding(const Graph& graph);
[[nodiscard]] Rewrite remove_dead(const Graph& graph);
// Once, when nothing else is left to do: no other pass looks into what it makes.
[[nodiscard]] Rewrite group_network(const Graph& graph, bool is_for_cuda);

}  // namespace slipway

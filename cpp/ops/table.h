// The table of operators, made from ops.def.
#pragma once

#include <span>
#include <string_view>

#include "ops/op.h"

namespace slipway {

[[nodiscard]] std::span<const OpRow> op_table() noexcept;
/// Null where the table has no such operator.
[[nodiscard]] const OpRow* find_row(std::string_view domain, std::string_view onnx) noexcept;
/// Sets node.row, or throws Error(kUnsupported) naming operator and opset.
void resolve(Node& node);
/// Resolves every node, those of bodies too; one Error names all that are missing, so that a user need not try again
/// and again.
void resolve_all(Graph& graph);
/// The kernel that runs on `isa`: its own column, else the best below it; `ran` tells which.
[[nodiscard]] Kernel choose_kernel(const OpRow& row, const Target& target, Isa* ran);

}  // namespace slipway

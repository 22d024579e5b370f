// The plan's text of a network's program: layout, block, and a line for each operation.
#include "ops/network_program.h"

namespace slipway {

std::string text_of(const NetworkProgram& program) {
  constexpr const char* kKinds[] = {"transpose", "copy",      "enter",  "clear", "sums",        "pool",
                                    "add",       "map",       "gather", "leave", "untranspose", "winograd",
                                    "strips",    "depthwise", "mul",    "blend", "grouped"};
  const std::string counted = concat(program.work, " vector multiply-adds");
  std::string out = concat("      lanes are ", program.has_sample_lanes ? "samples" : "channels", ", blocks of ",
                           program.block, ", ", program.slot * 4, " bytes each, ", counted, "\n");
  if (program.alone > 0) out += concat("      sample by sample, ", program.alone, " operations:\n");
  for (int64_t i = 0; i < program.count; ++i) {
    const NetworkOp& op = program.ops[i];
    if (i > 0 && i == program.alone) out += "      all samples of a block at once:\n";
    out += concat("      ", kKinds[static_cast<int>(op.kind)], " ", op.pixels, " x ", op.rows);
    const bool is_tiled = op.kind == NetworkKind::kWinograd;
    const bool is_strip = op.kind == NetworkKind::kStrips;
    const bool is_sum = op.kind == NetworkKind::kSums || is_tiled;
    if (is_tiled) out += concat(" tiles, ", op.terms, " channels");
    if (is_strip) out += concat(" strips, ", op.strips->channels, " channels");
    const bool has_terms = op.kind == NetworkKind::kDepthwise || op.kind == NetworkKind::kGrouped || is_strip;
    if (op.kind == NetworkKind::kSums || has_terms) out += concat(", ", op.terms, " terms");
    if (op.window > 1) out += ", largest of 4";
    if (op.other.pixels != nullptr && is_sum) out += ", plus another";
    if (op.activation.kind != Activation::kNone) out += ", activation";
    out += '\n';
  }
  return out;
}

}  // namespace slipway

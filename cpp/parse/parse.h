// ONNX bytes -> graph. Bounds-checked, without a protobuf library; every length is checked against the bytes at hand.
//
// Time is linear in the bytes. Memory is taken for what is there, never for what is announced: a tensor takes what it
// holds (at most 8 times its bytes in the file), other lists at most 17 times theirs, a node at most 1 KiB and a value
// 512 bytes, both limited in number over all graphs (tests/native/parse_memory_test.cc). Only graphs stand inside each
// other, as bodies of nodes, and their depth is limited; functions are refused by name.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "graph/graph.h"

namespace slipway {

class ExternalFiles;

/// Limits of the reader; a model above one is refused with Error(kLimit) and the number.
struct ParseLimits {
  int64_t max_nodes = 100'000;
  int64_t max_values = 1'000'000;
  int64_t max_name_bytes = 4096;
  int64_t max_constant_bytes = int64_t{2} << 30;
  int max_depth = 16;  ///< bodies inside bodies
};

/// Reads a ModelProto. Nodes come topologically ordered, with their rows not yet resolved and facts only as the file
/// states them. Initializers and Constant nodes become constant facts, also in the bodies that read them; what else a
/// body reads of the graphs around it is a capture (Node::captures). Tensors that lie outside the file come from
/// `files`; without, they are refused. Throws Error(kModel, kUnsupported, kLimit, kIo).
[[nodiscard]] Graph parse(std::span<const std::byte> bytes, const ParseLimits& limits = {},
                          const ExternalFiles* files = nullptr);

}  // namespace slipway

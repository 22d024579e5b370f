// What the attributes of a Scan say.
#pragma once

#include <vector>

#include "ops/op.h"

namespace slipway {

struct ScanRules {
  std::size_t states = 0;
  std::size_t sequences = 0;
  std::vector<int64_t> input_axes;   ///< of each sequence, negative ones from the end
  std::vector<bool> input_reversed;  ///< true: read from its end
  std::vector<int64_t> output_axes;  ///< of each stacked output
  std::vector<bool> output_reversed;
};

/// Reads and checks the attributes. Throws Error.
[[nodiscard]] ScanRules scan_rules(const NodeReader& node);

}  // namespace slipway

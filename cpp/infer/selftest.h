// --selftest: a bundle's checksums hold, and the engine gives the answers that eager PyTorch gave.
#pragma once

#include "infer/arguments.h"

namespace slipway::infer {

/// Prints a line (or, with --json, a row) per output and case. Returns true where all agree. Throws Error(kDamaged)
/// for checksums or goldens that do not hold together, Error(kUsage) where the model is not a bundle.
[[nodiscard]] bool run_selftest(const Arguments& arguments);

}  // namespace slipway::infer

// Whole numbers in the ranges that a model's metadata declares; the twin of python/slipway/runtime/_inputs.py.
#pragma once

#include <vector>

#include "infer/signature.h"

namespace slipway::infer {

/// Checks ready inputs: tokens below their limit, numbers below theirs, lengths of 1 to the steps of what they are the
/// lengths of. Other runtimes compute something else from such values, or end the process. Throws Error(kInput) naming
/// input, value, place and range.
void check_ranges(const Signature& signature, const std::vector<Tensor>& inputs);

}  // namespace slipway::infer

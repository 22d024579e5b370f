// Inputs drawn at random, the same for one seed on every machine.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "infer/signature.h"

namespace slipway::infer {

/// One tensor per input. Sizes come from `shapes`, then from the model, then from inputs that share the dimension's
/// name, else T is 16 and the others 1. Floats lie in [-1, 1); tokens are in the vocabulary and lengths at most T;
/// other whole numbers are 0 or 1. Throws Error(kUsage) where a shape names no input or does not fit.
[[nodiscard]] std::vector<Tensor> random_inputs(const Signature& signature, const std::map<std::string, Shape>& shapes,
                                                uint64_t seed);

}  // namespace slipway::infer

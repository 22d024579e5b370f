// Outputs to labels and probabilities, as docs/bundle-format.md says; the twin of slipway.preprocess.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/tensor.h"
#include "infer/signature.h"

namespace slipway::infer {

struct Choice {
  std::string label;
  double probability = 0.0;  ///< of a segmentation: the share of the pixels
};

/// What a model says of one batch entry.
struct Prediction {
  std::string label;
  bool per_step = false;
  std::vector<std::vector<Choice>> steps;  ///< best choices first, one list per time step, or one in all
};

/// One prediction per batch entry, by the first output that has labels; nothing where all outputs are plain tensors.
/// `top` is the number of choices kept. Throws Error(kInput) where an output has not the shape that its kind needs.
[[nodiscard]] std::optional<std::vector<Prediction>> decode(const Signature& signature,
                                                            const std::vector<Tensor>& outputs, int top);

/// A part of the outputs that belongs to one batch entry: the entry's slices, without the batch axis.
[[nodiscard]] std::vector<Tensor> slice_outputs(const Signature& signature, const std::vector<Tensor>& outputs,
                                                int64_t entry);

}  // namespace slipway::infer

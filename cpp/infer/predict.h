// From items to results: groups what may share a batch, encodes, runs, cuts the outputs apart again.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "infer/decode.h"
#include "infer/encode.h"
#include "infer/engine.h"

namespace slipway::infer {

/// What is shown of one batch entry.
struct Result {
  std::string name;
  std::string json;             ///< the input as a JSON value
  std::vector<Tensor> outputs;  ///< in order of the model's outputs, without the batch axis where it has one
  std::optional<Prediction> prediction;
};

/// Results in order of the items, whatever batches they went through.
[[nodiscard]] std::vector<Result> predict(const Engine& engine, const Signature& signature,
                                          const std::vector<Item>& items, int top);

/// One run of ready tensors: one result per batch entry where the model says what a batch is, else one in all.
[[nodiscard]] std::vector<Result> predict_tensors(const Engine& engine, const Signature& signature,
                                                  const std::vector<Tensor>& inputs, std::span<const Item> items,
                                                  const std::string& name, int top);

}  // namespace slipway::infer

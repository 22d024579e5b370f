#include "infer/predict.h"

#include <map>
#include <utility>

#include "base/error.h"
#include "infer/json.h"
#include "infer/ranges.h"

namespace slipway::infer {

namespace {

Result result_at(const Signature& signature, const std::vector<Tensor>& outputs,
                 std::optional<std::vector<Prediction>>& predictions, int64_t entry) {
  Result result;
  result.outputs = slice_outputs(signature, outputs, entry);
  if (predictions) result.prediction = std::move((*predictions)[static_cast<std::size_t>(entry)]);
  return result;
}

void check_count(const std::optional<std::vector<Prediction>>& predictions, std::size_t count) {
  if (predictions && predictions->size() != count) {
    fail(Code::kModel, "the model gave ", predictions->size(), " answers for ", count, " inputs");
  }
}

/// Batch entries of ready inputs, or 0 where the model does not say what a batch is.
int64_t entries_of(const Signature& signature, const std::vector<Tensor>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const int axis = signature.inputs[i].batch_axis;
    if (axis >= 0 && axis < inputs[i].shape().rank()) return inputs[i].shape()[axis];
  }
  return 0;
}

}  // namespace

std::vector<Result> predict(const Engine& engine, const Signature& signature, const std::vector<Item>& items, int top) {
  std::map<std::vector<int64_t>, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < items.size(); ++i) groups[batch_class(signature, items[i])].push_back(i);
  std::vector<Result> results(items.size());
  for (const auto& [key, members] : groups) {
    std::vector<const Item*> batch;
    for (const std::size_t i : members) batch.push_back(&items[i]);
    const std::vector<Tensor> outputs = engine.run(encode(signature, batch, {}));
    std::optional<std::vector<Prediction>> predictions = decode(signature, outputs, top);
    check_count(predictions, members.size());
    for (std::size_t n = 0; n < members.size(); ++n) {
      Result& result = results[members[n]];
      result = result_at(signature, outputs, predictions, static_cast<int64_t>(n));
      result.name = items[members[n]].name;
      result.json = items[members[n]].json;
    }
  }
  return results;
}

std::vector<Result> predict_tensors(const Engine& engine, const Signature& signature, const std::vector<Tensor>& inputs,
                                    std::span<const Item> items, const std::string& name, int top) {
  check_ranges(signature, inputs);
  std::vector<Tensor> outputs = engine.run(inputs);
  std::optional<std::vector<Prediction>> predictions = decode(signature, outputs, top);
  const int64_t entries = predictions ? static_cast<int64_t>(predictions->size()) : entries_of(signature, inputs);
  if (!items.empty()) check_count(predictions, items.size());
  std::vector<Result> results;
  if (entries == 0) {
    Result& whole = results.emplace_back();
    whole.name = name;
    whole.outputs = std::move(outputs);
    append_json(whole.json, name);
    return results;
  }
  for (int64_t n = 0; n < entries; ++n) {
    Result result = result_at(signature, outputs, predictions, n);
    result.name = entries == 1 ? name : concat(name, "[", n, "]");
    append_json(result.json, result.name);
    if (static_cast<std::size_t>(n) < items.size()) {
      result.name = items[static_cast<std::size_t>(n)].name;
      result.json = items[static_cast<std::size_t>(n)].json;
    }
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace slipway::infer

#include "infer/decode.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/error.h"

namespace slipway::infer {

namespace {

double score_at(const TensorView& scores, int64_t index) {
  return scores.dtype == DType::kFloat64 ? scores.as<double>()[index] : scores.as<float>()[index];
}

std::string label_at(const Signature& signature, std::size_t index) {
  return index < signature.labels.size() ? signature.labels[index] : std::to_string(index);
}

/// Probabilities of one row of scores; the softmax is shifted by the largest score, so that it cannot overflow.
std::vector<double> probabilities_of(const OutputPort& port, const std::vector<double>& scores) {
  std::vector<double> result = scores;
  if (port.scores == Scores::kProbabilities) return result;
  const double shift = port.scores == Scores::kLogits ? *std::max_element(scores.begin(), scores.end()) : 0.0;
  for (double& value : result) value = std::exp(value - shift);
  if (port.scores == Scores::kLogits) {
    const double sum = std::accumulate(result.begin(), result.end(), 0.0);
    for (double& value : result) value /= sum;
  }
  return result;
}

/// The best choices of one row; equal scores stay in order of their classes, NaN comes first, as in numpy.argmax.
std::vector<Choice> best_of(const Signature& signature, const OutputPort& port, const TensorView& scores, int64_t begin,
                            int top) {
  const auto classes = static_cast<std::size_t>(scores.shape[scores.shape.rank() - 1]);
  std::vector<double> row(classes);
  for (std::size_t k = 0; k < classes; ++k) row[k] = score_at(scores, begin + static_cast<int64_t>(k));
  const std::vector<double> probabilities = probabilities_of(port, row);
  std::vector<std::size_t> order(classes);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto is_before = [&](std::size_t a, std::size_t b) {
    if (std::isnan(row[a]) || std::isnan(row[b])) return std::isnan(row[a]) && !std::isnan(row[b]);
    return row[a] > row[b];
  };
  std::stable_sort(order.begin(), order.end(), is_before);
  order.resize(std::min(classes, static_cast<std::size_t>(top)));
  std::vector<Choice> choices;
  for (const std::size_t k : order) choices.push_back({label_at(signature, k), probabilities[k]});
  return choices;
}

[[noreturn]] void refuse_shape(const OutputPort& port, const TensorView& scores, std::string_view expected) {
  fail(Code::kInput, "output ", quote(port.info.name), ": got ", name_of(scores.dtype), " ", scores.shape.text(),
       ", its labels need float ", expected);
}

std::vector<Prediction> decode_classes(const Signature& signature, const OutputPort& port, const TensorView& scores,
                                       int top) {
  const int rank = port.per_step ? 3 : 2;
  if (scores.shape.rank() != rank || scores.shape[rank - 1] == 0) {
    refuse_shape(port, scores, port.per_step ? "[T, N, K]" : "[N, K]");
  }
  const int64_t steps = port.per_step ? scores.shape[0] : 1;
  const int64_t count = scores.shape[rank - 2];
  std::vector<Prediction> predictions(static_cast<std::size_t>(count));
  for (int64_t n = 0; n < count; ++n) {
    Prediction& prediction = predictions[static_cast<std::size_t>(n)];
    prediction.per_step = port.per_step;
    for (int64_t t = 0; t < steps; ++t) {
      prediction.steps.push_back(best_of(signature, port, scores, (t * count + n) * scores.shape[rank - 1], top));
      prediction.label += (t > 0 ? port.join : "") + prediction.steps.back()[0].label;
    }
  }
  return predictions;
}

std::vector<Prediction> decode_binary(const Signature& signature, const OutputPort& port, const TensorView& scores,
                                      int top) {
  const Shape& shape = scores.shape;
  if (shape.rank() < 1 || shape.count(1, shape.rank()) != 1) refuse_shape(port, scores, "[N, 1]");
  std::vector<Prediction> predictions;
  for (int64_t n = 0; n < shape[0]; ++n) {
    const double score = score_at(scores, n);
    const double probability = port.scores == Scores::kLogits ? 1.0 / (1.0 + std::exp(-score)) : score;
    const bool is_second = probability > port.threshold;
    const Choice second = {label_at(signature, 1), probability};
    const Choice first = {label_at(signature, 0), 1.0 - probability};
    std::vector<Choice> choices = {is_second ? second : first, is_second ? first : second};
    choices.resize(std::min(choices.size(), static_cast<std::size_t>(top)));
    predictions.push_back({choices[0].label, false, {std::move(choices)}});
  }
  return predictions;
}

/// The class of the pixel whose first score stands at `at`; the first of equal scores, NaN before all, as numpy.argmax.
std::size_t class_at(const TensorView& scores, int64_t at, int64_t stride) {
  int64_t best = 0;
  for (int64_t k = 0; k < scores.shape[1]; ++k) {
    const double score = score_at(scores, at + k * stride);
    if (std::isnan(score)) return static_cast<std::size_t>(k);
    if (score > score_at(scores, at + best * stride)) best = k;
  }
  return static_cast<std::size_t>(best);
}

std::vector<Prediction> decode_segmentation(const Signature& signature, const OutputPort& port,
                                            const TensorView& scores, int top) {
  if (scores.shape.rank() != 4 || scores.shape.count(1, 4) == 0) refuse_shape(port, scores, "[N, K, H, W]");
  const auto classes = static_cast<std::size_t>(scores.shape[1]);
  const int64_t pixels = scores.shape.count(2, 4);
  std::vector<Prediction> predictions;
  for (int64_t n = 0; n < scores.shape[0]; ++n) {
    std::vector<int64_t> counts(classes, 0);
    for (int64_t i = 0; i < pixels; ++i) ++counts[class_at(scores, n * scores.shape[1] * pixels + i, pixels)];
    std::vector<std::size_t> order(classes);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
    order.resize(std::min(classes, static_cast<std::size_t>(top)));
    std::vector<Choice> choices;
    for (const std::size_t k : order) {
      choices.push_back({label_at(signature, k), static_cast<double>(counts[k]) / static_cast<double>(pixels)});
    }
    predictions.push_back({choices[0].label, false, {std::move(choices)}});
  }
  return predictions;
}

}  // namespace

std::optional<std::vector<Prediction>> decode(const Signature& signature, const std::vector<Tensor>& outputs, int top) {
  for (std::size_t i = 0; i < signature.outputs.size(); ++i) {
    const OutputPort& port = signature.outputs[i];
    if (port.kind == OutputKind::kTensor) continue;
    const TensorView scores = outputs[i].view();
    if (scores.dtype != DType::kFloat32 && scores.dtype != DType::kFloat64) refuse_shape(port, scores, "scores");
    if (port.kind == OutputKind::kSegmentation) return decode_segmentation(signature, port, scores, top);
    return port.kind == OutputKind::kClass ? decode_classes(signature, port, scores, top)
                                           : decode_binary(signature, port, scores, top);
  }
  return std::nullopt;
}

std::vector<Tensor> slice_outputs(const Signature& signature, const std::vector<Tensor>& outputs, int64_t entry) {
  std::vector<Tensor> slices;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Shape& shape = outputs[i].shape();
    const int axis = signature.outputs[i].batch_axis;
    const bool has_entry = axis >= 0 && axis < shape.rank() && entry < shape[axis];
    Shape kept;
    for (int a = 0; a < shape.rank(); ++a) {
      if (!has_entry || a != axis) kept.push_back(shape[a]);
    }
    Tensor slice(outputs[i].dtype(), kept);
    const auto size = static_cast<std::size_t>(size_of(outputs[i].dtype()));
    const auto inner = static_cast<std::size_t>(has_entry ? shape.count(axis + 1, shape.rank()) : shape.count()) * size;
    const int64_t outer = has_entry ? shape.count(0, axis) : 1;
    for (int64_t o = 0; o < outer && inner > 0; ++o) {
      const int64_t block = has_entry ? o * shape[axis] + entry : 0;
      std::memcpy(slice.as<char>() + static_cast<std::size_t>(o) * inner,
                  outputs[i].as<char>() + static_cast<std::size_t>(block) * inner, inner);
    }
    slices.push_back(std::move(slice));
  }
  return slices;
}

}  // namespace slipway::infer

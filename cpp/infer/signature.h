// What a model's inputs and outputs mean, from its metadata (docs/bundle-format.md). A port that the metadata says
// nothing about is a plain tensor, so that any ONNX file has a signature.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "infer/image.h"
#include "infer/text.h"
#include "slipway/slipway.h"

namespace slipway::infer {

/// Of bundles that this program reads; python/slipway/_metadata.py has the same.
inline constexpr int64_t kBundleFormat = 1;

using Metadata = std::map<std::string, std::string, std::less<>>;

struct TensorSpec {
  std::optional<int64_t> below;   ///< whole numbers lie in [0, below), where that is declared
  std::optional<std::size_t> of;  ///< they are lengths of this input instead, 1 to its steps
};

struct LengthSpec {
  std::size_t of = 0;  ///< place of the text port among the inputs
};

struct TableSpec {
  std::vector<std::string> columns;
  std::vector<double> mean;
  std::vector<double> std;
};

using InputSpec = std::variant<TensorSpec, TextSpec, LengthSpec, ImageSpec, TableSpec>;

struct InputPort {
  PortInfo info;
  InputSpec spec;
  int batch_axis = -1;  ///< where N stands, -1 where nowhere
  int time_axis = -1;   ///< where T stands, -1 where nowhere

  /// True where a raw item (a text, an image, a row) is encoded to this input.
  [[nodiscard]] bool is_raw() const noexcept {
    return !std::holds_alternative<TensorSpec>(spec) && !std::holds_alternative<LengthSpec>(spec);
  }
  /// The place of the input whose lengths this one holds, if it holds lengths.
  [[nodiscard]] std::optional<std::size_t> length_of() const noexcept;
};

enum class OutputKind { kTensor, kClass, kBinary, kSegmentation };
enum class Scores { kLogits, kLogProbabilities, kProbabilities };

struct OutputPort {
  PortInfo info;
  OutputKind kind = OutputKind::kTensor;
  Scores scores = Scores::kLogits;
  bool per_step = false;
  std::string join;
  double threshold = 0.5;
  int batch_axis = -1;
};

struct Signature {
  std::vector<std::string> labels;
  std::vector<InputPort> inputs;
  std::vector<OutputPort> outputs;

  /// Places of the inputs that take raw items.
  [[nodiscard]] std::vector<std::size_t> raw_ports() const;
  /// True where there are raw items and all are texts.
  [[nodiscard]] bool takes_texts() const;
  /// "text", "image", "table", "length" or "tensor".
  [[nodiscard]] static std::string_view kind_name(const InputPort& port) noexcept;
};

/// Throws Error(kModel) naming the metadata key at fault, Error(kDamaged) where the format is not this program's.
[[nodiscard]] Signature read_signature(const std::vector<PortInfo>& inputs, const std::vector<PortInfo>& outputs,
                                       const Metadata& metadata);

}  // namespace slipway::infer

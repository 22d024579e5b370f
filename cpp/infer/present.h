// Results as people and programs read them: a table, JSON lines, .npy files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "infer/predict.h"

namespace slipway::infer {

/// Writes to standard output and flushes. Throws Error(kIo) where it cannot, for example on a full disk.
void print(std::string_view text);

/// A line per label: input, label, probability. Aligned columns for a terminal, tabs else. Plain tensors are shown by
/// their first values.
[[nodiscard]] std::string table_of(const Signature& signature, const std::vector<Result>& results, bool is_terminal);

/// One JSON object and line per result: {"input", "outputs", "label", "top"}; for labels per time step "top" holds
/// one list per step.
[[nodiscard]] std::string json_of(const Signature& signature, const std::vector<Result>& results);

/// Collects outputs over all batches and writes them at the end.
class OutputFiles final {
 public:
  /// `file` for a model with one output, or `folder` for one file per output; both empty: nothing is done. Throws
  /// Error(kUsage) where `file` does not suffice.
  OutputFiles(const Signature& signature, std::string file, std::string folder);

  [[nodiscard]] bool is_wanted() const noexcept { return !file_.empty() || !folder_.empty(); }
  /// Keeps what of the results is written by finish().
  void add(std::vector<Result>& results);
  /// Stacks the entries along the batch axis and writes. Throws Error(kInput) where shapes differ.
  void finish();

 private:
  const Signature& signature_;
  std::string file_;
  std::string folder_;
  int runs_ = 0;
  std::vector<std::vector<Tensor>> kept_;  // per output
};

/// A file name for an output: anything but letters, digits, '.', '-' and '_' becomes '_', so that a model's names
/// can never lead out of the folder.
[[nodiscard]] std::string file_name_for(std::string_view output);

}  // namespace slipway::infer

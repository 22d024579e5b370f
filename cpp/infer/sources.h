// Where raw items come from: the command line's texts, images and tables, or lines on standard input.
#pragma once

#include <memory>
#include <vector>

#include "infer/arguments.h"
#include "infer/encode.h"

namespace slipway::infer {

/// A batch is closed at this many items, or where its encoded inputs reach kMaxBatchBytes.
inline constexpr std::size_t kMaxBatch = 256;
inline constexpr int64_t kMaxBatchBytes = int64_t{256} << 20;

/// Gives raw items one batch after the other.
class Source {
 public:
  virtual ~Source() = default;
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  /// The next items, none at the end. Throws Error(kInput) naming the item that cannot be read.
  [[nodiscard]] virtual std::vector<Item> next() = 0;
};

/// The items of the command line. `given` says which inputs have an array from --input. Throws Error(kUsage) where
/// the model takes no such input, or its inputs get different numbers of items.
[[nodiscard]] std::unique_ptr<Source> open_arguments(const Signature& signature, const Arguments& arguments,
                                                     const std::vector<bool>& given);

/// Lines of standard input, each batch being what is there to be read at that moment, so that a conversation through
/// pipes gets its answer line by line; a line holds the texts of a model that takes several with tabs between them.
/// What cannot be read is told by a call of its own, after the lines before it.
/// Throws Error(kUsage) for a model that takes neither exactly one raw input nor texts alone.
[[nodiscard]] std::unique_ptr<Source> open_standard_input(const Signature& signature);

}  // namespace slipway::infer

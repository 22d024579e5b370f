// What is known of a value: element type, dimensions, and the value itself if constant.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/tensor.h"
#include "graph/dim.h"

namespace slipway {

struct Fact {
  DType dtype = DType::kNone;              ///< kNone: not known yet
  std::optional<Dims> dims;                ///< empty: not even the rank is known
  std::shared_ptr<const Tensor> constant;  ///< the value, where it is known

  [[nodiscard]] static Fact of(std::shared_ptr<const Tensor> constant);
  /// True where the same is known; constants are the same if they are one object.
  [[nodiscard]] bool operator==(const Fact&) const = default;
  /// True where every dimension is a number.
  [[nodiscard]] bool is_concrete() const noexcept;
  /// Only for is_concrete(). Throws Error(kUnsupported) above kMaxRank.
  [[nodiscard]] Shape shape() const;
  /// "float32 [N, 3]", with " constant" where it is one.
  [[nodiscard]] std::string text() const;
};

}  // namespace slipway

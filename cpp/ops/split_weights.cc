#include "ops/split_weights.h"

#include <algorithm>
#include <cmath>

namespace slipway {

namespace {

/// Of each, at least: weights of three parts take half as long again to read, which only many rows pay for.
constexpr int64_t kLeastRows = 64;
constexpr int64_t kLeastColumns = 2 * kSplitLines;
constexpr int64_t kLeastTerms = kSplitTerms;

bool can_split_columns(const ConstantMatrix& b) {
  for (int64_t j = 0; j < b.n; ++j) {
    float largest = 0.0F;
    for (int64_t p = 0; p < b.k; ++p) {
      const float x = std::fabs(b.data[p * b.row + j * b.column]);
      if (!(x <= kMostSplit)) return false;
      largest = std::max(largest, x);
    }
    if (!can_split(largest)) return false;
  }
  return true;
}

}  // namespace

std::shared_ptr<const SplitWeights> split_weights(const PrepareContext& context, const ConstantMatrix& b,
                                                  int64_t rows) {
  if (context.isa() != Isa::kAmx || rows < kLeastRows || b.n < kLeastColumns || b.k < kLeastTerms) return nullptr;
  auto split = context.shared<SplitWeights>({1}, "split columns", [&] {
    auto made = std::make_shared<SplitWeights>();
    if (can_split_columns(b)) {
      made->bytes = Tensor(DType::kUint8, Shape{2 * split_size(b.n, b.k)});
      split_columns(b.data, b.row, b.column, b.k, b.n, made->bytes.as<uint16_t>());
    }
    return std::shared_ptr<const SplitWeights>(std::move(made));
  });
  return split->bytes.dtype() != DType::kNone ? split : nullptr;
}

}  // namespace slipway

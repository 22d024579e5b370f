// What Gather, Scatter and their kin share: indices that are checked on every run.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>

#include "ops/index_walk.h"
#include "ops/shapes.h"

namespace slipway {

/// Refuses other types than int64 and int32.
void require_indices(const InferContext& context, int i);

/// Refuses indices (input 1) that have not the rank of data (input 0), or are larger but along `axis`.
void require_fitting_indices(const InferContext& context, int64_t axis);

/// The walk for `axis`, which may be negative.
[[nodiscard]] ElementsWalk elements_walk(const PrepareContext& context, int64_t axis);

/// The attribute `reduction` of ScatterElements and ScatterND, with what the opset knows.
[[nodiscard]] Reduction reduction_of(const NodeReader& node);
/// Shape and type rule of both: y is like data; updates have its type, which must be a number to be reduced.
void infer_scatter(InferContext& context);

namespace scalar {

/// y = data; a loop that changes a few elements of its state may have them at one place already.
inline void copy_data(const OpCall& call) noexcept {
  if (call.outputs[0].data == call.inputs[0].data) return;
  std::memcpy(call.outputs[0].data, call.inputs[0].data, static_cast<std::size_t>(call.inputs[0].bytes()));
}

/// dispatch() to the type that `reduction` needs: what is only moved needs no more than its storage.
template <typename F>
void dispatch_reduction(Reduction reduction, DType dtype, const F& f) {
  if (reduction == Reduction::kNone) return dispatch_storage(dtype, f);
  dispatch(Numbers{}, dtype, f);
}

/// `index` made non-negative. One outside [-size, size) is reported, and -1 returned.
[[nodiscard]] inline int64_t checked_index(const OpCall& call, int64_t index, int64_t size) noexcept {
  if (index < -size || index >= size) {
    call.report("index", index, -size, size - 1);
    return -1;
  }
  return index < 0 ? index + size : index;
}

/// Index i of a list of int64 or int32.
class IndexList {
 public:
  explicit IndexList(const TensorView& view) noexcept
      : wide_(view.dtype == DType::kInt64 ? view.as<int64_t>() : nullptr),
        narrow_(view.dtype == DType::kInt32 ? view.as<int32_t>() : nullptr) {}
  [[nodiscard]] int64_t operator[](int64_t i) const noexcept { return wide_ != nullptr ? wide_[i] : narrow_[i]; }
  /// True where indices [i, i + count) are equal, as those of expanded rows are.
  [[nodiscard]] bool are_same(int64_t i, int64_t count) const noexcept {
    return wide_ != nullptr ? are_same(wide_ + i, count) : are_same(narrow_ + i, count);
  }

 private:
  template <typename I>
  [[nodiscard]] static bool are_same(const I* list, int64_t count) noexcept {
    I difference = 0;
    for (int64_t j = 0; j < count; ++j) difference = static_cast<I>(difference | (list[j] ^ list[0]));
    return difference == 0;
  }

  const int64_t* wide_;
  const int32_t* narrow_;
};

}  // namespace scalar
}  // namespace slipway

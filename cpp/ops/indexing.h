// What Gather, Scatter and their kin share: indices that are checked on every run.
#pragma once

#include <algorithm>
#include <array>

#include "ops/shapes.h"

namespace slipway {

/// Refuses other types than int64 and int32.
void require_indices(const InferContext& context, int i);

/// Refuses indices (input 1) that have not the rank of data (input 0), or are larger but along `axis`.
void require_fitting_indices(const InferContext& context, int64_t axis);

/// For GatherElements and ScatterElements: a walk over the indices along the other axes of data.
struct ElementsWalk {
  Walk<1> walk;
  int64_t size = 0;    ///< of data along the axis
  int64_t stride = 0;  ///< of data along the axis
};
[[nodiscard]] ElementsWalk elements_walk(const PrepareContext& context, int64_t axis);

/// For GatherND and ScatterND: the slice of data that each last row of indices names.
struct TupleIndex {
  TupleIndex(const Shape& data, const Shape& indices, int batch_dims);

  int64_t count = 0;      ///< of rows of indices
  int64_t slice = 0;      ///< elements of one slice of data
  int64_t tuple = 0;      ///< indices per row
  int64_t per_batch = 1;  ///< rows of indices per batch
  int64_t batch_stride = 0;
  std::array<int64_t, kMaxRank> sizes{};
  std::array<int64_t, kMaxRank> strides{};

  /// Place of row i's slice in data. An index out of range is reported, and -1 returned.
  [[nodiscard]] int64_t offset(const OpCall& call, int64_t i) const noexcept;
};

/// Which value stays where several meet.
enum class Reduction { kNone, kAdd, kMul, kMax, kMin };
/// The attribute `reduction` of ScatterElements and ScatterND, with what the opset knows.
[[nodiscard]] Reduction reduction_of(const NodeReader& node);
/// Shape and type rule of both: y is like data; updates have its type, which must be a number to be reduced.
void infer_scatter(InferContext& context);

namespace scalar {

/// y = y combined with x.
template <typename T>
void combine(Reduction reduction, T& y, T x) noexcept {
  switch (reduction) {
    case Reduction::kNone:
      y = x;
      return;
    case Reduction::kAdd:
      y = wrap_add(y, x);
      return;
    case Reduction::kMul:
      y = wrap_multiply(y, x);
      return;
    case Reduction::kMax:
      if (x > y || x != x) y = x;
      return;
    case Reduction::kMin:
      if (x < y || x != x) y = x;
      return;
  }
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

 private:
  const int64_t* wide_;
  const int32_t* narrow_;
};

}  // namespace scalar
}  // namespace slipway

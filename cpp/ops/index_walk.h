// Where indices point to, and what is done there: what the kernels of Gather, Scatter and their kin share.
#pragma once

#include <array>
#include <cstdint>

#include "base/both.h"
#include "ops/call.h"
#include "ops/types.h"
#include "ops/walk.h"

namespace slipway {

/// For GatherElements and ScatterElements: a walk over the indices along the other axes of data.
struct ElementsWalk {
  Walk<1> walk;
  int64_t axis = 0;
  int64_t size = 0;    ///< of data along the axis
  int64_t stride = 0;  ///< of data along the axis
};

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

struct ScatterElementsPrepared {
  ElementsWalk elements;
  Reduction reduction;
};

struct ScatterNdPrepared {
  TupleIndex tuples;
  Reduction reduction;
};

/// y = y combined with x.
template <typename T>
SLIPWAY_BOTH void combine(Reduction reduction, T& y, T x) noexcept {
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

}  // namespace slipway

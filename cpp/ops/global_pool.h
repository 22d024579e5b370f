// What GlobalAveragePool and GlobalMaxPool share: x [N, C, D...] -> y [N, C, 1...].
#pragma once

#include "ops/op.h"
#include "ops/planes.h"

namespace slipway {

inline void infer_global_pool(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(1, 1, 1, 1);
  context.require_dtype(0, {DType::kFloat32, DType::kFloat64});
  context.require_rank(0, 3, kMaxRank);
  const Dims* x = context.dims(0);
  if (x == nullptr) return context.output_unknown(0, context.dtype(0));
  Dims out(x->size(), Dim(1));
  out[0] = (*x)[0];
  out[1] = (*x)[1];
  context.output(0, context.dtype(0), std::move(out));
}

[[nodiscard]] inline std::shared_ptr<const void> prepare_global_pool(PrepareContext& context) {
  const Shape x = context.shape(0);
  context.work = {x.count(), x.count() * size_of(context.dtype(0))};
  return std::make_shared<PlanesCall>(PlanesCall{x[0] * x[1], x.count(2, x.rank())});
}

}  // namespace slipway

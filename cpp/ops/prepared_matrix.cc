#include "ops/prepared_matrix.h"

#include "simd/panels.h"

namespace slipway {

PreparedMatrix OwnedMatrix::view() const noexcept {
  PreparedMatrix view;
  if (panels) view.panels = panels->as<float>();
  if (split) view.split = split->columns();
  if (small) view.small = small->view();
  return view;
}

OwnedMatrix prepare_matrix(PrepareContext& context, const ConstantMatrix& b, const MatrixUse& use) {
  OwnedMatrix owned;
  if (b.data != nullptr && use.has_dense_rows) owned.split = split_weights(context, b, use.rows);
  if (owned.split) {
    context.scratch_bytes = SplitScratch(use.rows, b.n, b.k).bytes();
    return owned;
  }
  if (b.data != nullptr) owned.small = small_panels(context, b, use.rows);
  return owned.small ? owned : prepare_stack(context, b, 1);
}

OwnedMatrix prepare_stack(PrepareContext& context, const ConstantMatrix& first, int64_t count) {
  const int64_t lanes = lanes_of(context.isa());
  const int64_t floats = panels_size(first.k, first.n, lanes);
  const Shape shape{count, floats};
  OwnedMatrix owned;
  if (first.data == nullptr) {
    context.scratch_bytes = shape.checked_bytes(size_of(DType::kFloat32));
    return owned;
  }
  owned.panels = context.shared<Tensor>({1}, concat("panels ", name_of(context.isa())), [&] {
    auto panels = std::make_shared<Tensor>(DType::kFloat32, shape);
    for (int64_t i = 0; i < count; ++i) {
      pack_panels(first.data + i * first.k * first.n, first.row, first.column, first.k, first.n, lanes,
                  panels->as<float>() + i * floats);
    }
    return panels;
  });
  return owned;
}

}  // namespace slipway

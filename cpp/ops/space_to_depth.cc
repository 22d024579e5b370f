// SpaceToDepth:  blocks of pixels become channels. With b = blocksize,
// y[n, (i b + j) C + c, h, w] = x[n, c, h b + i, w b + j].
//
// ONNX SpaceToDepth, opsets 13 to 24. x: [N, C, H, W], y: [N, C b^2, H / b, W / b]; any type.
#include "ops/shapes.h"

namespace slipway {

void infer_space_to_depth(InferContext& context) {
  context.allow_attributes({"blocksize"});
  context.require_counts(1, 1, 1, 1);
  context.require_rank(0, 4, 4);
  const int64_t size = context.require_int("blocksize");
  if (size < 1) context.reject("blocksize is ", size, ", expected 1 or more");
  const int64_t area = checked_multiply(size, size);
  const Dims* x = context.dims(0);
  if (x == nullptr) return context.output_unknown(0, context.dtype(0), 4);
  const auto narrowed = [&](const Dim& dim) {
    if (dim.is_known() && dim.value() % size != 0) {
      context.reject("input has shape ", text_of(*x), ", expected height and width that are multiples of ", size);
    }
    return size == 1 ? dim : dim.is_known() ? Dim(dim.value() / size) : Dim();
  };
  const Dim& channels = (*x)[1];
  const Dim all = size == 1 ? channels : channels.is_known() ? Dim(checked_multiply(channels.value(), area)) : Dim();
  context.output(0, context.dtype(0), {(*x)[0], all, narrowed((*x)[2]), narrowed((*x)[3])});
}

std::shared_ptr<const void> prepare_space_to_depth(PrepareContext& context) {
  (void)prepare_nothing(context);
  Walk<1> walk;
  const Shape x = context.shape(0);
  const Shape y = context.output_shape(0);
  const int64_t size = context.get_int("blocksize", 1);
  const auto strides = strides_of(x);
  const bool is_empty = x.count() == 0;
  if (is_empty) walk.push_axis(0, {0});
  if (!is_empty) {
    walk.push_axis(x[0], {strides[0]});
    walk.push_axis(size, {strides[2]});
    walk.push_axis(size, {1});
    walk.push_axis(x[1], {strides[1]});
    walk.push_axis(y[2], {strides[2] * size});
    walk.push_axis(y[3], {size});
  }
  return std::make_shared<const Walk<1>>(walk);
}

namespace scalar {

void space_to_depth(const OpCall& call) noexcept { copy_walk(call, call.as<Walk<1>>()); }

}  // namespace scalar
}  // namespace slipway

// DepthToSpace:  channels become blocks of pixels. With b = blocksize and C' = C / b^2,
// y[n, c, h b + i, w b + j] = x[n, (i b + j) C' + c, h, w] in `mode` "DCR", x[n, (c b + i) b + j, h, w] in "CRD".
//
// ONNX DepthToSpace, opsets 13 to 24. x: [N, C, H, W], y: [N, C', H b, W b]; any type.
#include "ops/shapes.h"

namespace slipway {

void infer_depth_to_space(InferContext& context) {
  context.allow_attributes({"blocksize", "mode"});
  context.require_counts(1, 1, 1, 1);
  context.require_rank(0, 4, 4);
  const std::string mode = context.get_string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") context.reject("mode is ", quote(mode), ", expected \"DCR\" or \"CRD\"");
  const int64_t size = context.require_int("blocksize");
  if (size < 1) context.reject("blocksize is ", size, ", expected 1 or more");
  const int64_t area = checked_multiply(size, size);
  const Dims* x = context.dims(0);
  if (x == nullptr) return context.output_unknown(0, context.dtype(0), 4);
  const auto widened = [&](const Dim& dim) {
    return size == 1 ? dim : dim.is_known() ? Dim(checked_multiply(dim.value(), size)) : Dim();
  };
  const Dim& channels = (*x)[1];
  if (channels.is_known() && channels.value() % area != 0) {
    context.reject("input has ", channels.value(), " channels, expected a multiple of ", area, ", blocksize squared");
  }
  const Dim left = size == 1 ? channels : channels.is_known() ? Dim(channels.value() / area) : Dim();
  context.output(0, context.dtype(0), {(*x)[0], left, widened((*x)[2]), widened((*x)[3])});
}

std::shared_ptr<const void> prepare_depth_to_space(PrepareContext& context) {
  (void)prepare_nothing(context);
  Walk<1> walk;
  const Shape x = context.shape(0);
  const int64_t size = context.get_int("blocksize", 1);
  const int64_t channels = context.output_shape(0)[1];
  const auto strides = strides_of(x);
  const bool is_empty = x.count() == 0;
  if (is_empty) walk.push_axis(0, {0});
  if (!is_empty) {
    const bool blocks_first = context.get_string("mode", "DCR") == "DCR";
    const int64_t of_channel = strides[1] * (blocks_first ? 1 : size * size);
    const int64_t of_column = strides[1] * (blocks_first ? channels : 1);
    walk.push_axis(x[0], {strides[0]});
    walk.push_axis(channels, {of_channel});
    walk.push_axis(x[2], {strides[2]});
    walk.push_axis(size, {of_column * size});
    walk.push_axis(x[3], {strides[3]});
    walk.push_axis(size, {of_column});
  }
  return std::make_shared<const Walk<1>>(walk);
}

namespace scalar {

void depth_to_space(const OpCall& call) noexcept { copy_walk(call, call.as<Walk<1>>()); }

}  // namespace scalar
}  // namespace slipway

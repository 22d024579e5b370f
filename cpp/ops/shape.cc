// Shape:  y = the sizes of x's axes [start, end).
//
// ONNX Shape, opsets 13 to 24 (`start` and `end` since 15, negative from the back, kept within the rank). x: any type;
// y: int64 [axes]. Known when the model is loaded, where x's sizes are.
#include "ops/prepared.h"
#include "ops/shapes.h"

namespace slipway {

namespace {

ShapePrepared range_of(const NodeReader& node, int64_t rank) {
  const auto place = [&](std::string_view name, int64_t otherwise) {
    const int64_t at = node.get_int(name, otherwise);
    return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const int64_t begin = place("start", 0);
  return {begin, std::max(begin, place("end", rank))};
}

}  // namespace

void infer_shape(InferContext& context) {
  if (context.opset() >= 15) {
    context.allow_attributes({"start", "end"});
  } else {
    context.allow_attributes({});
  }
  context.require_counts(1, 1, 1, 1);
  const Dims* dims = context.dims(0);
  if (dims == nullptr) return context.output_unknown(0, DType::kInt64, 1);
  const auto [begin, end] = range_of(context, static_cast<int64_t>(dims->size()));
  context.output(0, DType::kInt64, {end - begin});
  auto sizes = std::make_shared<Tensor>(DType::kInt64, Shape{end - begin});
  for (int64_t i = begin; i < end; ++i) {
    const Dim& dim = (*dims)[static_cast<std::size_t>(i)];
    if (!dim.is_known()) return;
    sizes->as<int64_t>()[i - begin] = dim.value();
  }
  context.outputs()[0].constant = std::move(sizes);
}

std::shared_ptr<const void> prepare_shape(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const ShapePrepared>(range_of(context, context.shape(0).rank()));
}

namespace scalar {

void shape(const OpCall& call) noexcept {
  const auto [begin, end] = call.as<ShapePrepared>();
  const auto sizes = call.inputs[0].shape.sizes();
  std::copy(sizes.begin() + begin, sizes.begin() + end, call.outputs[0].as<int64_t>());
}

}  // namespace scalar
}  // namespace slipway

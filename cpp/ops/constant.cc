// Constant:  y = the value of its one attribute.
//
// ONNX Constant, opsets 13 to 24: `value`, `value_float`, `value_floats`, `value_int` or `value_ints`. The reader makes
// constants of these nodes itself; this row serves graphs built by hand.
#include <cstring>

#include "cuda/device.h"
#include "ops/prepared.h"
#include "ops/shapes.h"

namespace slipway {

namespace {

template <typename T>
std::shared_ptr<const Tensor> tensor_of(std::span<const T> values, const Shape& shape) {
  auto tensor = std::make_shared<Tensor>(kDTypeOf<T>, shape);
  std::copy(values.begin(), values.end(), tensor->template as<T>());
  return tensor;
}

std::shared_ptr<const Tensor> value_of(const NodeReader& node) {
  if (node.node().attributes.size() != 1) fail(Code::kModel, "must have exactly one attribute");
  if (node.has_attribute("value")) return node.get_tensor("value");
  if (node.has_attribute("value_float")) {
    const float value = node.get_float("value_float", 0);
    return tensor_of<float>({&value, 1}, {});
  }
  if (node.has_attribute("value_int")) {
    const int64_t value = node.get_int("value_int", 0);
    return tensor_of<int64_t>({&value, 1}, {});
  }
  if (node.has_attribute("value_floats")) {
    const std::vector<float> values = node.get_floats("value_floats");
    return tensor_of<float>(values, {static_cast<int64_t>(values.size())});
  }
  const std::vector<int64_t> values = node.get_ints("value_ints");
  return tensor_of<int64_t>(values, {static_cast<int64_t>(values.size())});
}

}  // namespace

void infer_constant(InferContext& context) {
  context.allow_attributes({"value", "value_float", "value_floats", "value_int", "value_ints"});
  context.require_counts(0, 0, 1, 1);
  context.outputs()[0] = Fact::of(value_of(context));
}

namespace {

struct OwnedConstant : ConstantPrepared {
  std::shared_ptr<const Tensor> value;
  std::shared_ptr<const DeviceMemory> memory;
};

}  // namespace

std::shared_ptr<const void> prepare_constant(PrepareContext& context) {
  (void)prepare_nothing(context);
  auto prepared = std::make_shared<OwnedConstant>();
  prepared->value = value_of(context);
  prepared->data = prepared->value->view().data;
  if (context.isa() != Isa::kCuda) return prepared;
  prepared->memory = context.uploaded({}, "value", [&] {
    Tensor copy(prepared->value->dtype(), prepared->value->shape());
    std::memcpy(copy.mutable_view().data, prepared->data, static_cast<std::size_t>(copy.bytes()));
    return copy;
  });
  prepared->data = prepared->memory->data();
  return prepared;
}

namespace scalar {

void constant(const OpCall& call) noexcept {
  std::memcpy(call.outputs[0].data, call.as<ConstantPrepared>().data,
              static_cast<std::size_t>(call.outputs[0].bytes()));
}

}  // namespace scalar
}  // namespace slipway

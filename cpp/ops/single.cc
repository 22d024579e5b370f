#include "ops/single.h"

#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/float_scope.h"
#include "ops/device_call.h"
#include "ops/fault.h"
#include "ops/shapes.h"
#include "ops/table.h"

namespace slipway {

namespace {

Fact fact_of(const TensorView& view) {
  return {view.dtype, Dims(view.shape.sizes().begin(), view.shape.sizes().end()), nullptr};
}

Fact constant_of(const TensorView& host) {
  auto copy = std::make_shared<Tensor>(host.dtype, host.shape);
  std::memcpy(copy->mutable_view().data, host.data, static_cast<std::size_t>(host.bytes()));
  return Fact::of(std::move(copy));
}

std::vector<const Fact*> pointers(const std::vector<Fact>& facts) {
  std::vector<const Fact*> out;
  for (const Fact& fact : facts) out.push_back(fact.dtype == DType::kNone ? nullptr : &fact);
  return out;
}

/// All of one call but its memory.
struct Prepared {
  std::vector<Fact> outputs;
  Kernel kernel = nullptr;  // null: the output is the input, or has no element
  std::shared_ptr<const void> call = nullptr;
  int64_t scratch_bytes = 0;
  int64_t flops = 0;
};

/// `facts` are those of the inputs; constant_at(i) gives the value of one whose value decides shapes.
template <typename ConstantAt>
Prepared prepare_single(const Node& node, std::vector<Fact> facts, const Target& target,
                        const ConstantAt& constant_at) {
  if (node.row->kind == RowKind::kControl) fail(Code::kUsage, "runs a graph, so it runs in a session only");
  const std::vector<const Fact*> in = pointers(facts);
  const auto infer = [&] {
    InferContext context(node, in);
    node.row->infer(context);
    return std::pair(context.outputs(), context.awaited());
  };
  auto [made, awaited] = infer();
  for (const int i : awaited) facts[static_cast<std::size_t>(i)] = constant_at(static_cast<std::size_t>(i));
  Prepared prepared{awaited.empty() ? std::move(made) : infer().first};
  std::vector<const Fact*> out;
  int64_t bytes = 0;  // as a plan does: what follows counts without looking for an overflow
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const Fact& fact = prepared.outputs[i];
    const bool is_wanted = node.outputs[i] != kNoValue;
    out.push_back(is_wanted ? &fact : nullptr);
    if (!is_wanted) continue;
    if (!fact.is_concrete()) fail(Code::kInput, "the shape of output ", i, " does not follow from the inputs");
    bytes = checked_add(bytes, fact.shape().checked_bytes(size_of(fact.dtype)));
  }
  if (node.row->kind == RowKind::kView) return prepared;
  Isa column = Isa::kScalar;
  prepared.kernel = choose_kernel(*node.row, target, &column);
  PrepareContext context(node, in, out, target.at(column));
  if (context.makes_nothing()) {
    prepared.kernel = nullptr;
    return prepared;
  }
  prepared.call = node.row->prepare(context);
  prepared.scratch_bytes = context.scratch_bytes;
  prepared.flops = context.work.flops;
  return prepared;
}

std::vector<Tensor> run_on_host(const Prepared& prepared, std::span<const TensorView> inputs,
                                std::vector<Tensor> results, ThreadPool* pool) {
  if (prepared.kernel == nullptr) {
    if (!results.empty() && results[0].bytes() > 0)
      std::memcpy(results[0].mutable_view().data, inputs[0].data, static_cast<std::size_t>(inputs[0].bytes()));
    return results;
  }
  Buffer scratch(prepared.scratch_bytes);
  std::vector<MutableView> outputs;
  for (Tensor& tensor : results) outputs.push_back(tensor.mutable_view());
  RunFault fault;
  prepared.kernel(OpCall{inputs, outputs, prepared.call.get(), scratch.data(), pool, &fault});
  throw_if(fault);
  return results;
}

std::vector<Tensor> run_through_device(const Prepared& prepared, std::span<const TensorView> inputs,
                                       std::vector<Tensor> results, const std::shared_ptr<CudaDevice>& device) {
  if (prepared.kernel == nullptr) return run_on_host(prepared, inputs, std::move(results), nullptr);
  const CudaStream stream(device);
  std::vector<DeviceMemory> memory;
  std::vector<TensorView> there(inputs.begin(), inputs.end());
  for (TensorView& view : there) {
    if (!view.is_present()) continue;
    memory.emplace_back(device, view.bytes());
    device->copy(memory.back().data(), view.data, view.bytes(), stream.get());
    view.data = memory.back().data();
  }
  std::vector<MutableView> outputs;
  for (Tensor& tensor : results) {
    MutableView view = tensor.mutable_view();
    memory.emplace_back(device, view.is_present() ? view.bytes() : 0);
    view.data = memory.back().data();
    outputs.push_back(view);
  }
  const DeviceMemory scratch(device, prepared.scratch_bytes);
  DeviceFaultCell cell(device);
  call_on_device(prepared.kernel, OpCall{there, outputs, prepared.call.get(), scratch.data()}, *device, cell,
                 stream.get());
  for (std::size_t i = 0; i < results.size(); ++i) {
    device->copy(results[i].mutable_view().data, outputs[i].data, results[i].bytes(), stream.get());
  }
  device->synchronize(stream.get());
  cell.check();
  return results;
}

}  // namespace

std::vector<Tensor> run_single(const Node& node, std::span<const TensorView> inputs, const Target& target,
                               ThreadPool* pool, bool all_constant, int64_t* flops_left) {
  const FloatScope floats;
  std::vector<Fact> facts;
  for (const TensorView& view : inputs) {
    const bool is_integer = view.dtype == DType::kInt64 || view.dtype == DType::kInt32;
    const bool is_constant = all_constant || is_integer;
    facts.push_back(!view.is_present() ? Fact{} : is_constant ? constant_of(view) : fact_of(view));
  }
  const Prepared prepared =
      prepare_single(node, std::move(facts), target, [&](std::size_t i) { return constant_of(inputs[i]); });
  if (flops_left != nullptr) {
    if (prepared.flops > *flops_left) fail(Code::kLimit, "takes ", prepared.flops, " operations");
    *flops_left -= prepared.flops;
  }
  std::vector<Tensor> results;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const Fact& fact = prepared.outputs[i];
    results.push_back(node.outputs[i] == kNoValue ? Tensor() : Tensor(fact.dtype, fact.shape()));
  }
  if (target.isa == Isa::kCuda) return run_through_device(prepared, inputs, std::move(results), target.device);
  return run_on_host(prepared, inputs, std::move(results), pool);
}

void run_single_on_device(const Node& node, std::span<const TensorView> inputs, const Target& target, void* stream,
                          Outputs& outputs) {
  const FloatScope floats;
  const std::shared_ptr<CudaDevice>& device = target.device;
  std::vector<Fact> facts;
  for (const TensorView& view : inputs) facts.push_back(view.is_present() ? fact_of(view) : Fact{});
  const Prepared prepared = prepare_single(node, std::move(facts), target, [&](std::size_t i) {
    Tensor host(inputs[i].dtype, inputs[i].shape);
    device->copy(host.mutable_view().data, inputs[i].data, inputs[i].bytes(), stream);
    device->synchronize(stream);
    return Fact::of(std::make_shared<Tensor>(std::move(host)));
  });
  std::vector<MutableView> views;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == kNoValue) {
      views.emplace_back();
      continue;
    }
    const Fact& fact = prepared.outputs[i];
    outputs.prepare(i, fact.dtype, fact.shape());
    views.push_back({outputs.address(i), fact.dtype, fact.shape()});
  }
  if (prepared.kernel == nullptr) {
    if (views[0].bytes() > 0) device->copy(views[0].data, inputs[0].data, inputs[0].bytes(), stream);
    return;
  }
  const DeviceMemory scratch(device, prepared.scratch_bytes);
  DeviceFaultCell cell(device);
  call_on_device(prepared.kernel, OpCall{inputs, views, prepared.call.get(), scratch.data()}, *device, cell, stream);
  device->synchronize(stream);  // prepared, scratch and cell go when this function returns
  cell.check();
}

}  // namespace slipway

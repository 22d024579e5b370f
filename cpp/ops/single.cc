#include "ops/single.h"

#include <cstring>
#include <memory>

#include "base/error.h"
#include "ops/fault.h"
#include "ops/table.h"

namespace slipway {

namespace {

Fact fact_of(const TensorView& view, bool constant) {
  if (!constant) return {view.dtype, Dims(view.shape.sizes().begin(), view.shape.sizes().end()), nullptr};
  auto copy = std::make_shared<Tensor>(view.dtype, view.shape);
  std::memcpy(copy->mutable_view().data, view.data, static_cast<std::size_t>(view.bytes()));
  return Fact::of(std::move(copy));
}

std::vector<const Fact*> pointers(const std::vector<Fact>& facts) {
  std::vector<const Fact*> out;
  for (const Fact& fact : facts) out.push_back(fact.dtype == DType::kNone ? nullptr : &fact);
  return out;
}

// Which inputs the output shapes wait for.
std::vector<int> awaited(const Node& node, const std::vector<Fact>& facts) {
  const std::vector<const Fact*> in = pointers(facts);
  InferContext infer(node, in);
  node.row->infer(infer);
  return infer.awaited();
}

}  // namespace

std::vector<Tensor> run_single(const Node& node, std::span<const TensorView> inputs, Isa isa, ThreadPool* pool,
                               bool all_constant) {
  try {
    if (node.row->kind == RowKind::kControl) fail(Code::kUsage, "runs a graph, so it runs in a session only");
    std::vector<Fact> facts;
    for (const TensorView& view : inputs) {
      const bool integer = view.dtype == DType::kInt64 || view.dtype == DType::kInt32;
      facts.push_back(view.is_present() ? fact_of(view, all_constant || integer) : Fact{});
    }
    for (const int i : awaited(node, facts)) {
      const auto at = static_cast<std::size_t>(i);
      facts[at] = fact_of(inputs[at], true);
    }
    const std::vector<const Fact*> in = pointers(facts);
    InferContext infer(node, in);
    node.row->infer(infer);

    std::vector<Tensor> results;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const Fact& fact = infer.outputs()[i];
      if (node.outputs[i] == kNoValue) {
        results.emplace_back();
        continue;
      }
      if (!fact.is_concrete()) fail(Code::kInput, "the shape of output ", i, " does not follow from the inputs");
      results.emplace_back(fact.dtype, fact.shape());
    }
    if (node.row->kind == RowKind::kView) {
      std::memcpy(results[0].mutable_view().data, inputs[0].data, static_cast<std::size_t>(inputs[0].bytes()));
      return results;
    }

    std::vector<const Fact*> out;
    for (std::size_t i = 0; i < results.size(); ++i)
      out.push_back(node.outputs[i] == kNoValue ? nullptr : &infer.outputs()[i]);
    Isa column = Isa::kScalar;
    const Kernel kernel = choose_kernel(*node.row, isa, &column);
    PrepareContext prepare(node, in, out, column);
    const std::shared_ptr<const void> prepared = node.row->prepare(prepare);
    Buffer scratch(prepare.scratch_bytes);
    std::vector<MutableView> outputs;
    for (Tensor& tensor : results) outputs.push_back(tensor.mutable_view());
    RunFault fault;
    kernel(OpCall{inputs, outputs, prepared.get(), scratch.data(), pool, &fault});
    throw_if(fault);
    return results;
  } catch (const Error& error) {
    throw error.at(node.title());
  }
}

}  // namespace slipway

// Outputs in memory that a caller has given, or in fresh tensors.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/apart.h"
#include "base/error.h"
#include "base/memory_budget.h"
#include "base/outputs.h"
#include "base/tensor.h"
#include "graph/graph.h"

namespace slipway {

/// Where into[k].data is null, output k is allocated and put into (*allocated)[k].
class GivenOutputs final : public Outputs {
 public:
  GivenOutputs(const Graph& graph, std::span<const MutableView> into, std::vector<Tensor>* allocated)
      : graph_(graph), into_(into), allocated_(allocated) {}

  void prepare(std::size_t k, DType dtype, const Shape& shape) override {
    if (is_given(k)) return check_given(k, dtype, shape);
    if (allocated_->size() <= k) allocated_->resize(graph_.outputs.size());
    const std::shared_ptr<MemoryBudget> nobody;
    const BudgetScope scope(nobody);  // results are the caller's
    (*allocated_)[k] = Tensor(dtype, shape);
  }

  [[nodiscard]] void* address(std::size_t k) const noexcept override {
    return is_given(k) ? into_[k].data : (*allocated_)[k].mutable_view().data;
  }

 private:
  [[nodiscard]] bool is_given(std::size_t k) const noexcept { return into_.size() > k && into_[k].data != nullptr; }

  void check_given(std::size_t k, DType dtype, const Shape& shape) const {
    const std::string& name = graph_.values[static_cast<std::size_t>(graph_.outputs[k])].name;
    if (into_[k].dtype == dtype && into_[k].shape == shape) {
      return check_aligned(into_[k].data, dtype, shape, "output", name);
    }
    fail(Code::kInput, "the memory given for output ", quote(name), " is ", name_of(into_[k].dtype), " ",
         into_[k].shape.text(), ", expected ", name_of(dtype), " ", shape.text());
  }

  const Graph& graph_;
  std::span<const MutableView> into_;
  std::vector<Tensor>* allocated_;
};

}  // namespace slipway

// The choice among the three, and If.
#include "exec/control.h"

#include <vector>

#include "base/error.h"
#include "exec/repeat.h"
#include "exec/runner.h"

namespace slipway {

namespace {

// Memory for each output, kept from run to run.
class Kept final : public Outputs {
 public:
  explicit Kept(std::size_t count) : buffers_(count), views_(count) {}

  void prepare(std::size_t k, DType dtype, const Shape& shape) override {
    reserve(buffers_[k], shape.checked_bytes(size_of(dtype)));
    views_[k] = {buffers_[k].data(), dtype, shape};
  }
  [[nodiscard]] void* address(std::size_t k) const noexcept override { return const_cast<void*>(views_[k].data); }
  [[nodiscard]] const TensorView& view(std::size_t k) const noexcept { return views_[k]; }

 private:
  std::vector<Buffer> buffers_;
  std::vector<TensorView> views_;
};

class If final : public Control {
 public:
  If(Runner& then_branch, Runner& else_branch)
      : then_(then_branch), else_(else_branch), outputs_(then_branch.graph().outputs.size()) {}

  void run(std::span<const TensorView> inputs, std::span<TensorView> results) override {
    const bool is_true = truth(inputs[0]);
    try {
      (is_true ? then_ : else_).run_inside(inputs.subspan(1), outputs_);
    } catch (const Error& error) {
      throw error.at(is_true ? "then_branch" : "else_branch");
    }
    for (std::size_t k = 0; k < results.size(); ++k) results[k] = outputs_.view(k);
  }

 private:
  Runner& then_;
  Runner& else_;
  Kept outputs_;
};

}  // namespace

bool truth(const TensorView& condition) {
  if (condition.shape.count() != 1) {
    fail(Code::kFault, "the condition has shape ", condition.shape.text(), ", expected one element");
  }
  return *condition.as<unsigned char>() != 0;
}

std::unique_ptr<Control> make_control(const Node& node, std::span<const std::unique_ptr<Runner>> bodies,
                                      const Machine& machine) {
  if (node.op == "Loop") return make_loop(node, *bodies[0], machine.max_steps);
  if (node.op == "Scan") return make_scan(node, *bodies[0]);
  return std::make_unique<If>(*bodies[1], *bodies[0]);  // in order of name: else_branch, then_branch
}

}  // namespace slipway

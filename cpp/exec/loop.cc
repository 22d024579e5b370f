// Runs a Loop: its body again and again, each time with the states that the step before made.
#include <limits>

#include "base/error.h"
#include "base/interrupt.h"
#include "exec/repeat.h"
#include "exec/runner.h"

namespace slipway {

namespace {

class Loop final : public Control {
 public:
  Loop(const Node& node, Runner& body, int64_t max_steps)
      : body_(body),
        max_steps_(max_steps),
        states_(static_cast<std::size_t>(node.own_inputs()) - 2),
        repeat_(true, states_, body.graph().outputs.size() - 1 - states_, 2),
        inputs_(body.graph().inputs.size()) {
    inputs_[0] = {&step_, DType::kInt64, stated_shape(0)};
    inputs_[1] = {&condition_, DType::kBool, stated_shape(1)};
  }

  void run(std::span<const TensorView> inputs, std::span<TensorView> results) override {
    const int64_t most = inputs[0].is_present() ? count_of(inputs[0]) : std::numeric_limits<int64_t>::max();
    condition_ = inputs[1].is_present() ? truth(inputs[1]) : true;
    repeat_.start(inputs.subspan(2, states_), false, 0);
    for (std::size_t i = 2; i < inputs.size(); ++i) inputs_[i] = inputs[i];
    for (step_ = 0; step_ < most && condition_; ++step_) {
      try {
        take_step();
      } catch (const Error& error) {
        throw error.at(concat("step ", step_));
      }
    }
    answer(results);
  }

 private:
  // A scalar, or a list of one where the body states that.
  [[nodiscard]] Shape stated_shape(std::size_t i) const {
    const auto& dims = body_.graph().values[static_cast<std::size_t>(body_.graph().inputs[i])].fact.dims;
    return dims && dims->size() == 1 ? Shape{1} : Shape{};
  }

  static int64_t count_of(const TensorView& count) {
    if (count.shape.count() != 1) {
      fail(Code::kFault, "the number of steps has shape ", count.shape.text(), ", expected one element");
    }
    return *count.as<int64_t>();
  }

  void take_step() {
    if (step_ >= max_steps_) fail(Code::kLimit, "more steps than the limit of ", max_steps_);
    check_interrupt();
    for (std::size_t i = 0; i < states_; ++i) inputs_[2 + i] = repeat_.state(i);
    body_.run_inside(inputs_, repeat_);
    condition_ = repeat_.condition();
    repeat_.advance();
  }

  void answer(std::span<TensorView> results) {
    for (std::size_t k = 0; k < results.size() && k < states_; ++k) results[k] = repeat_.state(k);
    if (results.size() <= states_) return;
    if (repeat_.steps() > 0) {
      for (std::size_t k = states_; k < results.size(); ++k) results[k] = repeat_.rows(k - states_);
      return;
    }
    const auto empty = empty_rows(body_.graph(), inputs_, 1 + states_);
    for (std::size_t k = states_; k < results.size(); ++k) {
      results[k] = {&step_, empty[k - states_].first, empty[k - states_].second};  // no byte of it is read
    }
  }

  Runner& body_;
  int64_t max_steps_;
  std::size_t states_;
  Repeat repeat_;
  std::vector<TensorView> inputs_;  // of the body
  int64_t step_ = 0;
  bool condition_ = true;
};

}  // namespace

std::unique_ptr<Control> make_loop(const Node& node, Runner& body, int64_t max_steps) {
  return std::make_unique<Loop>(node, body, max_steps);
}

}  // namespace slipway

#include "plan/updates.h"

#include <algorithm>

namespace slipway {

std::vector<Update> find_updates(const Plan& plan) {
  std::vector<Update> updates;
  if (plan.segment > 0 || !plan.is_last()) return updates;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    if (step.node == nullptr || (step.node->op != "ScatterElements" && step.node->op != "ScatterND")) continue;
    const Place& from = step.inputs[0].place;
    const Place& to = step.outputs[0].place;
    if (from.kind != Place::Kind::kInput || to.kind != Place::Kind::kOutput) continue;
    const auto reads = [&](const Operand& operand) {
      return operand.place.kind == Place::Kind::kInput && operand.place.index == from.index;
    };
    const bool is_read_beside = std::any_of(step.inputs.begin() + 1, step.inputs.end(), reads);
    const bool is_read_later =
        std::any_of(plan.steps.begin() + static_cast<std::ptrdiff_t>(i) + 1, plan.steps.end(),
                    [&](const Step& later) { return std::any_of(later.inputs.begin(), later.inputs.end(), reads); });
    if (!is_read_beside && !is_read_later) updates.push_back({to.index, from.index});
  }
  return updates;
}

}  // namespace slipway

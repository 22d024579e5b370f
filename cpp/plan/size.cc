// What a plan takes beside the arrays that it keeps.
#include "plan/plan.h"

namespace slipway {

int64_t Plan::bytes() const noexcept {
  constexpr std::size_t kArgument = sizeof(Operand) + sizeof(TensorView);  // a frame has a view of each
  std::size_t bytes = facts.size() * (sizeof(Fact) + kMaxRank * sizeof(Dim)) + where.size() * sizeof(Operand);
  for (const Step& step : steps)
    bytes += sizeof(Step) + step.note.capacity() + (step.inputs.size() + step.outputs.size()) * kArgument;
  for (const ControlStep& control : controls) bytes += sizeof(ControlStep) + control.inputs.size() * kArgument;
  return static_cast<int64_t>(bytes) + (part ? part->bytes() : 0);
}

}  // namespace slipway

// The text form of a plan.
#include "base/error.h"
#include "plan/plan.h"

namespace slipway {

namespace {

std::string text_of(const Operand& operand) {
  const Place& place = operand.place;
  const std::string type = concat(name_of(operand.dtype), operand.shape.text());
  switch (place.kind) {
    case Place::Kind::kInput:
      return concat(type, "@input", place.index);
    case Place::Kind::kConstant:
      return concat(type, "@constant");
    case Place::Kind::kArena:
      return concat(type, "@arena", place.index, "+", place.offset);
    case Place::Kind::kOutput:
      return concat(type, "@output", place.index);
    case Place::Kind::kResult:
      return concat(type, "@result", place.index, "+", place.offset);
    case Place::Kind::kNowhere:
      break;
  }
  return "-";
}

}  // namespace

std::string text_of(const Plan& plan) {
  std::string out = concat("segment ", plan.segment, ": ", plan.steps.size(), " steps, arena ", plan.arena_bytes,
                           " bytes, scratch ", plan.scratch_bytes, " bytes\n");
  if (plan.part) {
    out += concat("  runs as ", plan.parts, " parts", plan.part_rows > 1 ? " on several threads" : "",
                  ", each with an arena of ", plan.part->arena_bytes, " bytes and scratch of ",
                  plan.part->scratch_bytes, " bytes\n");
  }
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    out +=
        concat("  ", i, " ", step.node != nullptr ? concat(step.node->title(), " [", name_of(step.isa), "]") : "copy");
    for (const Operand& operand : step.inputs) out += concat(" ", text_of(operand));
    out += " ->";
    for (const Operand& operand : step.outputs) out += concat(" ", text_of(operand));
    if (step.work.flops > 0) out += concat("  ", step.work.flops, " flops");
    out += '\n';
    out += step.note;
  }
  for (const ControlStep& control : plan.controls) {
    out += concat("  then runs ", control.node->title());
    for (const Operand& operand : control.inputs) out += concat(" ", text_of(operand));
    out += concat(" and plans ", plan.deferred.size(), " nodes\n");
  }
  for (const Operand& operand : plan.awaited)
    out += concat("  then reads ", text_of(operand), " and plans ", plan.deferred.size(), " nodes\n");
  return out;
}

}  // namespace slipway

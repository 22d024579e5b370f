// Models that follow the rules of ONNX, chains of all operators: each must load, run, have the shapes that the rules
// give, and agree with itself in all ways there are (ways.h). What the engine does not support is told by its code.
#include "fuzz.h"
#include "maker.h"
#include "ways.h"

namespace slipway::fuzz {
namespace {

constexpr int64_t kMostNodes = 8;

void check_answer(const Answer& answer, const std::vector<Made>& outputs) {
  if (!answer.has_run()) {
    if (answer.is_unsupported) return;
    report(concat("a right model is refused: ", answer.refusal));
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Shape expected(outputs[i].dims);
    const Tensor& output = answer.outputs[i];
    if (output.dtype() == outputs[i].dtype && output.shape() == expected) continue;
    report(concat("output ", outputs[i].name, " is ", name_of(output.dtype()), " ", output.shape().text(),
                  ", expected ", name_of(outputs[i].dtype), " ", expected.text()));
  }
}

void run(std::span<const uint8_t> bytes) {
  Decisions decisions(bytes);
  constexpr int64_t kOpsets[] = {20, 13, 15, 18, 24, 22};
  Maker maker(decisions, false);
  maker.opset = decisions.one_of(kOpsets);
  for (int64_t count = decisions.from(1, kMostNodes); count > 0 && !decisions.is_at_end(); --count) {
    const OpMaker& chosen = all_makers()[decisions.pick(all_makers().size())];
    if (chosen.op == "Gelu" && maker.opset < 20) continue;
    if (chosen.op == "HardSwish" && maker.opset < 14) continue;
    if (chosen.op == "LayerNormalization" && maker.opset < 17) continue;
    if (chosen.op == "Mish" && maker.opset < 18) continue;
    if (chosen.op == "Trilu" && maker.opset < 14) continue;
    chosen.make(maker, chosen.op);
  }
  // The last value, which most others lead to, and one from the middle.
  std::vector<Made> outputs;
  if (!maker.values().empty()) outputs.push_back(maker.values().back());
  if (maker.values().size() > 2 && decisions.chance(2)) outputs.push_back(maker.values()[maker.values().size() / 2]);
  if (outputs.empty()) return;
  const std::string model = maker.finish(outputs).bytes();
  const auto model_bytes = std::as_bytes(std::span(model));
  const auto closeness = [&] { return closeness_of_model(model_bytes); };
  check_answer(run_ways(model_bytes, maker.inputs(), closeness, salt_of(model_bytes)), outputs);
}

}  // namespace

const Target kTarget{"graph", Form::kDecisions, 1024, &random_seeds};

}  // namespace slipway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  slipway::fuzz::run(std::span(data, size));
  return 0;
}

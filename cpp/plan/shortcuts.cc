#include "plan/shortcuts.h"

#include <algorithm>

#include "base/error.h"

namespace slipway {

namespace {

bool is(const Node& node, std::string_view op) { return node.domain.empty() && node.op == op; }

/// True where sizes follow from the window and nothing is added around the input, or cut off.
bool has_plain_window(const Node& node) {
  const NodeReader reader(node);
  const std::vector<int64_t> pads = reader.get_ints("pads");
  return std::all_of(pads.begin(), pads.end(), [](int64_t pad) { return pad == 0; }) &&
         reader.get_string("auto_pad", "NOTSET") == "NOTSET" && reader.get_int("ceil_mode", 0) == 0;
}

}  // namespace

bool gives_input(const PrepareContext& context) {
  const Node& node = context.node();
  if ((!is(node, "Slice") && !is(node, "Expand")) || context.output_shape(0) != context.shape(0)) return false;
  // A step above 1 keeps the size of no axis but of one element, a step below 0 that of an axis which it reverses.
  if (node.op == "Expand" || !context.has_input(4)) return true;
  const std::vector<int64_t> steps = context.ints(4);
  return std::all_of(steps.begin(), steps.end(), [](int64_t step) { return step > 0; });
}

bool keeps_beginnings(const PrepareContext& slice, const Node& maker) {
  if (!is(slice.node(), "Slice") || !is(maker, "ConvTranspose")) return false;
  // Where the size is given, pads follow from it.
  const NodeReader reader(maker);
  if (!reader.get_ints("output_shape").empty() || reader.get_string("auto_pad", "NOTSET") != "NOTSET") return false;
  const Shape from = slice.shape(0);
  const Shape kept = slice.output_shape(0);
  if (kept.count() == 0 || from[0] != kept[0] || from[1] != kept[1]) return false;
  const auto all_are = [&](int input, int64_t wanted) {
    const std::vector<int64_t> values = slice.ints(input);
    return std::all_of(values.begin(), values.end(), [&](int64_t value) { return value == wanted; });
  };
  return all_are(1, 0) && (!slice.has_input(4) || all_are(4, 1));
}

bool pads_in_vain(const PrepareContext& pad, const Node& pool, const Fact& input, const Shape& pooled) {
  if (!is(pad.node(), "Pad") || (!is(pool, "AveragePool") && !is(pool, "MaxPool")) || !has_plain_window(pool)) {
    return false;
  }
  const std::vector<int64_t> pads = pad.ints(1);
  const auto ends = pads.begin() + static_cast<std::ptrdiff_t>(pads.size() / 2);
  if (!std::all_of(pads.begin(), ends, [](int64_t begin) { return begin == 0; })) return false;
  if (!std::all_of(ends, pads.end(), [](int64_t end) { return end >= 0; })) return false;
  try {
    // As many windows as before, none of which begins elsewhere: then all of them lie within the input.
    const Fact* inputs[] = {&input};
    InferContext infer(pool, inputs);
    pool.row->infer(infer);
    return infer.outputs()[0].is_concrete() && infer.outputs()[0].shape() == pooled;
  } catch (const Error&) {
    return false;  // the input is smaller than a window
  }
}

}  // namespace slipway

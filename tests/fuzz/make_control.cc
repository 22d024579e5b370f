// If, Loop and Scan, with bodies of a few nodes that read what stands around them.
#include <algorithm>

#include "maker.h"

namespace slipway::fuzz {

namespace {

using check::Message;

constexpr DType kFloat[] = {DType::kFloat32};

// A few nodes of a body that end in a value like `like`.
Made few_nodes(Maker& maker, const Made& like) {
  constexpr std::string_view kSteps[] = {"Tanh", "Neg", "Relu", "Sigmoid", "Identity"};
  Made last = like;
  for (int64_t more = maker.d.from(1, 2); more > 0; --more) {
    last = maker.add(maker.d.one_of(kSteps), {last}, {}, like.dtype, like.dims);
  }
  if (maker.d.chance(2)) return last;
  return maker.add("Add", {last, maker.fresh(like.dtype, {1})}, {}, like.dtype, like.dims);
}

// Add broadcasts [1] to a scalar as one of rank 1: bodies keep the rank of what they get.
Made state_of(Maker& maker, int low, int high) {
  const Made x = maker.pick(kFloat, low, high);
  return x.rank() > 0 ? x : maker.fresh(x.dtype, {3});
}

void make_if(Maker& maker, std::string_view op) {
  const Made x = state_of(maker, 1, 4);
  const Made condition = maker.fresh(DType::kBool, {});
  const auto yes = maker.body({}, [&] { return std::vector<Made>{few_nodes(maker, x)}; });
  const auto no = maker.body({}, [&] { return std::vector<Made>{few_nodes(maker, x)}; });
  maker.add(op, {condition}, {check::attribute("then_branch", yes.model), check::attribute("else_branch", no.model)},
            x.dtype, x.dims);
}

void make_loop(Maker& maker, std::string_view op) {
  const Made x = state_of(maker, 1, 3);
  const int64_t steps = maker.d.from(0, 4);
  const std::string place = x.name + "_";
  const Made step{place + "i", DType::kInt64, {}};
  const Made goes_on{place + "c", DType::kBool, {}};
  const Made state{place + "s", x.dtype, x.dims};
  const bool has_rows = maker.d.chance(2);
  const auto body = maker.body({step, goes_on, state}, [&] {
    const Made next = few_nodes(maker, state);
    std::vector<Made> made = {maker.add("Identity", {goes_on}, {}, DType::kBool, {}), next};
    if (has_rows) made.push_back(few_nodes(maker, next));
    return made;
  });
  std::vector<Made> outputs = {Made{"", x.dtype, x.dims}};
  if (has_rows) {
    outputs.push_back(Made{"", x.dtype, x.dims});
    outputs[1].dims.insert(outputs[1].dims.begin(), steps);
  }
  const Made count = maker.scalar(DType::kInt64, steps);
  maker.add(op, {count.name, "", x.name}, {check::attribute("body", body.model)}, outputs);
}

void make_scan(Maker& maker, std::string_view op) {
  const Made start = maker.fresh(DType::kFloat32, maker.sizes(maker.d.from(1, 2)));
  const int64_t steps = maker.d.from(1, 4);
  Sizes dims = start.dims;
  dims.insert(dims.begin(), steps);
  const Made sequence = maker.fresh(DType::kFloat32, dims);
  const Made state{start.name + "_s", start.dtype, start.dims};
  const Made element{start.name + "_e", start.dtype, start.dims};
  const auto body = maker.body({state, element}, [&] {
    const Made sum = maker.add("Add", {state, element}, {}, state.dtype, state.dims);
    return std::vector<Made>{few_nodes(maker, sum), few_nodes(maker, sum)};
  });
  const std::vector<Message> attributes = {check::attribute("body", body.model), maker.number("num_scan_inputs", 1),
                                           maker.numbers("scan_input_directions", {maker.d.from(0, 1)}),
                                           maker.numbers("scan_output_directions", {maker.d.from(0, 1)}),
                                           maker.numbers("scan_input_axes", {0})};
  maker.add(op, {start.name, sequence.name}, attributes,
            {Made{"", start.dtype, start.dims}, Made{"", start.dtype, dims}});
}

}  // namespace

std::vector<OpMaker> control_makers() { return {{"If", &make_if}, {"Loop", &make_loop}, {"Scan", &make_scan}}; }

}  // namespace slipway::fuzz

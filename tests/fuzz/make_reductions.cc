// Operators along axes: reductions, normalisations, sums so far, places of extremes.
#include <algorithm>

#include "maker.h"

namespace slipway::fuzz {

namespace {

Sizes reduced(const Sizes& dims, const std::vector<bool>& is_reduced, bool keeps) {
  Sizes out;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (!is_reduced[i]) out.push_back(dims[i]);
    if (is_reduced[i] && keeps) out.push_back(1);
  }
  return out;
}

bool is_empty(const Made& value) { return value.count() == 0; }

void make_reduce(Maker& maker, std::string_view op) {
  const bool is_extreme = op == "ReduceMax" || op == "ReduceMin";
  Made x = is_extreme ? maker.pick(kNumbers, 0, 5) : maker.pick(kWide, 0, 5);
  // An extreme or a mean of nothing is refused or NaN.
  if (is_empty(x)) x = maker.fresh(x.dtype, {2, 3});
  std::vector<bool> is_reduced(x.dims.size(), false);
  Sizes axes;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (!maker.d.chance(2)) continue;
    is_reduced[static_cast<std::size_t>(i)] = true;
    axes.push_back(maker.d.chance(3) ? i - x.rank() : i);
  }
  const bool keeps = maker.d.chance(2);
  std::vector<check::Message> attributes = {maker.number("keepdims", keeps ? 1 : 0)};
  std::vector<Made> inputs = {x};
  const bool has_axes_input = op == "ReduceSum" || maker.opset >= 18;
  if (axes.empty()) is_reduced.assign(is_reduced.size(), true);
  if (!axes.empty() && has_axes_input) inputs.push_back(maker.list(axes));
  if (!axes.empty() && !has_axes_input) attributes.push_back(maker.numbers("axes", axes));
  maker.add(op, inputs, attributes, x.dtype, reduced(x.dims, is_reduced, keeps));
}

void make_arg_extremum(Maker& maker, std::string_view op) {
  Made x = maker.pick(kNumbers, 1, 5);
  if (is_empty(x)) x = maker.fresh(x.dtype, {2, 3});
  const int64_t axis = maker.axis_of(x);
  const bool keeps = maker.d.chance(2);
  std::vector<bool> is_reduced(x.dims.size(), false);
  is_reduced[place(axis, x.rank())] = true;
  std::vector<check::Message> attributes = {maker.number("axis", axis), maker.number("keepdims", keeps ? 1 : 0)};
  if (maker.d.chance(2)) attributes.push_back(maker.number("select_last_index", 1));
  maker.add(op, {x}, attributes, DType::kInt64, reduced(x.dims, is_reduced, keeps));
}

void make_softmax(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kFloats, 1, 5);
  maker.add(op, {x}, {maker.number("axis", maker.axis_of(x))}, x.dtype, x.dims);
}

void make_layer_normalization(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kFloats, 1, 5);
  const int64_t axis = maker.axis_of(x);
  const Sizes tail(x.dims.begin() + static_cast<std::ptrdiff_t>(place(axis, x.rank())), x.dims.end());
  std::vector<Made> inputs = {x, maker.fresh(x.dtype, tail)};
  if (maker.d.chance(2)) inputs.push_back(maker.fresh(x.dtype, tail));
  maker.add(op, inputs, {maker.number("axis", axis), maker.real("epsilon", 1e-3)}, x.dtype, x.dims);
}

void make_cum_sum(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kWide, 1, 5);
  const Made axis = maker.scalar(maker.d.one_of(kIndices), maker.axis_of(x));
  std::vector<check::Message> attributes;
  if (maker.d.chance(2)) attributes.push_back(maker.number("exclusive", 1));
  if (maker.d.chance(2)) attributes.push_back(maker.number("reverse", 1));
  maker.add(op, {x, axis}, attributes, x.dtype, x.dims);
}

void make_top_k(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kNumbers, 1, 5);
  const int64_t axis = maker.axis_of(x);
  Sizes dims = x.dims;
  int64_t& size = dims[place(axis, x.rank())];
  size = maker.d.from(0, std::min<int64_t>(size, 200));
  const Made k = maker.list({size});
  std::vector<check::Message> attributes = {maker.number("axis", axis)};
  if (maker.d.chance(2)) attributes.push_back(maker.number("largest", 0));
  if (maker.d.chance(2)) attributes.push_back(maker.number("sorted", 0));
  maker.add(op, {x.name, k.name}, attributes, {Made{"", x.dtype, dims}, Made{"", DType::kInt64, dims}});
}

}  // namespace

std::vector<OpMaker> reduction_makers() {
  std::vector<OpMaker> makers;
  for (const std::string_view op : {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
                                    "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"}) {
    makers.push_back({op, &make_reduce});
  }
  makers.insert(makers.end(), {{"ArgMax", &make_arg_extremum},
                               {"ArgMin", &make_arg_extremum},
                               {"Softmax", &make_softmax},
                               {"LogSoftmax", &make_softmax},
                               {"LayerNormalization", &make_layer_normalization},
                               {"CumSum", &make_cum_sum},
                               {"TopK", &make_top_k}});
  return makers;
}

}  // namespace slipway::fuzz

// Operators that give values other shapes, or make values from shapes.
#include <algorithm>
#include <numeric>

#include "maker.h"

namespace slipway::fuzz {

namespace {

int64_t product(const Sizes& dims, std::size_t from, std::size_t to) {
  int64_t all = 1;
  for (std::size_t i = from; i < to; ++i) all *= dims[i];
  return all;
}

void make_reshape(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kAny, 0, 5);
  Sizes to = x.dims;
  if (maker.d.chance(2)) std::reverse(to.begin(), to.end());
  if (to.size() > 1 && maker.d.chance(2)) {
    const int64_t last = to.back();
    to.pop_back();
    to.back() *= last;
  }
  if (maker.d.chance(3)) to.push_back(1);
  Sizes stated = to;
  std::vector<check::Message> attributes;
  // 0 copies a size of the input, unless it is allowed to be itself.
  if (std::find(to.begin(), to.end(), 0) != to.end()) {
    attributes.push_back(maker.number("allowzero", 1));
  } else if (!stated.empty() && maker.d.chance(2)) {
    stated[maker.d.pick(stated.size())] = -1;
  }
  maker.add(op, {x, maker.list(stated)}, attributes, x.dtype, to);
}

void make_flatten(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kAny, 0, 5);
  const int64_t axis = maker.d.from(-x.rank(), x.rank());
  const std::size_t at = place(axis, x.rank());
  const Sizes to = {product(x.dims, 0, at), product(x.dims, at, x.dims.size())};
  maker.add(op, {x}, {maker.number("axis", axis)}, x.dtype, to);
}

void make_unsqueeze(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kAny, 0, 5);
  const int64_t axis = maker.d.from(-x.rank() - 1, x.rank());
  Sizes to = x.dims;
  to.insert(to.begin() + static_cast<std::ptrdiff_t>(place(axis, x.rank() + 1)), 1);
  maker.add(op, {x, maker.list({axis})}, {}, x.dtype, to);
}

void make_squeeze(Maker& maker, std::string_view op) {
  Made x = maker.pick(kAny, 1, 5);
  const auto one = std::find(x.dims.begin(), x.dims.end(), 1);
  if (one == x.dims.end()) {
    x = maker.fresh(x.dtype, {3, 1, 2});
    return static_cast<void>(maker.add(op, {x, maker.list({maker.d.chance(2) ? -2 : 1})}, {}, x.dtype, {3, 2}));
  }
  Sizes to = x.dims;
  to.erase(to.begin() + (one - x.dims.begin()));
  maker.add(op, {x, maker.list({one - x.dims.begin()})}, {}, x.dtype, to);
}

void make_transpose(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kAny, 0, 6);
  Sizes order(x.dims.size());
  std::iota(order.begin(), order.end(), 0);
  const bool is_stated = maker.d.chance(2);
  if (!is_stated) std::reverse(order.begin(), order.end());
  for (std::size_t i = 0; is_stated && i < order.size(); ++i) std::swap(order[i], order[maker.d.pick(order.size())]);
  Sizes to;
  for (const int64_t axis : order) to.push_back(x.dims[static_cast<std::size_t>(axis)]);
  std::vector<check::Message> attributes;
  if (is_stated && !order.empty()) attributes.push_back(maker.numbers("perm", order));
  maker.add(op, {x}, attributes, x.dtype, to);
}

void make_concat(Maker& maker, std::string_view op) {
  std::vector<Made> inputs = {maker.pick(kAny, 1, 5)};
  const int64_t axis = maker.axis_of(inputs[0]);
  Sizes to = inputs[0].dims;
  int64_t& size = to[place(axis, inputs[0].rank())];
  for (int64_t more = maker.d.from(0, 3); more > 0; --more) {
    Sizes dims = inputs[0].dims;
    dims[place(axis, inputs[0].rank())] = maker.d.from(0, 3);
    inputs.push_back(maker.fresh(inputs[0].dtype, dims));
    size += inputs.back().dims[place(axis, inputs[0].rank())];
  }
  maker.add(op, inputs, {maker.number("axis", axis)}, inputs[0].dtype, to);
}

void make_split(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kAny, 1, 5);
  const int64_t axis = maker.axis_of(x);
  const std::size_t at = place(axis, x.rank());
  const int64_t first = maker.d.from(0, std::min<int64_t>(x.dims[at], 200));
  Sizes parts = {first, x.dims[at] - first};
  std::vector<Made> outputs(2, Made{"", x.dtype, x.dims});
  for (std::size_t i = 0; i < parts.size(); ++i) outputs[i].dims[at] = parts[i];
  maker.add(op, {x.name, maker.list(parts).name}, {maker.number("axis", axis)}, outputs);
}

void make_slice(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kAny, 1, 5);
  const int64_t axis = maker.axis_of(x);
  const std::size_t at = place(axis, x.rank());
  const int64_t size = x.dims[at];
  const int64_t step = maker.d.from(1, 3);
  const int64_t start = maker.d.from(0, 4);
  const bool backwards = maker.d.chance(3);
  const int64_t from = std::min(start, size);
  Sizes to = x.dims;
  to[at] = backwards ? (size + step - 1) / step : (size - from + step - 1) / step;
  const Made starts = maker.list({backwards ? INT64_MAX : start});
  const Made ends = maker.list({backwards ? INT64_MIN : INT64_MAX});
  maker.add(op, {x, starts, ends, maker.list({axis}), maker.list({backwards ? -step : step})}, {}, x.dtype, to);
}

void make_pad(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kNumbers, 1, 4);
  Sizes pads;
  Sizes to = x.dims;
  for (std::size_t i = 0; i < 2 * to.size(); ++i) {
    pads.push_back(maker.d.from(0, 2));
    to[i % to.size()] += pads.back();
  }
  std::vector<Made> inputs = {x, maker.list(pads)};
  if (maker.d.chance(2)) inputs.push_back(maker.scalar(x.dtype, 1));
  // An edge needs something to repeat, a reflection more than the pads.
  const bool has_edge = std::find(x.dims.begin(), x.dims.end(), 0) == x.dims.end();
  const bool reflects = *std::min_element(x.dims.begin(), x.dims.end()) > 2;
  std::vector<check::Message> attributes;
  if (has_edge && maker.d.chance(2))
    attributes.push_back(maker.text("mode", reflects && maker.d.chance(2) ? "reflect" : "edge"));
  maker.add(op, inputs, attributes, x.dtype, to);
}

void make_resize(Maker& maker, std::string_view op) {
  constexpr std::string_view kModes[] = {"nearest", "linear", "cubic"};
  constexpr std::string_view kCoordinates[] = {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"};
  constexpr std::string_view kRoundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
  const std::size_t mode = maker.d.pick(3);
  const Made x = mode == 0 ? maker.pick(kAny, 1, 4) : maker.pick(kFloats, 1, 4);
  std::vector<check::Message> attributes = {maker.text("mode", kModes[mode]),
                                            maker.text("coordinate_transformation_mode", maker.d.one_of(kCoordinates)),
                                            maker.text("nearest_mode", maker.d.one_of(kRoundings))};
  if (maker.d.chance(2)) attributes.push_back(maker.number("exclude_outside", 1));
  if (maker.d.chance(3)) attributes.push_back(maker.real("cubic_coeff_a", -0.5));
  const bool has_scales = maker.d.chance(2);
  const bool is_first = maker.opset >= 18 && maker.d.chance(2);  // one axis alone
  if (is_first) attributes.push_back(maker.numbers("axes", {0}));
  std::vector<double> scales;
  Sizes sizes;
  Sizes to = x.dims;
  for (std::size_t i = 0; i < (is_first ? 1 : to.size()); ++i) {
    constexpr double kScales[] = {1.0, 2.0, 0.5, 1.5};
    scales.push_back(maker.d.one_of(kScales));
    sizes.push_back(to[i] == 0 ? 0 : maker.d.from(0, 7));
    to[i] = has_scales ? static_cast<int64_t>(static_cast<double>(to[i]) * scales[i]) : sizes[i];
  }
  const Made none{"", DType::kFloat32, {}};
  const auto count = static_cast<int64_t>(scales.size());
  const Made given = has_scales ? maker.constant(DType::kFloat32, {count}, scales) : maker.list(sizes);
  const std::vector<Made> by_scales = {x, none, given};
  const std::vector<Made> by_sizes = {x, none, none, given};
  maker.add(op, has_scales ? by_scales : by_sizes, attributes, x.dtype, to);
}

void make_expand(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kAny, 0, 4);
  Sizes to = x.dims;
  for (int64_t& size : to) size = size == 1 ? maker.d.from(1, 4) : size;
  if (maker.d.chance(2)) to.insert(to.begin(), maker.d.from(1, 3));
  maker.add(op, {x, maker.list(to)}, {}, x.dtype, to);
}

void make_tile(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kAny, 1, 4);
  Sizes times;
  Sizes to = x.dims;
  for (int64_t& size : to) size *= times.emplace_back(maker.d.from(0, 3));
  maker.add(op, {x, maker.list(times)}, {}, x.dtype, to);
}

void make_shape(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kAny, 0, 5);
  const int64_t start = maker.d.from(0, x.rank());
  std::vector<check::Message> attributes;
  if (maker.opset >= 15) attributes.push_back(maker.number("start", start));
  maker.add(op, {x}, attributes, DType::kInt64, {x.rank() - (maker.opset >= 15 ? start : 0)});
}

void make_size(Maker& maker, std::string_view op) { maker.add(op, {maker.pick(kAny, 0, 5)}, {}, DType::kInt64, {}); }

void make_constant(Maker& maker, std::string_view op) {
  const int64_t number = maker.d.from(-4, 4);
  switch (maker.d.pick(4)) {
    case 0:
      return static_cast<void>(maker.add(op, {}, {maker.number("value_int", number)}, DType::kInt64, {}));
    case 1:
      return static_cast<void>(maker.add(op, {}, {maker.numbers("value_ints", {number, 2})}, DType::kInt64, {2}));
    case 2:
      return static_cast<void>(maker.add(op, {}, {maker.real("value_float", 0.5)}, DType::kFloat32, {}));
    default: {
      const check::Message value = check::floats("", {2}, {0.5F, static_cast<float>(number)});
      const check::Message attribute = check::Message().text(1, "value").message(5, value).number(20, 4);
      return static_cast<void>(maker.add(op, {}, {attribute}, DType::kFloat32, {2}));
    }
  }
}

void make_constant_of_shape(Maker& maker, std::string_view op) {
  const Sizes to = maker.sizes(maker.d.from(0, 4));
  std::vector<check::Message> attributes;
  const bool has_value = maker.d.chance(2);
  if (has_value) {
    const check::Message value = check::ints("", {1}, {maker.d.from(-4, 4)});
    attributes.push_back(check::Message().text(1, "value").message(5, value).number(20, 4));
  }
  maker.add(op, {maker.list(to)}, attributes, has_value ? DType::kInt64 : DType::kFloat32, to);
}

void make_range(Maker& maker, std::string_view op) {
  const DType dtype = maker.d.one_of(kWide);
  const int64_t start = maker.d.from(-4, 4);
  const int64_t delta = maker.d.chance(2) ? -maker.d.from(1, 3) : maker.d.from(1, 3);
  const int64_t count = maker.d.from(0, 12);
  maker.add(op, {maker.scalar(dtype, start), maker.scalar(dtype, start + delta * count), maker.scalar(dtype, delta)},
            {}, dtype, {count});
}

void make_trilu(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kAny, 2, 5);
  std::vector<Made> inputs = {x};
  if (maker.d.chance(2)) inputs.push_back(maker.scalar(DType::kInt64, maker.d.from(-3, 3)));
  std::vector<check::Message> attributes;
  if (maker.d.chance(2)) attributes.push_back(maker.number("upper", 0));
  maker.add(op, inputs, attributes, x.dtype, x.dims);
}

}  // namespace

std::vector<OpMaker> shape_makers() {
  return {{"Reshape", &make_reshape}, {"Flatten", &make_flatten},     {"Unsqueeze", &make_unsqueeze},
          {"Squeeze", &make_squeeze}, {"Transpose", &make_transpose}, {"Concat", &make_concat},
          {"Split", &make_split},     {"Slice", &make_slice},         {"Pad", &make_pad},
          {"Expand", &make_expand},   {"Tile", &make_tile},           {"Shape", &make_shape},
          {"Size", &make_size},       {"Constant", &make_constant},   {"ConstantOfShape", &make_constant_of_shape},
          {"Range", &make_range},     {"Trilu", &make_trilu},         {"Resize", &make_resize}};
}

}  // namespace slipway::fuzz

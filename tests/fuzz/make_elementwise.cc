// Operators that treat every element alone, and their broadcasting.
#include <algorithm>

#include "maker.h"

namespace slipway::fuzz {

namespace {

Sizes broadcast(const Sizes& a, const Sizes& b) {
  Sizes out(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    out[out.size() - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

// Sizes that broadcast with `like`: some axes less, some of size 1.
Sizes fitting(Maker& maker, const Sizes& like) {
  Sizes dims(like.begin() + static_cast<std::ptrdiff_t>(maker.d.pick(like.size() + 1)), like.end());
  for (int64_t& size : dims) size = maker.d.chance(4) ? 1 : size;
  return dims;
}

Made partner(Maker& maker, const Made& x, Range range = {}) {
  for (auto it = maker.values().rbegin(); it != maker.values().rend(); ++it) {
    if (it->dtype == x.dtype && it->dims == x.dims && it->name != x.name && maker.d.chance(2)) return *it;
  }
  return maker.fresh(x.dtype, fitting(maker, x.dims), range);
}

template <const auto& kTypes>
void make_unary(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kTypes, 0, 5);
  maker.add(op, {x}, {}, x.dtype, x.dims);
}

void make_activation(Maker& maker, std::string_view op) {
  const Made x = op == "Celu" ? maker.pick(DType::kFloat32, 0, 5) : maker.pick(kFloats, 0, 5);
  std::vector<check::Message> attributes;
  if (op == "Gelu") {
    if (maker.d.chance(2)) attributes.push_back(maker.text("approximate", "tanh"));
  } else {
    if (maker.d.chance(2)) attributes.push_back(maker.real("alpha", 0.25));
    if (op == "HardSigmoid" && maker.d.chance(2)) attributes.push_back(maker.real("beta", 0.5));
    if (op == "Selu" && maker.d.chance(2)) attributes.push_back(maker.real("gamma", 1.5));
  }
  maker.add(op, {x}, attributes, x.dtype, x.dims);
}

void make_prelu(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kFloats, 0, 5);
  maker.add(op, {x, maker.fresh(x.dtype, fitting(maker, x.dims))}, {}, x.dtype, x.dims);
}

void make_is(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kFloats, 0, 5);
  std::vector<check::Message> attributes;
  if (op == "IsInf" && maker.d.chance(2)) attributes.push_back(maker.number("detect_negative", 0));
  maker.add(op, {x}, attributes, DType::kBool, x.dims);
}

template <const auto& kTypes>
void make_binary(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kTypes, 0, 5);
  const Made y = partner(maker, x);
  maker.add(op, {x, y}, {}, x.dtype, broadcast(x.dims, y.dims));
}

template <const auto& kTypes>
void make_comparison(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kTypes, 0, 5);
  const Made y = partner(maker, x);
  maker.add(op, {x, y}, {}, DType::kBool, broadcast(x.dims, y.dims));
}

// The divisor of whole numbers is not 0.
void make_division(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kWide, 0, 5);
  const Made y = maker.fresh(x.dtype, fitting(maker, x.dims), maker.d.chance(2) ? Range{-4, -1} : Range{1, 5});
  const bool is_float = x.dtype == DType::kFloat32 || x.dtype == DType::kFloat64;
  std::vector<check::Message> attributes;
  if (op == "Mod" && (is_float || maker.d.chance(2))) attributes.push_back(maker.number("fmod", 1));
  maker.add(op, {x, y}, attributes, x.dtype, broadcast(x.dims, y.dims));
}

void make_pow(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kWide, 0, 5);
  const Made y = maker.fresh(maker.d.one_of(kNumbers), fitting(maker, x.dims), {0, 3});
  maker.add(op, {x, y}, {}, x.dtype, broadcast(x.dims, y.dims));
}

void make_extremum(Maker& maker, std::string_view op) {
  std::vector<Made> inputs = {maker.pick(kNumbers, 0, 5)};
  Sizes dims = inputs[0].dims;
  for (int64_t more = maker.d.from(0, 3); more > 0; --more) {
    inputs.push_back(partner(maker, inputs[0]));
    dims = broadcast(dims, inputs.back().dims);
  }
  maker.add(op, inputs, {}, inputs[0].dtype, dims);
}

void make_clip(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kNumbers, 0, 5);
  std::vector<Made> inputs = {x, Made{}};
  if (maker.d.chance(2)) inputs[1] = maker.scalar(x.dtype, maker.d.from(0, 1));
  if (maker.d.chance(2)) inputs.push_back(maker.scalar(x.dtype, maker.d.from(1, 3)));
  maker.add(op, inputs, {}, x.dtype, x.dims);
}

void make_cast(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kAny, 0, 5);
  const DType to = maker.d.one_of(kAny);
  maker.add(op, {x}, {maker.number("to", static_cast<int64_t>(to))}, to, x.dims);
}

void make_where(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kAny, 0, 5);
  const Made y = partner(maker, x);
  const Sizes dims = broadcast(x.dims, y.dims);
  const Made condition = maker.fresh(DType::kBool, fitting(maker, dims));
  maker.add(op, {condition, x, y}, {}, x.dtype, dims);
}

void make_dropout(Maker& maker, std::string_view op) {
  const Made x = maker.pick(kFloats, 0, 5);
  std::vector<Made> inputs = {x};
  if (maker.d.chance(2)) inputs.push_back(maker.constant(DType::kFloat32, {}, {0.25}));
  maker.add(op, inputs, {}, x.dtype, x.dims);
}

constexpr DType kSigned[] = {DType::kFloat32, DType::kFloat64, DType::kInt64, DType::kInt32, DType::kInt8};
constexpr DType kTruth[] = {DType::kBool};

}  // namespace

std::vector<OpMaker> elementwise_makers() {
  std::vector<OpMaker> makers;
  for (const std::string_view op : {"Ceil", "Cos", "Erf", "Exp", "Floor", "HardSwish", "Log", "Mish", "Reciprocal",
                                    "Round", "Sigmoid", "Sin", "Softplus", "Softsign", "Sqrt", "Tanh"}) {
    makers.push_back({op, &make_unary<kFloats>});
  }
  for (const std::string_view op : {"Celu", "Elu", "Gelu", "HardSigmoid", "LeakyRelu", "Selu", "ThresholdedRelu"}) {
    makers.push_back({op, &make_activation});
  }
  for (const std::string_view op : {"Add", "Mul", "Sub"}) makers.push_back({op, &make_binary<kWide>});
  for (const std::string_view op : {"Greater", "GreaterOrEqual", "Less", "LessOrEqual"}) {
    makers.push_back({op, &make_comparison<kNumbers>});
  }
  for (const std::string_view op : {"And", "Or", "Xor"}) makers.push_back({op, &make_binary<kTruth>});
  for (const std::string_view op : {"Max", "Min"}) makers.push_back({op, &make_extremum});
  for (const std::string_view op : {"Div", "Mod"}) makers.push_back({op, &make_division});
  for (const std::string_view op : {"IsInf", "IsNaN"}) makers.push_back({op, &make_is});
  for (const std::string_view op : {"Abs", "Sign"}) makers.push_back({op, &make_unary<kNumbers>});
  for (const std::string_view op : {"Neg", "Relu"}) makers.push_back({op, &make_unary<kSigned>});
  makers.insert(makers.end(), {{"Identity", &make_unary<kAny>},
                               {"Not", &make_unary<kTruth>},
                               {"Equal", &make_comparison<kAny>},
                               {"Pow", &make_pow},
                               {"PRelu", &make_prelu},
                               {"Clip", &make_clip},
                               {"Cast", &make_cast},
                               {"Where", &make_where},
                               {"Dropout", &make_dropout}});
  return makers;
}

}  // namespace slipway::fuzz

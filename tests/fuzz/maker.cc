#include "maker.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <iterator>
#include <numeric>

#include "limit_numbers.h"
#include "ops/types.h"

namespace slipway::fuzz {

using check::Message;

namespace {

// Values of a model that grow beyond it are not used further.
constexpr int64_t kMostElements = 4096;

Shape shape_of(const Sizes& dims) { return Shape(dims); }

void put(Tensor& tensor, int64_t i, double number) {
  dispatch(AnyType{}, tensor.dtype(), [&]<typename T>() {
    if constexpr (std::is_same_v<T, bool>) {
      tensor.as<bool>()[i] = number != 0;
    } else {
      tensor.as<T>()[i] = static_cast<T>(number);
    }
  });
}

}  // namespace

int64_t Made::count() const noexcept {
  return std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>());
}

int64_t Maker::at_limit(int64_t value) { return is_hostile_ && d.chance(6) ? d.one_of(kLimits) : value; }

// A limit as the type has it: cut for whole numbers.
void Maker::put_limit(Tensor& tensor, int64_t i) {
  const int64_t whole = d.one_of(kLimits);
  const double real = d.one_of(kRealLimits);
  dispatch(AnyType{}, tensor.dtype(), [&]<typename T>() {
    if constexpr (std::is_floating_point_v<T>) {
      has_extremes_ = true;
      tensor.as<T>()[i] = static_cast<T>(real);
    } else if constexpr (!std::is_same_v<T, bool>) {
      tensor.as<T>()[i] = static_cast<T>(static_cast<uint64_t>(whole));
    }
  });
}

Tensor Maker::filled(DType dtype, const Sizes& dims, Range range) {
  Tensor tensor(dtype, shape_of(dims));
  // One decision for all: inputs would be long otherwise. Numerical Recipes, section 7.1.
  auto state = static_cast<uint32_t>(d.from(0, 255));
  const bool is_float = dtype == DType::kFloat32 || dtype == DType::kFloat64;
  if (dtype == DType::kBool) range = {0, 1};
  if (dtype == DType::kUint8) range.low = std::max<int64_t>(range.low, 0);
  for (int64_t i = 0; i < tensor.shape().count(); ++i) {
    state = state * 1664525 + 1013904223;
    const int64_t steps = (range.high - range.low) * (is_float ? 8 : 1) + 1;
    const double above = static_cast<double>((state >> 8) % steps) / (is_float ? 8 : 1);
    put(tensor, i, static_cast<double>(range.low) + above);
  }
  const int64_t count = tensor.shape().count();
  if (is_hostile_ && count > 0 && d.chance(5)) put_limit(tensor, d.from(0, 255) % count);
  return tensor;
}

Made Maker::declare(Tensor tensor, bool is_constant) {
  Made made{new_name(), tensor.dtype(), {tensor.shape().sizes().begin(), tensor.shape().sizes().end()}};
  const std::string_view raw(reinterpret_cast<const char*>(tensor.view().data),
                             static_cast<std::size_t>(tensor.bytes()));
  if (is_constant) {
    model_.initializers.push_back(check::tensor(made.name, static_cast<int64_t>(made.dtype), made.dims, raw));
  } else {
    std::vector<std::string> dims;
    // One symbol stands for one size.
    for (const int64_t size : made.dims) dims.push_back((d.chance(3) ? "S" : "") + std::to_string(at_limit(size)));
    graph_inputs_.push_back(check::value(made.name, dims, static_cast<int64_t>(made.dtype)));
    inputs_.push_back(std::move(tensor));
  }
  if (depth_ == 0 || is_constant) values_.push_back(made);
  return made;
}

Made Maker::fresh(DType dtype, Sizes dims, Range range) {
  const bool is_constant = d.chance(2);
  return declare(filled(dtype, dims, range), is_constant);
}

Made Maker::constant(DType dtype, Sizes dims, const std::vector<double>& numbers) {
  Tensor tensor(dtype, shape_of(dims));
  for (std::size_t i = 0; i < numbers.size(); ++i) put(tensor, static_cast<int64_t>(i), numbers[i]);
  return declare(std::move(tensor), true);
}

Made Maker::list(const Sizes& numbers) {
  Tensor tensor(DType::kInt64, {static_cast<int64_t>(numbers.size())});
  for (std::size_t i = 0; i < numbers.size(); ++i) tensor.as<int64_t>()[i] = at_limit(numbers[i]);
  return declare(std::move(tensor), !d.chance(6));
}

Made Maker::scalar(DType dtype, int64_t number) {
  Tensor tensor(dtype, {});
  put(tensor, 0, static_cast<double>(number));
  if (is_hostile_ && d.chance(8)) put_limit(tensor, 0);
  return declare(std::move(tensor), !d.chance(6));
}

Made Maker::pick(DType dtype, int low, int high, Range range) {
  std::vector<const Made*> fitting;
  for (const Made& value : values_) {
    if (value.dtype == dtype && value.rank() >= low && value.rank() <= high && value.count() <= kMostElements) {
      fitting.push_back(&value);
    }
  }
  // The latest ones: chains are longer then.
  const std::size_t last = std::min<std::size_t>(fitting.size(), 4);
  if (last > 0 && !d.chance(4)) return *fitting[fitting.size() - 1 - d.pick(last)];
  return fresh(dtype, sizes(d.from(low, std::max(low, std::min(high, 4)))), range);
}

Sizes Maker::sizes(int64_t rank) {
  constexpr int64_t kSizes[] = {2, 3, 1, 4, 2, 3, 5, 7, 1, 2, 8, 0, 17, 3, 2, 33};
  Sizes dims;
  int64_t count = 1;
  for (int64_t i = 0; i < rank; ++i) {
    int64_t size = d.one_of(kSizes);
    if (count * size > 512) size = 2;
    count *= std::max<int64_t>(size, 1);
    dims.push_back(size);
  }
  return dims;
}

Made Maker::indices(DType dtype, Sizes dims, int64_t below) {
  return fresh(dtype, std::move(dims), {-below, below - 1});
}

Message Maker::number(std::string_view name, int64_t value) { return check::attribute(name, at_limit(value)); }

Message Maker::numbers(std::string_view name, const Sizes& values) {
  Sizes changed = values;
  for (int64_t& value : changed) value = at_limit(value);
  if (is_hostile_ && d.chance(24)) changed.resize(d.pick(10), 1);
  return check::attribute(name, changed);
}

Message Maker::real(std::string_view name, double value) {
  if (is_hostile_ && d.chance(8)) {
    has_extremes_ = true;
    value = d.one_of(kRealLimits);
  }
  return check::attribute(name, static_cast<float>(value));
}

Message Maker::text(std::string_view name, std::string_view value) {
  return Message().text(1, name).text(4, is_hostile_ && d.chance(24) ? "\x1B[2J" : value).number(20, 3);
}

Message Maker::texts(std::string_view name, const std::vector<std::string>& values) {
  Message out = Message().text(1, name).number(20, 8);
  for (const std::string& value : values) out.text(9, value);
  return out;
}

std::vector<Made> Maker::add(std::string_view op, const std::vector<std::string>& inputs,
                             const std::vector<Message>& attributes, std::vector<Made> outputs) {
  std::vector<std::string> names;
  for (Made& output : outputs) names.push_back(output.name = new_name());
  model_.nodes.push_back(check::node(op, inputs, names, attributes));
  values_.insert(values_.end(), outputs.begin(), outputs.end());
  return outputs;
}

Made Maker::add(std::string_view op, const std::vector<Made>& inputs, const std::vector<Message>& attributes,
                DType dtype, Sizes dims) {
  std::vector<std::string> names;
  for (const Made& input : inputs) names.push_back(input.name);
  return add(op, names, attributes, {Made{"", dtype, std::move(dims)}}).front();
}

check::Model Maker::finish(const std::vector<Made>& outputs) {
  check::Model model = model_;
  model.inputs = graph_inputs_;
  model.opset = opset;
  for (const Made& output : outputs) model.outputs.push_back(declared(output, !is_hostile_ && d.chance(2)));
  return model;
}

Message declared(const Made& value, bool has_sizes) {
  const auto type = static_cast<int64_t>(value.dtype);
  if (!has_sizes) return Message().text(1, value.name).message(2, Message().message(1, Message().number(1, type)));
  std::vector<std::string> dims;
  for (const int64_t size : value.dims) dims.push_back(std::to_string(size));
  return check::value(value.name, dims, type);
}

const std::vector<OpMaker>& all_makers() {
  static const std::vector<OpMaker> all = [] {
    std::vector<OpMaker> made;
    for (const auto& makers : {elementwise_makers(), reduction_makers(), shape_makers(), index_makers(), layer_makers(),
                               recurrent_makers(), control_makers()}) {
      made.insert(made.end(), makers.begin(), makers.end());
    }
    return made;
  }();
  return all;
}

}  // namespace slipway::fuzz

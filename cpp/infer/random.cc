#include "infer/random.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"

namespace slipway::infer {

namespace {

constexpr int64_t kDefaultTime = 16;
constexpr int64_t kMaxBytes = int64_t{4} << 30;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
class Generator final {
 public:
  explicit Generator(uint64_t seed) noexcept : state_(seed) {}
  uint64_t next() noexcept {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  }
  /// A whole number in [low, high].
  int64_t between(int64_t low, int64_t high) noexcept {
    return low + static_cast<int64_t>(next() % (static_cast<uint64_t>(high - low) + 1));
  }
  /// A number in [-1, 1) that a float holds exactly.
  double real() noexcept { return static_cast<double>(next() >> 40) / (1 << 23) - 1.0; }

 private:
  uint64_t state_;
};

bool is_time(const InputPort& port, int axis) { return axis == port.time_axis; }

/// The name that says which dimensions are the same: N, or the model's symbol, which two times do not share.
std::string name_at(const InputPort& port, int axis) {
  if (axis == port.batch_axis) return "N";
  const std::string symbol = port.info.dims[static_cast<std::size_t>(axis)].symbol();
  return symbol.empty() && is_time(port, axis) ? "T" : symbol;
}

/// Sizes by the names of dimensions, and that of a time whose name has none.
struct Sizes {
  std::map<std::string, int64_t> named;
  int64_t time = kDefaultTime;
};

Sizes sizes_of(const Signature& signature, const std::map<std::string, Shape>& shapes) {
  Sizes sizes;
  std::map<std::string, std::string> where;
  for (const auto& [name, shape] : shapes) {
    const auto port = std::find_if(signature.inputs.begin(), signature.inputs.end(),
                                   [&wanted = name](const InputPort& p) { return p.info.name == wanted; });
    if (port == signature.inputs.end()) fail(Code::kUsage, "--shapes: the model has no input ", quote(name));
    const auto fits = [](const Dim& dim, int64_t size) { return !dim.is_known() || dim.value() == size; };
    const std::vector<Dim>& dims = port->info.dims;
    const auto sizes_given = shape.sizes();
    if (!std::equal(dims.begin(), dims.end(), sizes_given.begin(), sizes_given.end(), fits)) {
      fail(Code::kUsage, "--shapes: input ", quote(name), " has shape ", text_of(port->info.dims), ", got ",
           shape.text());
    }
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (is_time(*port, axis)) sizes.time = shape[axis];
      const std::string symbol = name_at(*port, axis);
      if (symbol.empty()) continue;
      const std::string& first = where.emplace(symbol, name).first->second;
      const int64_t known = sizes.named.emplace(symbol, shape[axis]).first->second;
      if (known != shape[axis]) {
        fail(Code::kUsage, "--shapes: ", symbol, " is ", known, " in input ", quote(first), " and ", shape[axis],
             " in ", quote(name));
      }
    }
  }
  return sizes;
}

Shape shape_of(const InputPort& port, const std::map<std::string, Shape>& shapes, const Sizes& sizes) {
  if (const auto given = shapes.find(port.info.name); given != shapes.end()) return given->second;
  std::vector<int64_t> result;
  for (std::size_t i = 0; i < port.info.dims.size(); ++i) {
    const Dim& dim = port.info.dims[i];
    const int axis = static_cast<int>(i);
    const auto named = sizes.named.find(name_at(port, axis));
    const int64_t open = is_time(port, axis) ? sizes.time : 1;
    result.push_back(dim.is_known() ? dim.value() : named != sizes.named.end() ? named->second : open);
  }
  return Shape(result);
}

/// The largest whole number that the port's meaning allows; 1 where nothing is declared.
int64_t largest_for(const Signature& signature, const InputPort& port, const std::vector<Shape>& drawn) {
  if (const auto* text = std::get_if<TextSpec>(&port.spec)) {
    const auto entries = static_cast<int64_t>(text->vocabulary_size);
    return std::max<int64_t>(0, (text->vocabulary ? std::min(text->limit, entries) : text->limit) - 1);
  }
  if (const std::optional<std::size_t> of = port.length_of()) return drawn[*of][signature.inputs[*of].time_axis];
  const auto* array = std::get_if<TensorSpec>(&port.spec);
  return array != nullptr && array->below ? *array->below - 1 : 1;
}

void fill(Tensor& tensor, Generator& generator, int64_t low, int64_t high) {
  const int64_t count = tensor.shape().count();
  for (int64_t i = 0; i < count; ++i) {
    switch (tensor.dtype()) {
      case DType::kFloat32:
        tensor.as<float>()[i] = static_cast<float>(generator.real());
        break;
      case DType::kFloat64:
        tensor.as<double>()[i] = generator.real();
        break;
      case DType::kInt64:
        tensor.as<int64_t>()[i] = generator.between(low, high);
        break;
      case DType::kInt32:
        tensor.as<int32_t>()[i] = static_cast<int32_t>(generator.between(low, high));
        break;
      default:
        tensor.as<uint8_t>()[i] = static_cast<uint8_t>(generator.between(0, 1));
    }
  }
}

/// A text as one-hot vectors: one 1 in each row of `classes`.
void fill_one_hot(Tensor& tensor, Generator& generator, int64_t classes) {
  std::fill_n(tensor.as<float>(), tensor.shape().count(), 0.0F);
  for (int64_t row = 0; row + classes <= tensor.shape().count(); row += classes) {
    tensor.as<float>()[row + generator.between(0, classes - 1)] = 1.0F;
  }
}

}  // namespace

std::vector<Tensor> random_inputs(const Signature& signature, const std::map<std::string, Shape>& shapes,
                                  uint64_t seed) {
  const Sizes sizes = sizes_of(signature, shapes);
  Generator generator(seed);
  std::vector<Shape> drawn;
  for (const InputPort& port : signature.inputs) drawn.push_back(shape_of(port, shapes, sizes));
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const InputPort& port = signature.inputs[i];
    const Shape& shape = drawn[i];
    if (shape.checked_bytes(size_of(port.info.dtype)) > kMaxBytes) {
      fail(Code::kLimit, "input ", quote(port.info.name), " of shape ", shape.text(), " is too large");
    }
    Tensor tensor(port.info.dtype, shape);
    const auto* text = std::get_if<TextSpec>(&port.spec);
    if (text != nullptr && text->one_hot) {
      fill_one_hot(tensor, generator, text->limit);
    } else {
      const int64_t high = largest_for(signature, port, drawn);
      fill(tensor, generator, port.length_of() ? std::min<int64_t>(1, high) : 0, high);
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

}  // namespace slipway::infer

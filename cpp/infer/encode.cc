// Compiled with -ffp-contract=off, so that arithmetic rounds as Python's does.
#include "infer/encode.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "infer/files.h"

namespace slipway::infer {

namespace {

constexpr int64_t kMaxTensorBytes = int64_t{4} << 30;

Tensor make_tensor(const InputPort& port, const Shape& shape) {
  const int64_t bytes = shape.checked_bytes(size_of(port.info.dtype));
  if (bytes > kMaxTensorBytes) {
    fail(Code::kLimit, "input ", quote(port.info.name), " would have shape ", shape.text(), " and ", bytes,
         " bytes, the limit is ", kMaxTensorBytes);
  }
  return Tensor(port.info.dtype, shape);
}

void put(Tensor& tensor, int64_t index, int64_t value) {
  switch (tensor.dtype()) {
    case DType::kInt64:
      tensor.as<int64_t>()[index] = value;
      break;
    case DType::kInt32:
      tensor.as<int32_t>()[index] = static_cast<int32_t>(value);
      break;
    default:
      tensor.as<float>()[index] = static_cast<float>(value);
  }
}

/// The part of each item at one raw port, as the type that the port's kind has.
template <typename T>
std::vector<const T*> parts_at(std::span<const Item* const> items, std::size_t place) {
  std::vector<const T*> parts;
  for (const Item* item : items) parts.push_back(&std::get<T>(item->parts[place]));
  return parts;
}

Tensor encode_text(const InputPort& port, const TextSpec& spec, const std::vector<const std::vector<int64_t>*>& texts) {
  std::size_t longest = 0;
  for (const auto* text : texts) longest = std::max(longest, text->size());
  const auto steps = static_cast<int64_t>(longest);
  const auto count = static_cast<int64_t>(texts.size());
  const bool is_time_first = port.time_axis < port.batch_axis;
  Shape shape = is_time_first ? Shape{steps, count} : Shape{count, steps};
  if (spec.one_hot) shape.push_back(spec.limit);
  Tensor tensor = make_tensor(port, shape);
  if (spec.one_hot) {
    std::memset(tensor.as<std::byte>(), 0, static_cast<std::size_t>(tensor.bytes()));
  } else {
    for (int64_t i = 0; i < shape.count(); ++i) put(tensor, i, spec.pad);
  }
  for (int64_t n = 0; n < count; ++n) {
    const std::vector<int64_t>& numbers = *texts[static_cast<std::size_t>(n)];
    for (int64_t t = 0; t < static_cast<int64_t>(numbers.size()); ++t) {
      const int64_t cell = is_time_first ? t * count + n : n * steps + t;
      const int64_t number = numbers[static_cast<std::size_t>(t)];
      spec.one_hot ? put(tensor, cell * spec.limit + number, 1) : put(tensor, cell, number);
    }
  }
  return tensor;
}

Tensor encode_lengths(const InputPort& port, const std::vector<const std::vector<int64_t>*>& texts) {
  Tensor tensor = make_tensor(port, {static_cast<int64_t>(texts.size())});
  for (std::size_t n = 0; n < texts.size(); ++n) {
    put(tensor, static_cast<int64_t>(n), static_cast<int64_t>(texts[n]->size()));
  }
  return tensor;
}

Tensor encode_images(const InputPort& port, const ImageSpec& spec,
                     const std::vector<const std::vector<Plane>*>& images) {
  const Plane& first = images[0]->front();
  Tensor tensor = make_tensor(port, {static_cast<int64_t>(images.size()), spec.channels, first.height, first.width});
  float* to = tensor.as<float>();
  for (const std::vector<Plane>* planes : images) {
    for (std::size_t c = 0; c < planes->size(); ++c) {
      const Plane& plane = (*planes)[c];
      if (plane.height != first.height || plane.width != first.width) {
        fail(Code::kInput, "input ", quote(port.info.name), ": one batch holds images of one size, got ", first.height,
             " x ", first.width, " and ", plane.height, " x ", plane.width);
      }
      float levels[256];
      for (int level = 0; level < 256; ++level) {
        levels[level] = static_cast<float>((static_cast<double>(level) / 255 - spec.mean[c]) / spec.std[c]);
      }
      for (const uint8_t pixel : plane.pixels) *to++ = levels[pixel];
    }
  }
  return tensor;
}

Tensor encode_table(const InputPort& port, const TableSpec& spec, const std::vector<const std::vector<double>*>& rows) {
  const int64_t columns = port.info.dims[1].value();
  Tensor tensor = make_tensor(port, {static_cast<int64_t>(rows.size()), columns});
  float* to = tensor.as<float>();
  for (const std::vector<double>* row : rows) {
    for (std::size_t d = 0; d < row->size(); ++d) {
      const double value = spec.mean.empty() ? (*row)[d] : ((*row)[d] - spec.mean[d]) / spec.std[d];
      *to++ = static_cast<float>(value);
    }
  }
  return tensor;
}

}  // namespace

Part part_of_text(const InputPort& port, const std::string& text) {
  return tokenize(std::get<TextSpec>(port.spec), text);
}

Part part_of_image(const InputPort& port, const std::string& file) {
  const std::string bytes = read_file(file);
  try {
    return planes_of(std::get<ImageSpec>(port.spec), decode_image(bytes));
  } catch (const Error& error) {
    throw error.at(concat("cannot read image ", quote(file, 400)));
  }
}

Part part_of_row(const InputPort& port, std::vector<double> row) {
  const int64_t expected = port.info.dims[1].value();
  if (static_cast<int64_t>(row.size()) != expected) {
    fail(Code::kInput, "got ", row.size(), " numbers, expected ", expected, " for input ", quote(port.info.name));
  }
  return row;
}

int64_t encoded_bytes(const Item& item) noexcept {
  std::size_t bytes = 0;
  for (const Part& part : item.parts) {
    const auto* planes = std::get_if<std::vector<Plane>>(&part);
    if (planes == nullptr) continue;
    for (const Plane& plane : *planes) bytes += plane.pixels.size() * sizeof(float);
  }
  return static_cast<int64_t>(bytes);
}

std::vector<int64_t> batch_class(const Signature& signature, const Item& item) {
  const std::vector<std::size_t> ports = signature.raw_ports();
  const bool has_steps = std::any_of(signature.outputs.begin(), signature.outputs.end(),
                                     [](const OutputPort& port) { return port.per_step; });
  std::vector<int64_t> key;
  for (std::size_t place = 0; place < ports.size(); ++place) {
    const bool has_length = std::any_of(signature.inputs.begin(), signature.inputs.end(), [&](const InputPort& port) {
      const auto* length = std::get_if<LengthSpec>(&port.spec);
      return length != nullptr && length->of == ports[place];
    });
    if (const auto* planes = std::get_if<std::vector<Plane>>(&item.parts[place])) {
      key.insert(key.end(), {planes->front().height, planes->front().width});
    } else if (const auto* tokens = std::get_if<std::vector<int64_t>>(&item.parts[place])) {
      if (!has_length || has_steps) key.push_back(static_cast<int64_t>(tokens->size()));
    }
  }
  return key;
}

std::vector<Tensor> encode(const Signature& signature, std::span<const Item* const> items, std::vector<Tensor> given) {
  given.resize(signature.inputs.size());
  const std::vector<std::size_t> raw_ports = signature.raw_ports();
  const auto place_of = [&](std::size_t input) {
    return static_cast<std::size_t>(std::find(raw_ports.begin(), raw_ports.end(), input) - raw_ports.begin());
  };
  std::vector<bool> was_given;
  for (const Tensor& tensor : given) was_given.push_back(tensor.dtype() != DType::kNone);
  for (std::size_t i = 0; i < given.size(); ++i) {
    const InputPort& port = signature.inputs[i];
    if (was_given[i]) continue;
    const auto* length_of = std::get_if<LengthSpec>(&port.spec);
    if (items.empty() || std::holds_alternative<TensorSpec>(port.spec) ||
        (length_of != nullptr && was_given[length_of->of])) {
      fail(Code::kUsage, "input ", quote(port.info.name), " (", Signature::kind_name(port), ", ",
           name_of(port.info.dtype), " ", text_of(port.info.dims), ") is missing; give --input ", port.info.name,
           "=FILE.npy");
    }
    if (const auto* text = std::get_if<TextSpec>(&port.spec)) {
      given[i] = encode_text(port, *text, parts_at<std::vector<int64_t>>(items, place_of(i)));
    } else if (length_of != nullptr) {
      given[i] = encode_lengths(port, parts_at<std::vector<int64_t>>(items, place_of(length_of->of)));
    } else if (const auto* image = std::get_if<ImageSpec>(&port.spec)) {
      given[i] = encode_images(port, *image, parts_at<std::vector<Plane>>(items, place_of(i)));
    } else {
      given[i] = encode_table(port, std::get<TableSpec>(port.spec), parts_at<std::vector<double>>(items, place_of(i)));
    }
  }
  return given;
}

}  // namespace slipway::infer

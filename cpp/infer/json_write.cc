// The writer of json.h.
#include <charconv>
#include <cmath>
#include <cstdio>

#include "infer/json.h"
#include "infer/utf8.h"

namespace slipway::infer {

namespace {

template <typename T>
std::string shortest(T number) {
  if (std::isnan(number)) return "nan";  // without the sign, which means nothing
  char text[64];
  const auto result = std::to_chars(text, text + sizeof text, number);
  return std::string(text, result.ptr);
}

void append_axis(std::string& out, const TensorView& tensor, int axis, int64_t begin) {
  if (axis == tensor.shape.rank()) {
    const std::string text = element_text(tensor, begin);
    const bool is_number = text.find_first_of("ns") == std::string::npos || tensor.dtype == DType::kBool;
    out += is_number ? text : "null";
    return;
  }
  const int64_t stride = tensor.shape.count(axis + 1, tensor.shape.rank());
  out += '[';
  for (int64_t i = 0; i < tensor.shape[axis]; ++i) {
    if (i > 0) out += ", ";
    append_axis(out, tensor, axis + 1, begin + i * stride);
  }
  out += ']';
}

}  // namespace

void append_json(std::string& out, std::string_view text) {
  out += '"';
  std::size_t length = 1;
  for (std::size_t at = 0; at < text.size(); at += length) {
    const char c = text[at];
    const auto byte = static_cast<unsigned char>(c);
    length = byte < 0x80 ? 1 : sequence_at(text, at);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F || length == 0) {
      char escape[8];
      std::snprintf(escape, sizeof escape, length == 0 ? "\\udc%02x" : "\\u%04x", byte);
      out += escape;
      length = 1;
    } else {
      out += text.substr(at, length);
    }
  }
  out += '"';
}

void append_json(std::string& out, double number) { out += std::isfinite(number) ? shortest(number) : "null"; }

void append_json(std::string& out, const TensorView& tensor) { append_axis(out, tensor, 0, 0); }

std::string number_text(float number) { return shortest(number); }
std::string number_text(double number) { return shortest(number); }

std::string element_text(const TensorView& tensor, int64_t index) {
  switch (tensor.dtype) {
    case DType::kFloat32:
      return shortest(tensor.as<float>()[index]);
    case DType::kFloat64:
      return shortest(tensor.as<double>()[index]);
    case DType::kInt64:
      return std::to_string(tensor.as<int64_t>()[index]);
    case DType::kInt32:
      return std::to_string(tensor.as<int32_t>()[index]);
    case DType::kUint8:
      return std::to_string(tensor.as<uint8_t>()[index]);
    case DType::kInt8:
      return std::to_string(tensor.as<int8_t>()[index]);
    case DType::kBool:
      return tensor.as<uint8_t>()[index] != 0 ? "true" : "false";
    case DType::kNone:
      break;
  }
  return "";
}

}  // namespace slipway::infer

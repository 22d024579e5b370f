#include "infer/npy.h"

#include <array>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

#include "base/error.h"
#include "infer/files.h"

namespace slipway::infer {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeaderBytes = 1 << 16;

constexpr std::array<std::pair<std::string_view, DType>, 7> kTypes = {{{"<f4", DType::kFloat32},
                                                                       {"<f8", DType::kFloat64},
                                                                       {"<i8", DType::kInt64},
                                                                       {"<i4", DType::kInt32},
                                                                       {"|u1", DType::kUint8},
                                                                       {"|i1", DType::kInt8},
                                                                       {"|b1", DType::kBool}}};

struct Header {
  DType dtype = DType::kNone;
  bool is_fortran = false;
  Shape shape;
};

/// The header is a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class HeaderReader final {
 public:
  explicit HeaderReader(std::string_view text) : text_(text) {}

  Header read() {
    Header header;
    bool seen[3] = {};
    expect('{');
    while (!take('}')) {
      const std::string_view key = read_string();
      const int place = key == "descr" ? 0 : key == "fortran_order" ? 1 : key == "shape" ? 2 : -1;
      if (place < 0 || seen[place]) refuse("the keys descr, fortran_order and shape");
      seen[place] = true;
      expect(':');
      if (place == 0) header.dtype = read_type();
      if (place == 1) header.is_fortran = read_bool();
      if (place == 2) header.shape = read_shape();
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!seen[0] || !seen[1] || !seen[2] || at_ != text_.size()) refuse("descr, fortran_order and shape");
    return header;
  }

 private:
  [[noreturn]] void refuse(std::string_view expected) const {
    fail(Code::kInput, "the header ", quote(text_, 120), " is damaged at byte ", at_ + 1, ": expected ", expected);
  }
  void skip_space() noexcept {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  [[nodiscard]] bool take(char c) noexcept {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) refuse(std::string_view(&c, 1));
  }

  std::string_view read_string() {
    skip_space();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') refuse("a string");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) refuse("a string");
    const std::string_view result = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return result;
  }

  DType read_type() {
    if (take('[')) fail(Code::kInput, "it holds structures; an array of plain numbers is supported");
    const std::string_view name = read_string();
    for (const auto& [text, dtype] : kTypes) {
      if (name == text) return dtype;
    }
    fail(Code::kInput, "its type ", quote(name), " is not supported; supported are <f4 <f8 <i8 <i4 |u1 |i1 |b1");
  }

  bool read_bool() {
    skip_space();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return value;
    }
    refuse("True or False");
  }

  Shape read_shape() {
    std::vector<int64_t> sizes;
    expect('(');
    while (!take(')')) {
      skip_space();
      int64_t size = -1;
      const auto result = std::from_chars(text_.data() + at_, text_.data() + text_.size(), size);
      if (result.ec != std::errc() || size < 0) refuse("a size");
      at_ = static_cast<std::size_t>(result.ptr - text_.data());
      sizes.push_back(size);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return Shape(sizes);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// Splits a file into header text and data.
std::pair<std::string_view, std::string_view> split_file(std::string_view bytes) {
  if (bytes.substr(0, kMagic.size()) != kMagic || bytes.size() < 10) fail(Code::kInput, "it is not a .npy file");
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) fail(Code::kInput, "its format version is ", version, ", supported are 1 to 3");
  const std::size_t prefix = version == 1 ? 10 : 12;
  if (bytes.size() < prefix) fail(Code::kInput, "it is cut off in its header");
  std::size_t length = byte(8) | byte(9) << 8;
  if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
  if (length > kMaxHeaderBytes) fail(Code::kInput, "its header has ", length, " bytes, the limit is ", kMaxHeaderBytes);
  if (length > bytes.size() - prefix) fail(Code::kInput, "it is cut off in its header");
  return {bytes.substr(prefix, length), bytes.substr(prefix + length)};
}

/// Copies column-major `data` into row-major `tensor`.
void copy_transposed(std::string_view data, Tensor& tensor) {
  const Shape& shape = tensor.shape();
  const auto size = static_cast<std::size_t>(size_of(tensor.dtype()));
  Shape index = shape;
  for (int axis = 0; axis < shape.rank(); ++axis) index[axis] = 0;
  for (std::size_t from = 0; from < data.size(); from += size) {
    int64_t to = 0;
    for (int axis = 0; axis < shape.rank(); ++axis) to = to * shape[axis] + index[axis];
    std::memcpy(tensor.as<char>() + static_cast<std::size_t>(to) * size, data.data() + from, size);
    for (int axis = 0; axis < shape.rank() && ++index[axis] == shape[axis]; ++axis) index[axis] = 0;
  }
}

}  // namespace

Tensor parse_npy(std::string_view bytes) {
  const auto [text, data] = split_file(bytes);
  const Header header = HeaderReader(text).read();
  const int64_t expected = header.shape.checked_bytes(size_of(header.dtype));
  if (static_cast<int64_t>(data.size()) != expected) {
    fail(Code::kInput, "it has ", data.size(), " bytes of data, its shape ", header.shape.text(), " needs ", expected);
  }
  Tensor tensor(header.dtype, header.shape);
  if (header.is_fortran && header.shape.rank() > 1) {
    copy_transposed(data, tensor);
  } else if (!data.empty()) {
    std::memcpy(tensor.as<char>(), data.data(), data.size());
  }
  if (header.dtype == DType::kBool) {
    for (int64_t i = 0; i < expected; ++i) tensor.as<uint8_t>()[i] = tensor.as<uint8_t>()[i] != 0 ? 1 : 0;
  }
  return tensor;
}

Tensor read_npy(const std::string& path) {
  const std::string bytes = read_file(path);
  try {
    return parse_npy(bytes);
  } catch (const Error& error) {
    throw error.at(concat("cannot read array ", quote(path, 400)));
  }
}

std::string npy_bytes(const TensorView& tensor) {
  std::string_view type;
  for (const auto& [text, dtype] : kTypes) {
    if (dtype == tensor.dtype) type = text;
  }
  std::string shape;
  for (const int64_t size : tensor.shape.sizes()) shape += concat(size, ", ");
  if (tensor.shape.rank() > 1) shape.resize(shape.size() - 2);
  if (tensor.shape.rank() == 1) shape.pop_back();
  std::string header = concat("{'descr': '", type, "', 'fortran_order': False, 'shape': (", shape, "), }");
  header.append(63 - (kMagic.size() + 4 + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes(kMagic);
  bytes += {'\x01', '\x00', static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  bytes += header;
  bytes.append(static_cast<const char*>(tensor.data), static_cast<std::size_t>(tensor.bytes()));
  return bytes;
}

}  // namespace slipway::infer

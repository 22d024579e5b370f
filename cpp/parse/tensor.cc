// TensorProto -> Tensor. The header is read first and the data afterwards, so that memory is taken once and only for
// as many elements as the message really holds.
#include <cstring>
#include <iterator>
#include <limits>
#include <type_traits>

#include "base/error.h"
#include "parse/messages.h"

namespace slipway {

namespace {

// Field numbers of TensorProto.
enum : uint32_t {
  kDims = 1,
  kDataType = 2,
  kSegment = 3,
  kFloatData = 4,
  kInt32Data = 5,
  kInt64Data = 7,
  kName = 8,
  kRawData = 9,
  kDoubleData = 10,
  kExternalData = 13,
  kDataLocation = 14,
};

enum : int64_t { kInside = 0, kOutside = 1 };  // TensorProto.DataLocation

struct TensorHeader {
  std::string_view name;
  int64_t data_type = 0;
  std::vector<int64_t> dims;
  bool has_raw = false;
  Bytes raw;
  int64_t location = kInside;
  std::vector<Bytes> external;  // entries that say where, if outside
};

void add_dim(TensorHeader& header, int64_t size) {
  if (size < 0) fail(Code::kModel, "size ", size, " is negative");
  if (header.dims.size() == kMaxRank) {
    fail(Code::kUnsupported, "has more than ", kMaxRank, " dimensions");
  }
  header.dims.push_back(size);
}

void read_field(TensorHeader& header, const Field& field, const ParseLimits& limits) {
  switch (field.number) {
    case kDims:
      return visit_varints(field, [&](int64_t size) { add_dim(header, size); });
    case kDataType:
      header.data_type = field.integer();
      return;
    case kName:
      header.name = checked_name(field.text(), "tensor name", limits);
      return;
    case kRawData:
      header.raw = field.message();
      header.has_raw = true;
      return;
    case kSegment:
      fail(Code::kUnsupported, "is stored in segments, which is not supported");
    case kExternalData:
      header.external.push_back(field.message());
      return;
    case kDataLocation:
      header.location = field.integer();
      return;
    default:
      return;
  }
}

// The typed field in which each element type stands.
constexpr uint32_t field_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return kFloatData;
    case DType::kFloat64:
      return kDoubleData;
    case DType::kInt64:
      return kInt64Data;
    default:
      return kInt32Data;
  }
}

template <typename T>
T converted(int64_t value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value != 0;
  } else if (value < static_cast<int64_t>(std::numeric_limits<T>::min()) ||
             value > static_cast<int64_t>(std::numeric_limits<T>::max())) {
    fail(Code::kModel, "element ", value, " does not fit ", name_of(kDTypeOf<T>));
  }
  return static_cast<T>(value);
}

template <typename T, typename Visit>
void visit_elements(Bytes message, Visit&& visit) {
  WireReader reader(message);
  Field field;
  while (reader.next(field)) {
    if (field.number != field_of(kDTypeOf<T>)) continue;
    if constexpr (std::is_floating_point_v<T>) {
      visit_reals<T>(field, visit);
    } else {
      visit_varints(field, visit);
    }
  }
}

void require_count(int64_t got, const Shape& shape) {
  if (got != shape.count()) {
    fail(Code::kModel, "holds ", got, " elements, but its shape ", shape.text(), " has ", shape.count());
  }
}

template <typename T>
void fill(Tensor& tensor, Bytes message) {
  T* out = tensor.as<T>();
  visit_elements<T>(message, [&](auto value) {
    if constexpr (std::is_floating_point_v<T>) {
      *out++ = value;
    } else {
      *out++ = converted<T>(value);
    }
  });
}

template <typename T>
Tensor read_typed(const Shape& shape, Bytes message) {
  int64_t count = 0;
  visit_elements<T>(message, [&](auto) { ++count; });
  require_count(count, shape);
  Tensor tensor(kDTypeOf<T>, shape);
  fill<T>(tensor, message);
  return tensor;
}

// Any byte other than 0 means true, but a C++ bool must be 0 or 1.
Tensor with_true_bools(Tensor tensor) {
  if (tensor.dtype() != DType::kBool) return tensor;
  auto* bytes = tensor.as<uint8_t>();
  for (int64_t i = 0; i < tensor.bytes(); ++i) bytes[i] = bytes[i] != 0 ? 1 : 0;
  return tensor;
}

Tensor read_raw(DType dtype, const Shape& shape, Bytes raw) {
  const int64_t bytes = shape.checked_bytes(size_of(dtype));
  if (bytes != static_cast<int64_t>(raw.size())) {
    fail(Code::kModel, "holds ", raw.size(), " bytes, but ", name_of(dtype), " ", shape.text(), " has ", bytes);
  }
  Tensor tensor(dtype, shape);
  if (!raw.empty()) std::memcpy(tensor.mutable_view().data, raw.data(), raw.size());
  return with_true_bools(std::move(tensor));
}

Tensor read_outside(const TensorHeader& header, DType dtype, const Shape& shape, const ExternalFiles* files) {
  if (header.location != kOutside) fail(Code::kModel, "has data location ", header.location, ", expected 0 or 1");
  if (header.has_raw) fail(Code::kModel, "keeps its data in the model and in another file");
  if (files == nullptr) {
    fail(Code::kUnsupported,
         "keeps its data in another file, and a model that is given as bytes lies beside none; open the model by its "
         "path, or save it as one file (onnx.save(onnx.load(path), new_path))");
  }
  return with_true_bools(files->read(header.external, dtype, shape));
}

Tensor read_data(DType dtype, const Shape& shape, Bytes message) {
  switch (dtype) {
    case DType::kFloat32:
      return read_typed<float>(shape, message);
    case DType::kFloat64:
      return read_typed<double>(shape, message);
    case DType::kInt64:
      return read_typed<int64_t>(shape, message);
    case DType::kInt32:
      return read_typed<int32_t>(shape, message);
    case DType::kInt8:
      return read_typed<int8_t>(shape, message);
    case DType::kUint8:
      return read_typed<uint8_t>(shape, message);
    default:
      return read_typed<bool>(shape, message);
  }
}

NamedTensor read(Bytes message, const ParseLimits& limits, ConstantBudget& budget) {
  TensorHeader header;
  WireReader reader(message);
  Field field;
  while (reader.next(field)) read_field(header, field, limits);
  const DType dtype = dtype_from_onnx(header.data_type);
  if (dtype == DType::kNone) {
    fail(Code::kUnsupported, "has type ", onnx_type_name(header.data_type),
         ", supported are float32, float64, int64, int32, int8, uint8 and bool");
  }
  check_sizes(header.dims);
  const Shape shape(header.dims);
  const int64_t bytes = shape.checked_bytes(size_of(dtype));  // below 2^51, by check_sizes
  if (bytes > budget.limit - budget.bytes) {
    fail(Code::kLimit, "brings the constants to ", budget.bytes + bytes, " bytes, the limit is ", budget.limit);
  }
  budget.bytes += bytes;
  if (header.location != kInside) {
    return {header.name, std::make_shared<const Tensor>(read_outside(header, dtype, shape, budget.files))};
  }
  Tensor tensor = header.has_raw ? read_raw(dtype, shape, header.raw) : read_data(dtype, shape, message);
  return {header.name, std::make_shared<const Tensor>(std::move(tensor))};
}

}  // namespace

NamedTensor read_tensor(Bytes message, const ParseLimits& limits, ConstantBudget& budget) {
  try {
    return read(message, limits, budget);
  } catch (const Error& error) {
    throw error.at(concat("tensor ", quote(tensor_name(message))));
  }
}

std::string_view tensor_name(Bytes message) {
  WireReader reader(message);
  Field field;
  std::string_view name;
  while (reader.next(field)) {
    if (field.number == kName && field.type == WireType::kBytes) name = field.text();
  }
  return name;
}

std::string onnx_type_name(int64_t number) {
  constexpr std::string_view kNames[] = {"undefined",      "float32",  "uint8",        "int8",           "uint16",
                                         "int16",          "int32",    "int64",        "string",         "bool",
                                         "float16",        "float64",  "uint32",       "uint64",         "complex64",
                                         "complex128",     "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2",
                                         "float8e5m2fnuz", "uint4",    "int4",         "float4e2m1"};
  if (number >= 0 && number < static_cast<int64_t>(std::size(kNames))) {
    return std::string(kNames[static_cast<std::size_t>(number)]);
  }
  return concat("number ", number);
}

void check_sizes(std::span<const int64_t> sizes) {
  constexpr int64_t kLargest = int64_t{1} << 48;
  int64_t product = 1;
  for (const int64_t size : sizes) {
    if (size <= 0) continue;
    if (size > kLargest / product) {
      fail(Code::kLimit, "a shape has more than 2^48 elements, which no machine holds");
    }
    product *= size;
  }
}

}  // namespace slipway

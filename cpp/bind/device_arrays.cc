#include "bind/device_arrays.h"

#include <pybind11/stl.h>

#include "base/error.h"
#include "bind/arrays.h"
#include "bind/bind.h"
#include "bind/dlpack.h"

namespace py = pybind11;

namespace slipway {

namespace {

constexpr uint8_t kInt = 0;
constexpr uint8_t kUnsigned = 1;
constexpr uint8_t kFloat = 2;
constexpr uint8_t kBool = 6;

DType dtype_of(const dlpack::Type& type) {
  if (type.lanes != 1) return DType::kNone;
  if (type.code == kFloat) return type.bits == 32 ? DType::kFloat32 : type.bits == 64 ? DType::kFloat64 : DType::kNone;
  if (type.code == kUnsigned) return type.bits == 8 ? DType::kUint8 : DType::kNone;
  if (type.code == kBool) return type.bits == 8 ? DType::kBool : DType::kNone;
  if (type.code != kInt) return DType::kNone;
  return type.bits == 64   ? DType::kInt64
         : type.bits == 32 ? DType::kInt32
         : type.bits == 8  ? DType::kInt8
                           : DType::kNone;
}

dlpack::Type type_of(DType dtype) {
  const bool is_float = dtype == DType::kFloat32 || dtype == DType::kFloat64;
  const uint8_t code = is_float ? kFloat : dtype == DType::kUint8 ? kUnsigned : dtype == DType::kBool ? kBool : kInt;
  return {code, static_cast<uint8_t>(8 * size_of(dtype)), 1};
}

bool is_contiguous(const dlpack::Tensor& tensor) {
  if (tensor.strides == nullptr) return true;
  int64_t stride = 1;
  for (int axis = tensor.rank - 1; axis >= 0; --axis) {
    if (tensor.shape[axis] != 1 && tensor.strides[axis] != stride) return false;
    stride *= tensor.shape[axis];
  }
  return true;
}

/// What a capsule of ours owns.
struct Lent {
  std::shared_ptr<DeviceArray> array;
  std::vector<int64_t> shape;
  dlpack::ManagedTensor managed;
};

void release_lent(dlpack::ManagedTensor* managed) { delete static_cast<Lent*>(managed->owner); }

// Whoever takes the array renames the capsule, and releases it then.
void forget_capsule(PyObject* capsule) {
  if (PyCapsule_IsValid(capsule, dlpack::kName) == 0) return;
  auto* managed = static_cast<dlpack::ManagedTensor*>(PyCapsule_GetPointer(capsule, dlpack::kName));
  managed->release(managed);
}

// DLPack's numbers: None and 1 the default stream, 2 that of the thread, -1 "do not order", else a handle.
void order(const DeviceArray& array, const py::object& stream) {
  const int64_t number = stream.is_none() ? 1 : stream.cast<int64_t>();
  if (number == -1) return;
  array.order_before(number == 1 ? nullptr : stream_of(static_cast<uintptr_t>(number)));
}

py::object to_capsule(const std::shared_ptr<DeviceArray>& array, const py::object& stream) {
  order(*array, stream);
  auto lent = std::make_unique<Lent>();
  lent->array = array;
  lent->shape.assign(array->shape().sizes().begin(), array->shape().sizes().end());
  lent->managed = {{array->data(),
                    {dlpack::kCuda, array->device()},
                    array->shape().rank(),
                    type_of(array->dtype()),
                    lent->shape.data(),
                    nullptr,
                    0},
                   lent.get(),
                   &release_lent};
  PyObject* capsule = PyCapsule_New(&lent->managed, dlpack::kName, &forget_capsule);
  if (capsule == nullptr) throw py::error_already_set();
  (void)lent.release();
  return py::reinterpret_steal<py::object>(capsule);
}

// Version 3: https://numba.readthedocs.io/en/stable/cuda/cuda_array_interface.html
py::dict array_interface(const DeviceArray& array) {
  const char kind = type_of(array.dtype()).code == kFloat      ? 'f'
                    : type_of(array.dtype()).code == kUnsigned ? 'u'
                    : type_of(array.dtype()).code == kBool     ? 'b'
                                                               : 'i';
  array.order_before(nullptr);
  py::list shape;
  for (const int64_t size : array.shape().sizes()) shape.append(size);
  py::dict entries;
  entries["shape"] = py::tuple(shape);
  entries["typestr"] = concat(size_of(array.dtype()) == 1 ? "|" : "<", kind, size_of(array.dtype()));
  entries["data"] = py::make_tuple(reinterpret_cast<uintptr_t>(array.data()), false);
  entries["version"] = 3;
  entries["stream"] = 1;
  return entries;
}

std::shared_ptr<DeviceArray> to_device(const py::array& array, int number) {
  const TensorView view = view_of(array);
  const std::shared_ptr<CudaDevice> device = CudaDevice::open(number);
  auto there = std::make_shared<DeviceArray>(device, nullptr, view.dtype, view.shape);
  device->copy(there->data(), view.data, view.bytes(), nullptr);
  device->synchronize(nullptr);
  return there;
}

py::array to_host(const DeviceArray& array) {
  py::array host = new_array(array.dtype(), array.shape());
  array.copy_to_host(host.mutable_data());
  return host;
}

}  // namespace

TensorView view_of_capsule(const py::object& capsule, int device) {
  if (PyCapsule_IsValid(capsule.ptr(), dlpack::kName) == 0) fail(Code::kInput, "an array gave no DLPack capsule");
  const auto* managed = static_cast<const dlpack::ManagedTensor*>(PyCapsule_GetPointer(capsule.ptr(), dlpack::kName));
  const dlpack::Tensor& tensor = managed->tensor;
  if (tensor.device.kind != dlpack::kCuda || tensor.device.number != device) {
    fail(Code::kUnavailable, "an array lies on another device than cuda:", device, "; move it there first");
  }
  const DType dtype = dtype_of(tensor.type);
  if (dtype == DType::kNone) {
    fail(Code::kInput, "an array has a type of ", static_cast<int>(tensor.type.bits),
         " bits that is not supported, supported are float32, float64, int64, int32, int8, uint8 and bool");
  }
  if (!is_contiguous(tensor)) fail(Code::kInput, "an array is not C-contiguous");
  const Shape shape(std::span<const int64_t>(tensor.shape, static_cast<std::size_t>(tensor.rank)));
  // An empty array may have no address, but a missing one means a missing array here.
  void* data = tensor.data == nullptr ? const_cast<dlpack::ManagedTensor*>(managed) : tensor.data;
  return {static_cast<std::byte*>(data) + tensor.offset, dtype, shape};
}

DeviceArray::DeviceArray(std::shared_ptr<CudaDevice> device, void* stream, DType dtype, const Shape& shape)
    : device_(std::move(device)), stream_(stream), dtype_(dtype), shape_(shape) {
  const int64_t bytes = std::max<int64_t>(shape.checked_bytes(size_of(dtype)), 1);
  device_->use();
  device_->check(device_->plugin().allocate_async(&data_, bytes, stream), concat("allocating ", bytes, " bytes"));
}

DeviceArray::~DeviceArray() { (void)device_->plugin().release_async(data_, stream_); }

void DeviceArray::order_before(void* stream) const {
  if (stream == stream_) return;
  const CudaEvent event(device_);
  event.record(stream_);
  event.make_wait(stream);
}

void DeviceArray::copy_to_host(void* host) const {
  device_->copy(host, data_, shape_.count() * size_of(dtype_), stream_);
  device_->synchronize(stream_);
}

void DeviceOutputs::prepare(std::size_t k, DType dtype, const Shape& shape) {
  if (is_given(k)) {
    const TensorView& view = *given_[k];
    if (view.dtype == dtype && view.shape == shape) return;
    fail(Code::kInput, "the memory given for output ", k, " is ", name_of(view.dtype), " ", view.shape.text(),
         ", expected ", name_of(dtype), " ", shape.text());
  }
  if (made_.size() <= k) made_.resize(k + 1);
  made_[k] = std::make_shared<DeviceArray>(device_, stream_, dtype, shape);
}

void* DeviceOutputs::address(std::size_t k) const noexcept {
  return is_given(k) ? const_cast<void*>(given_[k]->data) : made_[k]->data();
}

py::list DeviceOutputs::arrays(std::size_t count) const {
  py::list list;
  for (std::size_t k = 0; k < count; ++k) {
    if (k < made_.size() && made_[k]) {
      list.append(py::cast(made_[k]));
    } else {
      list.append(py::none());
    }
  }
  return list;
}

void register_device_arrays(py::module_& module) {
  py::class_<DeviceArray, std::shared_ptr<DeviceArray>>(module, "DeviceArray")
      .def(
          "__dlpack__",
          [](const std::shared_ptr<DeviceArray>& array, const py::object& stream, const py::kwargs&) {
            return to_capsule(array, stream);
          },
          py::kw_only(), py::arg("stream") = py::none())
      .def("__dlpack_device__", [](const DeviceArray& array) { return py::make_tuple(dlpack::kCuda, array.device()); })
      .def("numpy", &to_host)
      .def_property_readonly("__cuda_array_interface__", &array_interface)
      .def_property_readonly("shape", [](const DeviceArray& array) {
        return py::tuple(py::cast(std::vector<int64_t>(array.shape().sizes().begin(), array.shape().sizes().end())));
      });
  module.def("to_device", &to_device, py::arg("array"), py::arg("device") = 0);
}

}  // namespace slipway

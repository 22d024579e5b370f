// Arrays that have CUDA's array interface (Numba's) and do not speak DLPack, lent as those that do.
// https://numba.readthedocs.io/en/stable/cuda/cuda_array_interface.html, versions 2 and 3
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "bind/bind.h"
#include "bind/device_arrays.h"
#include "bind/dlpack.h"

namespace py = pybind11;

namespace slipway {

namespace {

/// What a capsule of ours owns.
struct LentInterface {
  PyObject* owner;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
  dlpack::ManagedTensor managed;
};

// Whoever took the capsule may release it from any thread.
void release_interface(dlpack::ManagedTensor* managed) {
  const py::gil_scoped_acquire lock;
  auto* lent = static_cast<LentInterface*>(managed->owner);
  Py_DECREF(lent->owner);
  delete lent;
}

void forget_interface(PyObject* capsule) {
  if (PyCapsule_IsValid(capsule, dlpack::kName) == 0) return;
  auto* managed = static_cast<dlpack::ManagedTensor*>(PyCapsule_GetPointer(capsule, dlpack::kName));
  managed->release(managed);
}

[[noreturn]] void refuse(const char* key, const char* expected) {
  fail(Code::kInput, "__cuda_array_interface__[\"", key, "\"] is not ", expected);
}

py::object entry(const py::dict& entries, const char* key) {
  return entries.contains(key) ? py::object(entries[key]) : py::object(py::none());
}

int64_t number_of(const py::handle& value, const char* key, const char* expected) {
  if (!py::isinstance<py::int_>(value)) refuse(key, expected);
  const int64_t number = PyLong_AsLongLong(value.ptr());
  if (number == -1 && PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    refuse(key, expected);
  }
  return number;
}

std::vector<int64_t> numbers_of(const py::object& value, const char* key) {
  constexpr const char* kExpected = "a tuple of integers that fit 64 bits";
  if (!py::isinstance<py::tuple>(value)) refuse(key, kExpected);
  std::vector<int64_t> numbers;
  for (const py::handle& each : py::tuple(value)) numbers.push_back(number_of(each, key, kExpected));
  return numbers;
}

std::byte* data_of(const py::dict& entries) {
  const py::object data = entry(entries, "data");
  constexpr const char* kExpected = "(address, read-only flag)";
  if (!py::isinstance<py::tuple>(data) || py::len(data) != 2) refuse("data", kExpected);
  const py::object address = py::tuple(data)[0];
  if (!py::isinstance<py::int_>(address)) refuse("data", kExpected);
  void* at = PyLong_AsVoidPtr(address.ptr());
  if (at == nullptr && PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    refuse("data", kExpected);
  }
  return static_cast<std::byte*>(at);
}

// "<f4": little-endian, a float of 4 bytes.
dlpack::Type type_of(const py::dict& entries) {
  const py::object typestr = entry(entries, "typestr");
  const std::string text = py::isinstance<py::str>(typestr) ? typestr.cast<std::string>() : "";
  const bool has_order = text.size() == 3 && (text[0] == '<' || (text[0] == '|' && text[2] == '1'));
  const uint8_t code = text.size() != 3 ? 0 : text[1] == 'f' ? 2 : text[1] == 'u' ? 1 : text[1] == 'b' ? 6 : 0;
  const bool is_known = has_order && (text[1] == 'i' || code != 0) && text[2] >= '1' && text[2] <= '8';
  if (!is_known) refuse("typestr", "that of a type that is supported, such as <f4");
  return {code, static_cast<uint8_t>(8 * (text[2] - '0')), 1};
}

// DLPack counts elements, the interface bytes.
std::vector<int64_t> strides_of(const py::dict& entries, std::size_t rank, int64_t element) {
  const py::object given = entry(entries, "strides");
  if (given.is_none()) return {};
  std::vector<int64_t> strides = numbers_of(given, "strides");
  if (strides.size() != rank) refuse("strides", "as long as the shape");
  for (int64_t& stride : strides) {
    if (stride % element != 0) refuse("strides", "a tuple of multiples of the element's size");
    stride /= element;
  }
  return strides;
}

// The interface's numbers are DLPack's: 1 the default stream, 2 that of the thread, else a handle; 0 is forbidden.
void order(const py::dict& entries, const std::shared_ptr<CudaDevice>& device, int64_t stream) {
  const py::object own = entry(entries, "stream");
  if (own.is_none() || stream == -1) return;
  const int64_t from = number_of(own, "stream", "None or a stream");
  if (from == 0) refuse("stream", "None or a stream: 0 may be one of two, use 1 or 2");
  if (from == stream) return;
  const auto handle = [](int64_t number) { return number == 1 ? nullptr : stream_of(static_cast<uintptr_t>(number)); };
  device->use();
  const CudaEvent event(device);
  event.record(handle(from));
  event.make_wait(handle(stream));
}

/// The number of the device that the memory of `entries` lies on. Throws Error(kInput) where they name no device's.
int interface_device(const py::dict& entries) {
  const std::byte* data = data_of(entries);
  if (data == nullptr) return 0;  // an empty array lies nowhere
  const int number = CudaDevice::open(0)->plugin().device_of(data);
  if (number < 0) fail(Code::kInput, "its address is not one of a CUDA device");
  return number;
}

/// A DLPack capsule of the memory, which keeps `owner`. Work that the array's own stream was given comes before what
/// `stream` is given from now on; -1: nothing is ordered. Throws Error(kInput) where an entry is missing, has another
/// type than the interface's, or says what DLPack has no word for (a mask, strides of half an element).
py::object interface_capsule(const py::dict& entries, const py::object& owner, int64_t stream) {
  if (!entry(entries, "mask").is_none()) refuse("mask", "None: masks are not supported");
  const dlpack::Type type = type_of(entries);
  const int number = interface_device(entries);
  auto lent = std::make_unique<LentInterface>();
  lent->shape = numbers_of(entry(entries, "shape"), "shape");
  for (const int64_t size : lent->shape) {
    if (size < 0) refuse("shape", "a tuple of sizes");
  }
  lent->strides = strides_of(entries, lent->shape.size(), type.bits / 8);
  order(entries, CudaDevice::open(number), stream);
  lent->managed = {{data_of(entries),
                    {dlpack::kCuda, number},
                    static_cast<int32_t>(lent->shape.size()),
                    type,
                    lent->shape.data(),
                    lent->strides.empty() ? nullptr : lent->strides.data(),
                    0},
                   lent.get(),
                   &release_interface};
  PyObject* capsule = PyCapsule_New(&lent->managed, dlpack::kName, &forget_interface);
  if (capsule == nullptr) throw py::error_already_set();
  lent->owner = py::object(owner).release().ptr();
  (void)lent.release();
  return py::reinterpret_steal<py::object>(capsule);
}

}  // namespace

void register_array_interface(py::module_& module) {
  module.def("interface_device", &interface_device, py::arg("entries"));
  module.def("interface_capsule", &interface_capsule, py::arg("entries"), py::arg("owner"), py::arg("stream"));
}

}  // namespace slipway

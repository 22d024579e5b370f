#include "bind/named_session.h"

#include <array>

#include "bind/arrays.h"
#include "bind/gil.h"

namespace py = pybind11;

namespace slipway {

namespace {

/// Inputs or outputs of a run that is looked at without allocating.
constexpr std::size_t kMaxPlain = 8;

/// Outputs in new NumPy arrays. They are made with the GIL, which is given up where computing takes long enough for
/// somebody else to use it.
class NewArrays final : public Outputs {
 public:
  NewArrays() = default;
  NewArrays(const NewArrays&) = delete;
  NewArrays& operator=(const NewArrays&) = delete;
  ~NewArrays() override {
    end_without_gil();
    for (PyObject* array : arrays_) Py_XDECREF(array);
  }

  void prepare(std::size_t k, DType dtype, const Shape& shape) override {
    end_without_gil();
    Py_XSETREF(arrays_[k], new_array(dtype, shape).release().ptr());  // a run may start again
  }
  [[nodiscard]] void* address(std::size_t k) const noexcept override {
    return py::detail::array_proxy(arrays_[k])->data;
  }
  void prepared(bool is_short) override {
    if (!is_short && state_ == nullptr) state_ = PyEval_SaveThread();
  }

  void end_without_gil() {
    if (state_ != nullptr) take_gil(std::exchange(state_, nullptr));
  }
  [[nodiscard]] PyObject* array(std::size_t k) const noexcept { return arrays_[k]; }

 private:
  PyThreadState* state_ = nullptr;
  std::array<PyObject*, kMaxPlain> arrays_ = {};
};

}  // namespace

NamedSession::NamedSession(Session session)
    : session_(std::move(session)),
      inputs_(plain(session_.inputs())),
      outputs_(plain(session_.outputs())),
      ndarray_(py::module_::import("numpy").attr("ndarray")) {}

std::vector<NamedSession::PlainPort> NamedSession::plain(const std::vector<PortInfo>& ports) {
  std::vector<PlainPort> plain;
  for (const PortInfo& port : ports) {
    PyObject* name = py::str(port.name).release().ptr();
    PyUnicode_InternInPlace(&name);  // found by its address in a dict whose keys were written in a program
    plain.push_back({py::reinterpret_steal<py::str>(name), type_number(port.dtype), port.dtype});
  }
  return plain;
}

/// False where the array would have to be converted or refused.
bool NamedSession::look_at(PyObject* object, const PlainPort& port, TensorView* view) const {
  if (Py_TYPE(object) != reinterpret_cast<PyTypeObject*>(ndarray_.ptr())) return false;
  const auto array = py::reinterpret_borrow<py::array>(object);
  constexpr int kWanted = int{py::array::c_style} | int{py::detail::npy_api::NPY_ARRAY_ALIGNED_};
  const py::dtype type = array.dtype();
  if ((array.flags() & kWanted) != kWanted || array.ndim() > kMaxRank) return false;
  if (type.num() != port.type || type.byteorder() == '>') return false;
  view->data = array.data();
  view->dtype = port.dtype;
  for (py::ssize_t axis = 0; axis < array.ndim(); ++axis) view->shape.push_back(array.shape(axis));
  return true;
}

py::object NamedSession::run_plain(py::handle arrays) const {
  const auto count = static_cast<std::size_t>(PyDict_GET_SIZE(arrays.ptr()));
  if (count != inputs_.size() || count > kMaxPlain || outputs_.size() > kMaxPlain) return {};
  TensorView views[kMaxPlain];
  std::array<py::object, kMaxPlain> kept;  // another thread, or a key's own __eq__, may change the dict meanwhile
  for (std::size_t i = 0; i < count; ++i) {
    kept[i] = py::reinterpret_borrow<py::object>(PyDict_GetItemWithError(arrays.ptr(), inputs_[i].name.ptr()));
    if (!kept[i] && PyErr_Occurred() != nullptr) throw py::error_already_set();
    if (!kept[i] || !look_at(kept[i].ptr(), inputs_[i], &views[i])) return {};
  }
  NewArrays results;
  session_.run({views, count}, results);
  results.end_without_gil();
  py::dict named;
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    if (PyDict_SetItem(named.ptr(), outputs_[k].name.ptr(), results.array(k)) != 0) throw py::error_already_set();
  }
  return named;
}

}  // namespace slipway

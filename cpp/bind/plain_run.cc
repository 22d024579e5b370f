// A type with a vectorcall, as functools.lru_cache has one: a function of pybind11 takes 0.1 us to find its overload.
#include "bind/plain_run.h"

#include <structmember.h>

#include <cstddef>

#include "bind/named_session.h"

namespace py = pybind11;

namespace slipway {

namespace {

struct PlainRun {
  PyObject_HEAD  //
      vectorcallfunc call;
  PyObject* run;          // the method that takes everything
  PyObject* dict;         // what functools.update_wrapper copies from it
  PyObject* engine;       // "_engine"
  PyTypeObject* session;  // of NamedSession
};

PlainRun* self_of(PyObject* object) noexcept { return reinterpret_cast<PlainRun*>(object); }

/// A dict of results; null without an error where the call is not plain, null with one where it failed.
PyObject* run_plain(const PlainRun& self, PyObject* instance, PyObject* inputs) noexcept {
  try {
    const auto engine = py::reinterpret_steal<py::object>(PyObject_GetAttr(instance, self.engine));
    if (!engine || Py_TYPE(engine.ptr()) != self.session) return nullptr;
    const py::detail::value_and_holder held =
        reinterpret_cast<py::detail::instance*>(engine.ptr())->get_value_and_holder();
    return held.value_ptr<NamedSession>()->run_plain(inputs).release().ptr();
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (...) {
    py::detail::try_translate_exceptions();
  }
  return nullptr;
}

PyObject* call(PyObject* object, PyObject* const* arguments, std::size_t flags, PyObject* names) noexcept {
  const PlainRun& self = *self_of(object);
  if (PyVectorcall_NARGS(flags) == 2 && names == nullptr && PyDict_CheckExact(arguments[1])) {
    PyObject* results = run_plain(self, arguments[0], arguments[1]);
    if (results != nullptr || PyErr_Occurred() != nullptr) return results;
  }
  return PyObject_Vectorcall(self.run, arguments, flags, names);
}

PyObject* bind(PyObject* object, PyObject* instance, PyObject* /*type*/) noexcept {
  if (instance != nullptr && instance != Py_None) return PyMethod_New(object, instance);
  Py_INCREF(object);
  return object;
}

PyObject* show(PyObject* object) noexcept { return PyObject_Repr(self_of(object)->run); }

int traverse(PyObject* object, visitproc visit, void* arg) noexcept {
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(self_of(object)->run);
  Py_VISIT(self_of(object)->dict);
  Py_VISIT(self_of(object)->session);
  return 0;
}

int clear(PyObject* object) noexcept {
  Py_CLEAR(self_of(object)->run);
  Py_CLEAR(self_of(object)->dict);
  Py_CLEAR(self_of(object)->engine);
  Py_CLEAR(self_of(object)->session);
  return 0;
}

void destroy(PyObject* object) noexcept {
  PyTypeObject* type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  clear(object);
  type->tp_free(object);
  Py_DECREF(type);
}

py::object make_type() {
  static PyMemberDef members[] = {
      {"__vectorcalloffset__", T_PYSSIZET, offsetof(PlainRun, call), READONLY, nullptr},
      {"__dictoffset__", T_PYSSIZET, offsetof(PlainRun, dict), READONLY, nullptr},
      {nullptr, 0, 0, 0, nullptr},
  };
  static PyGetSetDef properties[] = {
      {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr},
  };
  PyType_Slot slots[] = {
      {Py_tp_members, members},
      {Py_tp_getset, properties},
      {Py_tp_call, reinterpret_cast<void*>(&PyVectorcall_Call)},
      {Py_tp_repr, reinterpret_cast<void*>(&show)},
      {Py_tp_descr_get, reinterpret_cast<void*>(&bind)},
      {Py_tp_traverse, reinterpret_cast<void*>(&traverse)},
      {Py_tp_clear, reinterpret_cast<void*>(&clear)},
      {Py_tp_dealloc, reinterpret_cast<void*>(&destroy)},
      {0, nullptr},
  };
  constexpr unsigned kFlags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                              Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_DISALLOW_INSTANTIATION;
  PyType_Spec spec = {"slipway._engine.PlainRun", sizeof(PlainRun), 0, kFlags, slots};
  auto type = py::reinterpret_steal<py::object>(PyType_FromSpec(&spec));
  if (!type) throw py::error_already_set();
  return type;
}

py::object plain_first(const py::object& type, const py::object& session, const py::object& run) {
  auto* plain_type = reinterpret_cast<PyTypeObject*>(type.ptr());
  auto made = py::reinterpret_steal<py::object>(plain_type->tp_alloc(plain_type, 0));
  if (!made) throw py::error_already_set();
  PlainRun& self = *self_of(made.ptr());
  self.call = &call;
  self.run = py::object(run).release().ptr();
  self.engine = PyUnicode_InternFromString("_engine");
  self.session = reinterpret_cast<PyTypeObject*>(py::object(session).release().ptr());
  if (self.engine == nullptr) throw py::error_already_set();
  py::module_::import("functools").attr("update_wrapper")(made, run);
  return made;
}

}  // namespace

void register_plain_run(py::module_& module, py::handle session_type) {
  const py::object type = make_type();
  const auto session = py::reinterpret_borrow<py::object>(session_type);
  module.def(
      "plain_first", [type, session](const py::object& run) { return plain_first(type, session, run); },
      py::arg("run"));
}

}  // namespace slipway

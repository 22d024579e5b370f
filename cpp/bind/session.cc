// Session and BoundCall: arrays in the order of the ports, checked here. Runs of a few microseconds keep the GIL,
// others do not.
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "bind/arrays.h"
#include "bind/bind.h"
#include "bind/device_arrays.h"
#include "bind/gil.h"
#include "bind/named_session.h"
#include "bind/plain_run.h"
#include "slipway/slipway.h"

namespace py = pybind11;

namespace slipway {

namespace {

using OptionalArrays = std::vector<std::optional<py::array>>;

std::vector<TensorView> views_of(const std::vector<py::array>& arrays) {
  std::vector<TensorView> views;
  for (const py::array& array : arrays) views.push_back(view_of(array));
  return views;
}

/// Views to write into; one without data where the session allocates.
std::vector<MutableView> buffers_of(const Session& session, const OptionalArrays& arrays) {
  std::vector<MutableView> buffers;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const std::string& name = session.outputs().at(i).name;
    MutableView buffer;
    if (arrays[i]) {
      if (!arrays[i]->writeable()) fail(Code::kInput, "the buffer for output ", quote(name), " is read-only");
      const TensorView view = view_of(*arrays[i]);
      buffer = {arrays[i]->request(true).ptr, view.dtype, view.shape};
    }
    buffers.push_back(buffer);
  }
  return buffers;
}

/// A session with its memory: arrays are looked at once, a call does nothing but run.
class BoundArrays final {
 public:
  BoundArrays(const Session& session, std::vector<py::array> inputs, const OptionalArrays& outputs)
      : inputs_(std::move(inputs)), outputs_(outputs), call_(bind(session)) {}

  void operator()() const {
    if (call_.is_short()) return call_();
    const WithoutGil released;
    call_();
  }

 private:
  [[nodiscard]] BoundCall bind(const Session& session) const {
    const std::vector<TensorView> views = views_of(inputs_);
    return session.bind(views, buffers_of(session, outputs_));
  }

  std::vector<py::array> inputs_;  // keep the memory of the call alive
  OptionalArrays outputs_;
  BoundCall call_;
};

py::list run(const NamedSession& named, const std::vector<py::array>& inputs, const OptionalArrays& into) {
  const Session& session = named.session();
  const std::vector<TensorView> views = views_of(inputs);
  const std::vector<MutableView> buffers = buffers_of(session, into);
  std::vector<Tensor> results;
  {
    const WithoutGil released;
    results = into.empty() ? session.run(views) : session.run(views, buffers);
  }
  py::list list;
  for (std::size_t i = 0; i < session.outputs().size(); ++i) {
    if (i < into.size() && into[i]) {
      list.append(*into[i]);
    } else {
      list.append(array_of(std::move(results.at(i))));
    }
  }
  return list;
}

using Capsules = std::vector<py::object>;  // None: no array

std::vector<TensorView> views_of(const Capsules& capsules, int device) {
  std::vector<TensorView> views;
  for (const py::object& capsule : capsules) views.push_back(view_of_capsule(capsule, device));
  return views;
}

std::vector<std::optional<TensorView>> given_of(const Capsules& capsules, int device) {
  std::vector<std::optional<TensorView>> given;
  for (const py::object& capsule : capsules) {
    given.push_back(capsule.is_none() ? std::nullopt : std::optional(view_of_capsule(capsule, device)));
  }
  return given;
}

py::list run_on(const NamedSession& named, uintptr_t stream, const Capsules& inputs, const Capsules& into) {
  const Session& session = named.session();
  const int device = session.cuda_device();
  const std::vector<TensorView> views = views_of(inputs, device);
  DeviceOutputs outputs(CudaDevice::open(device), stream_of(stream), given_of(into, device));
  {
    const WithoutGil released;
    session.run_on(stream_of(stream), views, outputs);
  }
  return outputs.arrays(session.outputs().size());
}

/// As BoundArrays, for arrays of a device.
class BoundCapsules final {
 public:
  BoundCapsules(const Session& session, Capsules inputs, Capsules outputs)
      : inputs_(std::move(inputs)), outputs_(std::move(outputs)), call_(bind(session)) {}

  void operator()(uintptr_t stream) const {
    const WithoutGil released;
    call_.run_on(stream_of(stream));
  }
  void finish(uintptr_t stream) const {
    const WithoutGil released;
    call_.finish(stream_of(stream));
  }

 private:
  [[nodiscard]] BoundCall bind(const Session& session) const {
    std::vector<MutableView> into;
    for (const TensorView& view : views_of(outputs_, session.cuda_device())) {
      into.push_back({const_cast<void*>(view.data), view.dtype, view.shape});
    }
    return session.bind(views_of(inputs_, session.cuda_device()), into);
  }

  Capsules inputs_;
  Capsules outputs_;
  BoundCall call_;
};

py::list ports(const std::vector<PortInfo>& infos) {
  py::list list;
  for (const PortInfo& info : infos) {
    py::list dims;
    for (const Dim& dim : info.dims) {
      if (dim.is_known()) {
        dims.append(dim.value());
      } else if (dim.symbol().empty()) {
        dims.append(py::none());
      } else {
        dims.append(dim.symbol());
      }
    }
    list.append(py::make_tuple(info.name, std::string(name_of(info.dtype)), py::tuple(dims)));
  }
  return list;
}

/// SessionOptions by name; what is not named has its default. _engine.pyi lists them.
SessionOptions options_of(const py::kwargs& given) {
  SessionOptions options;
  for (const auto& [key, value] : given) {
    const auto name = key.cast<std::string>();
    if (name == "device") {
      options.device = value.cast<std::string>();
    } else if (name == "threads") {
      options.threads = value.cast<int>();
    } else if (name == "optimize") {
      options.optimize = value.cast<bool>();
    } else if (name == "isa") {
      options.isa = value.cast<std::string>();
    } else if (name == "precision") {
      options.precision = value.cast<std::string>();
    } else if (name == "max_steps") {
      options.max_steps = value.cast<int64_t>();
    } else if (name == "max_memory") {
      options.max_memory = value.cast<int64_t>();
    } else {
      throw py::type_error("a session has no option " + name);
    }
  }
  return options;
}

NamedSession open(const std::string& path, const py::kwargs& given) {
  const SessionOptions options = options_of(given);
  return NamedSession([&] {
    const WithoutGil released;
    return Session::open(path, options);
  }());
}

NamedSession read(const py::bytes& model, const py::kwargs& given) {
  const SessionOptions options = options_of(given);
  const auto text = std::string_view(model);
  return NamedSession([&] {
    const WithoutGil released;  // `model` cannot change: bytes are immutable, and the caller holds them
    return Session::read(std::as_bytes(std::span(text)), options);
  }());
}

std::string text(const NamedSession& named, const std::string& stage, const std::vector<std::vector<int64_t>>& shapes) {
  InputShapes sizes;
  for (const std::vector<int64_t>& shape : shapes) sizes.emplace_back(std::span(shape));
  const WithoutGil released;
  return named.session().text(stage, sizes);
}

}  // namespace

void register_session(py::module_& module) {
  py::class_<NamedSession> session(module, "Session");
  session.def_static("open", &open, py::arg("path"))
      .def_static("read", &read, py::arg("model"))
      .def("inputs", [](const NamedSession& named) { return ports(named.session().inputs()); })
      .def("outputs", [](const NamedSession& named) { return ports(named.session().outputs()); })
      .def(
          "metadata",
          [](const NamedSession& named) {
            py::dict entries;
            for (const auto& [key, value] : named.session().metadata()) {
              entries[py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(key.data(), std::ssize(key), "replace"))] =
                  py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(value.data(), std::ssize(value), "replace"));
            }
            return entries;
          })
      .def("run", &run, py::arg("inputs"), py::arg("into") = OptionalArrays())
      .def("cuda_device", [](const NamedSession& named) { return named.session().cuda_device(); })
      .def("run_on", &run_on, py::arg("stream"), py::arg("inputs"), py::arg("into") = Capsules())
      .def("bind_on",
           [](const NamedSession& named, Capsules inputs, Capsules outputs) {
             return BoundCapsules(named.session(), std::move(inputs), std::move(outputs));
           })
      .def("bind",
           [](const NamedSession& named, std::vector<py::array> inputs, const OptionalArrays& outputs) {
             return BoundArrays(named.session(), std::move(inputs), outputs);
           })
      .def("text", &text, py::arg("stage"), py::arg("shapes") = std::vector<std::vector<int64_t>>());
  register_plain_run(module, session);
  py::class_<BoundArrays>(module, "BoundCall").def("__call__", &BoundArrays::operator());
  py::class_<BoundCapsules>(module, "BoundDeviceCall")
      .def("__call__", &BoundCapsules::operator(), py::arg("stream") = 0)
      .def("finish", &BoundCapsules::finish, py::arg("stream") = 0);
}

}  // namespace slipway

// Session and BoundCall: arrays in the order of the ports, checked here, run without the GIL.
#include <pybind11/stl.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "bind/arrays.h"
#include "bind/bind.h"
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

bool overlap(const void* a, int64_t a_bytes, const void* b, int64_t b_bytes) noexcept {
  const auto* x = static_cast<const std::byte*>(a);
  const auto* y = static_cast<const std::byte*>(b);
  return a_bytes > 0 && b_bytes > 0 && std::less<>()(x, y + b_bytes) && std::less<>()(y, x + a_bytes);
}

/// Views to write into; one without data where the session allocates. Memory may serve one purpose only: the engine
/// writes outputs while it still reads inputs.
std::vector<MutableView> buffers_of(const Session& session, const OptionalArrays& arrays,
                                    const std::vector<TensorView>& inputs) {
  std::vector<MutableView> buffers;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const std::string& name = session.outputs().at(i).name;
    MutableView buffer;
    if (arrays[i]) {
      if (!arrays[i]->writeable()) fail(Code::kInput, "the buffer for output ", quote(name), " is read-only");
      const TensorView view = view_of(*arrays[i]);
      buffer = {arrays[i]->request(true).ptr, view.dtype, view.shape};
    }
    for (const TensorView& input : inputs) {
      if (!overlap(buffer.data, buffer.bytes(), input.data, input.bytes())) continue;
      fail(Code::kInput, "the buffer for output ", quote(name), " shares memory with an input");
    }
    for (const MutableView& other : buffers) {
      if (!overlap(buffer.data, buffer.bytes(), other.data, other.bytes())) continue;
      fail(Code::kInput, "the buffer for output ", quote(name), " shares memory with another output");
    }
    buffers.push_back(buffer);
  }
  return buffers;
}

py::list run(const Session& session, const std::vector<py::array>& inputs, const OptionalArrays& into) {
  const std::vector<TensorView> views = views_of(inputs);
  const std::vector<MutableView> buffers = buffers_of(session, into, views);
  std::vector<Tensor> results;
  {
    const py::gil_scoped_release release;
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

/// A session with its memory: arrays are looked at once, a call does nothing but run.
class BoundCall final {
 public:
  BoundCall(const Session& session, std::vector<py::array> inputs, const OptionalArrays& outputs)
      : session_(session),
        inputs_(std::move(inputs)),
        outputs_(outputs),
        views_(views_of(inputs_)),
        buffers_(buffers_of(session, outputs, views_)) {}

  void operator()() const {
    const py::gil_scoped_release release;
    const std::vector<Tensor> nothing = session_.run(views_, buffers_);
  }

 private:
  Session session_;
  std::vector<py::array> inputs_;  // keep the memory of the views alive
  OptionalArrays outputs_;
  std::vector<TensorView> views_;
  std::vector<MutableView> buffers_;
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

SessionOptions options_of(const std::string& device, int threads, bool optimize, const std::string& isa) {
  SessionOptions options;
  options.device = device;
  options.threads = threads;
  options.optimize = optimize;
  options.isa = isa;
  return options;
}

Session open(const std::string& path, const std::string& device, int threads, bool optimize, const std::string& isa) {
  const SessionOptions options = options_of(device, threads, optimize, isa);
  const py::gil_scoped_release release;
  return Session::open(path, options);
}

Session read(const py::bytes& model, const std::string& device, int threads, bool optimize, const std::string& isa) {
  const SessionOptions options = options_of(device, threads, optimize, isa);
  const auto text = std::string_view(model);
  const py::gil_scoped_release release;  // `model` cannot change: bytes are immutable, and the caller holds them
  return Session::read(std::as_bytes(std::span(text)), options);
}

std::string text(const Session& session, const std::string& stage, const std::vector<std::vector<int64_t>>& shapes) {
  InputShapes sizes;
  for (const std::vector<int64_t>& shape : shapes) sizes.emplace_back(std::span(shape));
  const py::gil_scoped_release release;
  return session.text(stage, sizes);
}

}  // namespace

void register_session(py::module_& module) {
  py::class_<Session>(module, "Session")
      .def_static("open", &open, py::arg("path"), py::arg("device"), py::arg("threads"), py::arg("optimize"),
                  py::arg("isa"))
      .def_static("read", &read, py::arg("model"), py::arg("device"), py::arg("threads"), py::arg("optimize"),
                  py::arg("isa"))
      .def("inputs", [](const Session& session) { return ports(session.inputs()); })
      .def("outputs", [](const Session& session) { return ports(session.outputs()); })
      .def(
          "metadata",
          [](const Session& session) {
            py::dict entries;
            for (const auto& [key, value] : session.metadata()) {
              entries[py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(key.data(), std::ssize(key), "replace"))] =
                  py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(value.data(), std::ssize(value), "replace"));
            }
            return entries;
          })
      .def("run", &run, py::arg("inputs"), py::arg("into") = OptionalArrays())
      .def("bind", [](const Session& session, std::vector<py::array> inputs,
                      const OptionalArrays& outputs) { return BoundCall(session, std::move(inputs), outputs); })
      .def("text", &text, py::arg("stage"), py::arg("shapes") = std::vector<std::vector<int64_t>>());
  py::class_<BoundCall>(module, "BoundCall").def("__call__", &BoundCall::operator());
}

}  // namespace slipway

// run_op and operators: single operators, without a graph.
#include <pybind11/stl.h>

#include "bind/arrays.h"
#include "bind/bind.h"
#include "bind/device_arrays.h"
#include "bind/gil.h"
#include "ops/single.h"
#include "ops/table.h"

namespace py = pybind11;

namespace slipway {

namespace {

Attribute attribute_of(const std::string& name, const py::handle& value) {
  if (py::isinstance<py::int_>(value)) return value.cast<int64_t>();
  if (py::isinstance<py::float_>(value)) return value.cast<float>();
  if (py::isinstance<py::str>(value)) return value.cast<std::string>();
  if (py::isinstance<py::array>(value)) {
    const TensorView view = view_of(py::reinterpret_borrow<py::array>(value));
    auto tensor = std::make_shared<Tensor>(view.dtype, view.shape);
    std::memcpy(tensor->mutable_view().data, view.data, static_cast<std::size_t>(view.bytes()));
    return std::shared_ptr<const Tensor>(std::move(tensor));
  }
  const auto list = py::cast<py::list>(value);
  if (list.empty() || py::isinstance<py::int_>(list[0])) return value.cast<std::vector<int64_t>>();
  if (py::isinstance<py::float_>(list[0])) return value.cast<std::vector<float>>();
  if (py::isinstance<py::str>(list[0])) return value.cast<std::vector<std::string>>();
  fail(Code::kUsage, "attribute ", name, " has a type that ONNX does not know");
}

Target target_named(const std::string& name) {
  if (name.empty()) return choose_isa();
  if (name.starts_with("cuda")) return Target(CudaDevice::open(cuda_number(name)));
  return isa_named(name);
}

/// Without its inputs and outputs.
Node node_of(const std::string& op, const py::dict& attributes, int64_t opset, const std::string& domain) {
  Node node;
  node.op = op;
  node.name = op;
  node.domain = domain;
  node.opset = opset;
  for (const auto& [key, value] : attributes) {
    const auto name = key.cast<std::string>();
    node.attributes.emplace(name, attribute_of(name, value));
  }
  return node;
}

py::list run_op(const std::string& op, const std::vector<std::optional<py::array>>& inputs, const py::dict& attributes,
                int outputs, int64_t opset, const std::string& domain, const std::string& isa, bool all_constant) {
  Node node = node_of(op, attributes, opset, domain);
  std::vector<TensorView> views;
  for (const auto& input : inputs) {
    node.inputs.push_back(input ? static_cast<ValueId>(views.size()) : kNoValue);
    views.push_back(input ? view_of(*input) : TensorView{});
  }
  for (int i = 0; i < outputs; ++i) node.outputs.push_back(i);
  resolve(node);
  std::vector<Tensor> results;
  {
    const WithoutGil released;
    try {
      results = run_single(node, views, target_named(isa), nullptr, all_constant);
    } catch (const Error& error) {
      throw error.at(node.title());
    }
  }
  py::list list;
  for (Tensor& tensor : results) list.append(array_of(std::move(tensor)));
  return list;
}

/// On arrays of a CUDA device, in DLPack capsules; None where an input is absent.
py::list run_op_on(int device, uintptr_t stream, const std::string& op, const std::vector<py::object>& inputs,
                   const py::dict& attributes, int outputs, int64_t opset, const std::string& domain) {
  Node node = node_of(op, attributes, opset, domain);
  std::vector<TensorView> views;
  for (const py::object& input : inputs) {
    node.inputs.push_back(input.is_none() ? kNoValue : static_cast<ValueId>(views.size()));
    views.push_back(input.is_none() ? TensorView{} : view_of_capsule(input, device));
  }
  for (int i = 0; i < outputs; ++i) node.outputs.push_back(i);
  resolve(node);
  const Target target(CudaDevice::open(device));
  DeviceOutputs results(target.device, stream_of(stream));
  {
    const WithoutGil released;
    try {
      run_single_on_device(node, views, target, stream_of(stream), results);
    } catch (const Error& error) {
      throw error.at(node.title());
    }
  }
  return results.arrays(static_cast<std::size_t>(outputs));
}

py::list operators() {
  constexpr const char* kTolerances[] = {"exact", "ulp4", "sum"};
  constexpr const char* kKinds[] = {"kernel", "elementwise", "view", "control"};
  py::list list;
  for (const OpRow& row : op_table()) {
    py::dict entry;
    entry["id"] = std::string(row.id);
    entry["onnx"] = std::string(row.onnx);
    entry["domain"] = std::string(row.domain);
    entry["min_opset"] = row.min_opset;
    entry["max_opset"] = row.max_opset;
    entry["tolerance"] = kTolerances[static_cast<int>(row.tolerance)];
    entry["kind"] = kKinds[static_cast<int>(row.kind)];
    entry["has_simd"] = row.kernels[static_cast<int>(Isa::kBaseline)] != nullptr;
    entry["has_cuda"] = row.has_cuda;
    list.append(entry);
  }
  return list;
}

/// "cpu" and those CUDA devices that are there; for none, why.
py::tuple devices() {
  py::list names;
  names.append("cpu");
  std::string why;
  const int count = count_cuda_devices(&why);
  for (int i = 0; i < count; ++i) names.append(concat("cuda:", i));
  return py::make_tuple(names, why);
}

}  // namespace

void register_ops(py::module_& module) {
  module.def("run_op", &run_op, py::arg("op"), py::arg("inputs"), py::arg("attributes") = py::dict(),
             py::arg("outputs") = 1, py::arg("opset") = 20, py::arg("domain") = "", py::arg("isa") = "",
             py::arg("all_constant") = false);
  module.def("run_op_on", &run_op_on, py::arg("device"), py::arg("stream"), py::arg("op"), py::arg("inputs"),
             py::arg("attributes") = py::dict(), py::arg("outputs") = 1, py::arg("opset") = 20, py::arg("domain") = "");
  module.def("operators", &operators);
  module.def("devices", &devices);
  module.def("isas", [] {
    py::list names;
    for (int i = 0; i < kIsaCount; ++i) {
      if (can_run(static_cast<Isa>(i))) names.append(std::string(name_of(static_cast<Isa>(i))));
    }
    return names;
  });
}

}  // namespace slipway
